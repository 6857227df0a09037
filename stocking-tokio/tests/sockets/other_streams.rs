//! Connections that were accepted, or upgraded, elsewhere.

use std::sync::Arc;

use stocking_core::testing::TestClient;
use stocking_tokio::{
    Accept, Admission, ConnectRequest, Rejection, Router, Service, serve_connection, serve_upgraded,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream, duplex},
    net::{UnixListener, UnixStream},
    spawn,
};

use crate::common::{Raw, Received, application::events, on_every_runtime, raw::UPGRADE};

async fn converse(mut client: Raw<impl AsyncRead + AsyncWrite + Unpin>) {
    client.send_text(r#"4,7,{"e":"echo","p":"doge"}"#).await;
    assert_eq!(client.next().await.unwrap(), Received::Text(r#"4,7,{"c":-1,"p":"doge"}"#.into()));
    // Far more than a buffer holds, in one direction and then in the other.
    let long = "x".repeat(60_000);
    for _ in 0..4 {
        client.send_text(&format!(r#"4,8,{{"e":"echo","p":"{long}"}}"#)).await;
        assert_eq!(client.next().await.unwrap(), Received::Text(format!(r#"4,8,{{"c":-1,"p":"{long}"}}"#)));
    }
    client.send_text("2").await;
    assert_eq!(client.next().await.unwrap(), Received::Close(1000));
    client.send_bytes(&TestClient::frame(0x88, &1000_u16.to_be_bytes())).await;
    assert_eq!(client.next().await.unwrap(), Received::End);
}

#[test]
fn a_duplex_is_served_until_its_client_has_left() {
    on_every_runtime(|| async {
        for capacity in [100, 4096, 64 * 1024] {
            let (near, far) = duplex(capacity);
            let service: Arc<Service> = events().into();
            let serving = spawn(serve_connection(far, service.clone()));
            converse(Raw::open(near).await).await;
            serving.await.unwrap();
            assert_eq!((service.connections(), service.hub().sessions()), (0, 0));
        }
    });
}

#[test]
fn the_hook_sees_the_address_that_is_told_of_a_stream() {
    on_every_runtime(|| async {
        let gate = async |request: ConnectRequest| {
            let address =
                request.peer_address().map_or_else(|| "nowhere".into(), |address| address.to_string());
            Err(Rejection::status(403, address))
        };
        let service = Arc::new(Service::new(Router::new()).on_connect(gate));
        for (address, seen) in [(None, "nowhere\n"), (Some(([192, 0, 2, 1], 80).into()), "192.0.2.1:80\n")] {
            let (mut near, far) = duplex(4096);
            spawn(serve_connection(far, service.clone()).with_peer_address(address));
            near.write_all(UPGRADE.as_bytes()).await.unwrap();
            let mut answer = String::new();
            near.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with(seen), "{answer}");
        }
    });
}

/// A stream that keeps what it takes until it is flushed, as one of TLS may.
#[test]
fn what_a_stream_keeps_in_a_buffer_of_its_own_is_sent() {
    on_every_runtime(|| async {
        for capacity in [100, 64 * 1024] {
            let (near, far) = duplex(capacity);
            let serving = spawn(serve_connection(BufStream::with_capacity(4096, 4096, far), events()));
            converse(Raw::open(near).await).await;
            serving.await.unwrap();
        }
    });
}

#[test]
fn a_unix_socket_is_served_and_shares_its_channels_with_the_others() {
    on_every_runtime(|| async {
        let path = std::env::temp_dir().join(format!("stocking-{}.socket", std::process::id()));
        std::fs::remove_file(&path).ok();
        let listener = UnixListener::bind(&path).unwrap();
        let service: Arc<Service> = events().into();
        let server = spawn({
            let service = service.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    spawn(serve_connection(stream, service.clone()));
                }
            }
        });
        let mut member = Raw::open(UnixStream::connect(&path).await.unwrap()).await;
        member.send_text("6,1,news").await;
        member.send_text("3").await;
        assert_eq!(member.next().await.unwrap(), Received::Text("3".into()));
        let (near, far) = duplex(4096);
        spawn(serve_connection(far, service));
        let mut sender = Raw::open(near).await;
        sender.send_text("5,news,hello").await;
        assert_eq!(member.next().await.unwrap(), Received::Text("5,news,hello".into()));
        converse(sender).await;
        converse(member).await;
        server.abort();
        std::fs::remove_file(&path).unwrap();
    });
}

#[test]
fn dropping_what_serves_a_connection_cuts_it() {
    on_every_runtime(|| async {
        let (near, far) = duplex(4096);
        let service: Arc<Service> = events().into();
        let serving = spawn(serve_connection(far, service.clone()));
        let mut client = Raw::open(near).await;
        client.send_text("6,1,news").await;
        client.send_text("3").await;
        assert_eq!(client.next().await.unwrap(), Received::Text("3".into()));
        serving.abort();
        assert_eq!(client.next().await.unwrap(), Received::End);
        assert!(serving.await.unwrap_err().is_cancelled());
        assert_eq!((service.connections(), service.hub().channels()), (0, 0));
    });
}

/// What an HTTP server does: reads the request with whatever comes with it, and answers 101.
async fn upgrade_elsewhere(
    mut stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    service: Arc<Service>,
) {
    let mut read = vec![0; 4096];
    let length = stream.read(&mut read).await.unwrap();
    let leftover = read[UPGRADE.len()..length].to_vec();
    stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await.unwrap();
    serve_upgraded(stream, leftover, Admission::new(service, Ok(Accept::new()))).await;
}

#[test]
fn a_connection_that_was_upgraded_elsewhere_is_greeted_and_its_leftover_bytes_come_first() {
    on_every_runtime(|| async {
        let first = TestClient::text(r#"4,1,{"e":"echo","p":1}"#);
        // The frame came with the request: not at all, in part, whole, and with another behind it.
        for length in [0, 1, first.len() - 1, first.len()] {
            let (mut stream, far) = duplex(4096);
            let service: Arc<Service> = events().into();
            let (with_request, later) = first.split_at(length);
            stream.write_all(&[UPGRADE.as_bytes(), with_request].concat()).await.unwrap();
            let serving = spawn(upgrade_elsewhere(far, service.clone()));
            stream.write_all(later).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let mut client = Raw { stream };
            assert_eq!(client.next().await.unwrap(), Received::Text("0".into()), "{length}");
            let reply = r#"4,1,{"c":-1,"p":1}"#;
            assert_eq!(client.next().await.unwrap(), Received::Text(reply.into()), "{length}");
            converse(client).await;
            serving.await.unwrap();
            assert_eq!(service.connections(), 0);
        }
    });
}
