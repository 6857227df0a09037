//! All clients of a server lose it at once, and all come back.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{net, sync::Arc, time::Instant};

use futures_util::{
    StreamExt,
    future::{AbortHandle, abortable},
};
use parking_lot::Mutex;
use stocking_conformance::HUNG;
use stocking_core::{
    Client, ClientEvent, Router, Service,
    client::{ClientBuilder, UrlError},
};
use tokio::{runtime::Runtime, sync::Barrier, task::JoinSet, time::timeout};

/// Connections that can be cut all at once.
type Connections = Arc<Mutex<Vec<AbortHandle>>>;

/// Accepts connections on a runtime, for as long as the process lives.
type Serve = fn(net::TcpListener, Arc<Service>, Connections);

fn serve_on_tokio(listener: net::TcpListener, service: Arc<Service>, connections: Connections) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (connection, handle) = abortable(stocking_tokio::serve_connection(stream, service.clone()));
            connections.lock().push(handle);
            tokio::spawn(connection);
        }
    });
}

fn serve_on_async_std(listener: net::TcpListener, service: Arc<Service>, connections: Connections) {
    let listener = async_std::net::TcpListener::from(listener);
    async_std::task::spawn(async move {
        while let Some(stream) = listener.incoming().next().await {
            let connection = stocking_async_std::serve_connection(stream.unwrap(), service.clone());
            let (connection, handle) = abortable(connection);
            connections.lock().push(handle);
            async_std::task::spawn(connection);
        }
    });
}

/// Waits for the session, and for its resumption.
async fn come_back(client: Client, met: Arc<Barrier>) {
    let mut events = client.events();
    client.connected().await.unwrap();
    met.wait().await;
    // The cut.
    met.wait().await;
    loop {
        match events.next().await.unwrap() {
            ClientEvent::Resumed => break,
            ClientEvent::Reset(reset) => panic!("{reset:?}"),
            _ => {}
        }
    }
    met.wait().await;
    client.close().await;
}

fn all_come_back_and_resume(
    clients: usize,
    serve: Serve,
    connect: impl Fn(ClientBuilder) -> Result<Client, UrlError>,
) {
    Runtime::new().unwrap().block_on(async {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("ws://{}/ws", listener.local_addr().unwrap());
        let service: Arc<Service> = Router::new().into();
        let connections = Arc::new(Mutex::new(Vec::new()));
        serve(listener, service.clone(), connections.clone());
        let met = Arc::new(Barrier::new(clients + 1));
        let mut waiting = JoinSet::new();
        for _ in 0..clients {
            waiting.spawn(come_back(connect(Client::builder(&url)).unwrap(), met.clone()));
        }
        let story = async {
            met.wait().await;
            let lost: Vec<_> = std::mem::take(&mut *connections.lock());
            assert_eq!(service.hub().sessions(), clients);
            met.wait().await;
            for connection in &lost {
                connection.abort();
            }
            let began = Instant::now();
            met.wait().await;
            println!("{clients} sessions were back after {:?}", began.elapsed());
            waiting.join_all().await;
        };
        timeout(HUNG, story).await.expect("it hangs");
    });
}

#[test]
fn all_come_back_and_resume_on_tokio() {
    all_come_back_and_resume(300, serve_on_tokio, stocking_tokio::connect);
}

#[test]
fn all_come_back_and_resume_on_async_std() {
    all_come_back_and_resume(300, serve_on_async_std, stocking_async_std::connect);
}

#[test]
#[ignore = "needs 10,000 descriptors"]
fn five_thousand_come_back_and_resume_on_tokio() {
    all_come_back_and_resume(5000, serve_on_tokio, stocking_tokio::connect);
}

#[test]
#[ignore = "needs 10,000 descriptors"]
fn five_thousand_come_back_and_resume_on_async_std() {
    all_come_back_and_resume(5000, serve_on_async_std, stocking_async_std::connect);
}
