//! All clients of a server lose it at once, and all come back.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use stocking_conformance::HUNG;
use stocking_core::{
    Client, ClientEvent, Router, Service,
    client::{ClientBuilder, UrlError},
};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::Barrier,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// Accepts connections that can be cut all at once.
async fn serve(listener: TcpListener, service: Arc<Service>, connections: Arc<Mutex<Vec<JoinHandle<()>>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let connection = tokio::spawn(stocking_tokio::serve_connection(stream, service.clone()));
        connections.lock().push(connection);
    }
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

fn all_come_back_and_resume(clients: usize, connect: impl Fn(ClientBuilder) -> Result<Client, UrlError>) {
    Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws", listener.local_addr().unwrap());
        let service: Arc<Service> = Router::new().into();
        let connections = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, service.clone(), connections.clone()));
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
    all_come_back_and_resume(300, stocking_tokio::connect);
}

#[test]
fn all_come_back_and_resume_on_async_std() {
    all_come_back_and_resume(300, stocking_async_std::connect);
}

#[test]
#[ignore = "needs 10,000 descriptors"]
fn five_thousand_come_back_and_resume_on_tokio() {
    all_come_back_and_resume(5000, stocking_tokio::connect);
}

#[test]
#[ignore = "needs 10,000 descriptors"]
fn five_thousand_come_back_and_resume_on_async_std() {
    all_come_back_and_resume(5000, stocking_async_std::connect);
}
