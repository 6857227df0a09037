//! Streams that were accepted elsewhere, those of each runtime, on the executor that the features say.

#![cfg(any(feature = "async-std", feature = "smol"))]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    future::{Future, poll_fn},
    io::{Read, Write},
    net,
    pin::Pin,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use futures_util::{future::abortable, io::BufWriter};
use stocking_async_std::{
    Accept, Admission, AsyncIo, Config, ConnectRequest, Context, Rejection, Result, Router, Service, drain,
    driver::Runtime, serve_connection, serve_upgraded,
};
use stocking_core::testing::TestClient;

/// Longer than anything takes here: what waits for so long has hung.
const HUNG: Duration = Duration::from_secs(60);

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Two ends of a TCP connection; reading gives up when it hangs.
fn tcp() -> (net::TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    near.set_read_timeout(Some(HUNG)).unwrap();
    let (far, _) = listener.accept().unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

#[cfg(unix)]
fn unix() -> (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream) {
    let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
    near.set_read_timeout(Some(HUNG)).unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

/// Makes each promise a test on each kind of stream.
macro_rules! promises_on {
    ($($(#[$when:meta])* $name:ident: $pair:expr, $stream:expr;)*) => { $(
        $(#[$when])*
        mod $name {
            promises_on!(@ $pair, $stream,
                who_was_accepted_elsewhere_is_served,
                who_closes_tells_its_peer_of_the_end_and_still_reads,
                who_says_goodbye_is_answered_and_told_of_the_end,
                what_came_with_a_request_that_was_answered_elsewhere_is_not_lost,
                drain_tells_everybody_and_returns_when_they_have_gone,
                the_hook_sees_the_address_that_is_told_of_a_stream,
                dropping_what_serves_a_connection_cuts_it,
                what_a_stream_keeps_in_a_buffer_of_its_own_is_sent,
            );
        }
    )* };
    (@ $pair:expr, $stream:expr, $($promise:ident,)*) => {
        $( #[test] fn $promise() { let (near, far) = $pair; super::$promise(near, $stream(far)); } )*
    };
}

promises_on! {
    #[cfg(feature = "async-std")]
    tcp_of_async_std: crate::tcp(), |far| stocking_async_std::AsyncStd(async_std::net::TcpStream::from(far));
    #[cfg(all(feature = "async-std", unix))]
    unix_of_async_std: crate::unix(), |far| {
        stocking_async_std::AsyncStd(async_std::os::unix::net::UnixStream::from(far))
    };
    #[cfg(feature = "smol")]
    tcp_of_smol: crate::tcp(), |far| smol::net::TcpStream::try_from(far).unwrap();
    #[cfg(all(feature = "smol", unix))]
    unix_of_smol: crate::unix(), |far| smol::net::unix::UnixStream::try_from(far).unwrap();
}

/// Waits for a timer, so that it is a task which answers.
async fn slow(_: Context, text: String) -> Result<String> {
    AsyncIo::default().sleep_until(std::time::Instant::now() + Duration::from_millis(1)).await;
    Ok(text)
}

/// Nothing here ends because its time is over.
fn service() -> Arc<Service> {
    let patient = Config::new().close_timeout(HUNG * 2).drain_timeout(HUNG * 2);
    Service::new(Router::new().on("slow", slow)).with_config(patient).into()
}

/// Runs a task, and tells its end.
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Receiver<()> {
    let (end, ended) = channel();
    AsyncIo::default().spawn(async move {
        task.await;
        end.send(()).unwrap();
    });
    ended
}

/// A text, or the code of a close.
fn frame(stream: &mut impl Read) -> String {
    let mut header = [0; 2];
    stream.read_exact(&mut header).unwrap();
    let mut payload = vec![0; header[1].into()];
    stream.read_exact(&mut payload).unwrap();
    match header[0] {
        0x81 => String::from_utf8(payload).unwrap(),
        0x88 => format!("close {}", u16::from_be_bytes([payload[0], payload[1]])),
        other => panic!("no frame of ours begins with {other:#x}"),
    }
}

fn open(stream: &mut (impl Read + Write)) {
    stream.write_all(UPGRADE).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(0);
        stream.read_exact(head.last_mut().map(std::slice::from_mut).unwrap()).unwrap();
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    assert_eq!(frame(stream), "0");
}

fn ask(stream: &mut (impl Read + Write), text: &str) -> String {
    stream.write_all(&TestClient::text(text)).unwrap();
    frame(stream)
}

/// Answers a close, and sees the end of the stream, with its own end still open.
fn close(stream: &mut (impl Read + Write), code: u16) {
    assert_eq!(frame(stream), format!("close {code}"));
    stream.write_all(&TestClient::frame(0x88, &code.to_be_bytes())).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the end");
}

/// What `serve_connection` takes.
trait Stream: futures_io::AsyncRead + futures_io::AsyncWrite + Send + Unpin + 'static {}

impl<S: futures_io::AsyncRead + futures_io::AsyncWrite + Send + Unpin + 'static> Stream for S {}

fn who_was_accepted_elsewhere_is_served(mut near: impl Read + Write, far: impl Stream) {
    let ended = spawn(serve_connection(far, service()));
    open(&mut near);
    assert_eq!(ask(&mut near, r#"4,1,{"e":"slow","p":"doge"}"#), r#"4,1,{"c":-1,"p":"doge"}"#);
    drop(near);
    ended.recv_timeout(HUNG).unwrap();
}

/// What a server asks of a stream: it has said all, and waits for its peer to end too.
fn who_closes_tells_its_peer_of_the_end_and_still_reads(mut near: impl Read + Write, mut far: impl Stream) {
    async_io::block_on(async {
        poll_fn(|cx| Pin::new(&mut far).poll_close(cx)).await.unwrap();
        assert_eq!(near.read(&mut [0]).unwrap(), 0, "the end");
        near.write_all(b"?").unwrap();
        let mut heard = [0; 2];
        assert_eq!(poll_fn(|cx| Pin::new(&mut far).poll_read(cx, &mut heard)).await.unwrap(), 1);
        drop(near);
        assert_eq!(poll_fn(|cx| Pin::new(&mut far).poll_read(cx, &mut heard)).await.unwrap(), 0);
    });
}

fn who_says_goodbye_is_answered_and_told_of_the_end(mut near: impl Read + Write, far: impl Stream) {
    let service = service();
    let ended = spawn(serve_connection(far, service.clone()));
    open(&mut near);
    near.write_all(&TestClient::text("2")).unwrap();
    close(&mut near, 1000);
    drop(near);
    ended.recv_timeout(HUNG).unwrap();
    assert_eq!(service.connections(), 0);
}

fn what_came_with_a_request_that_was_answered_elsewhere_is_not_lost(
    mut near: impl Read + Write,
    far: impl Stream,
) {
    let leftover = TestClient::text(r#"4,1,{"e":"slow","p":"early"}"#);
    let ended = spawn(serve_upgraded(far, leftover, Admission::new(service(), Ok(Accept::new()))));
    assert_eq!(frame(&mut near), "0");
    assert_eq!(frame(&mut near), r#"4,1,{"c":-1,"p":"early"}"#);
    assert_eq!(ask(&mut near, "3"), "3");
    drop(near);
    ended.recv_timeout(HUNG).unwrap();
}

fn drain_tells_everybody_and_returns_when_they_have_gone(mut near: impl Read + Write, far: impl Stream) {
    let service = service();
    let ended = spawn(serve_connection(far, service.clone()));
    open(&mut near);
    assert_eq!(ask(&mut near, "3"), "3");
    let drained = spawn(async move { drain(&service).await });
    assert_eq!(frame(&mut near), "2");
    close(&mut near, 1001);
    drop(near);
    drained.recv_timeout(HUNG).unwrap();
    ended.recv_timeout(HUNG).unwrap();
}

fn the_hook_sees_the_address_that_is_told_of_a_stream(mut near: impl Read + Write, far: impl Stream) {
    let service = Service::new(Router::new()).on_connect(async |request: ConnectRequest| {
        Err(Rejection::status(403, format!("{:?}", request.peer_address())))
    });
    let address = "192.0.2.1:80".parse().unwrap();
    let ended = spawn(serve_connection(far, service).with_peer_address(Some(address)));
    near.write_all(UPGRADE).unwrap();
    let mut answer = String::new();
    near.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nSome(192.0.2.1:80)\n"), "{answer}");
    drop(near);
    ended.recv_timeout(HUNG).unwrap();
}

fn dropping_what_serves_a_connection_cuts_it(mut near: impl Read + Write, far: impl Stream) {
    let service = service();
    let (serving, handle) = abortable(serve_connection(far, service.clone()));
    let ended = spawn(async {
        serving.await.unwrap_err();
    });
    open(&mut near);
    assert_eq!(ask(&mut near, "3"), "3");
    handle.abort();
    assert_eq!(near.read(&mut [0]).unwrap(), 0, "the end");
    ended.recv_timeout(HUNG).unwrap();
    assert_eq!((service.connections(), service.hub().sessions()), (0, 0));
}

fn what_a_stream_keeps_in_a_buffer_of_its_own_is_sent(mut near: impl Read + Write, far: impl Stream) {
    let ended = spawn(serve_connection(BufWriter::new(far), service()));
    open(&mut near);
    assert_eq!(ask(&mut near, r#"4,1,{"e":"slow","p":"doge"}"#), r#"4,1,{"c":-1,"p":"doge"}"#);
    drop(near);
    ended.recv_timeout(HUNG).unwrap();
}
