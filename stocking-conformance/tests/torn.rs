//! Clients and a server of ours on every runtime, over real sockets, through a network that breaks all the time.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    collections::BTreeMap,
    net::{self, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use stocking_async_std::AsyncIo;
use stocking_core::{
    Client, ClientConfig, ClientEvent, Router,
    client::{ClientBuilder, End, UrlError},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::Barrier,
    task::JoinSet,
    time::{sleep, timeout},
};

/// What is tried.
#[derive(Clone, Copy)]
struct Trial {
    clients: usize,
    /// That each of them sends.
    messages: usize,
    /// Between two messages of one client.
    pause: Duration,
    /// What a connection lives for at most; on average half of it.
    lifetime: Duration,
    /// What waits for so long has hung.
    hung: Duration,
}

/// Cheap enough for every day.
const DAILY: Trial = Trial {
    clients: 20,
    messages: 100,
    pause: Duration::from_millis(20),
    lifetime: Duration::from_millis(500),
    hung: Duration::from_secs(60),
};

/// 200 clients, each cut every 2 s, and 100 messages a second in their channel, for a minute.
const LONG: Trial = Trial {
    clients: 200,
    messages: 30,
    pause: Duration::from_secs(2),
    lifetime: Duration::from_secs(4),
    hung: Duration::from_secs(180),
};

/// A generator of numbers that are random enough to cut by.
#[derive(Clone)]
struct Random(Arc<AtomicUsize>);

impl Random {
    fn below(&self, limit: usize) -> usize {
        let state = self.0.fetch_add(0x9e37_79b9, Ordering::Relaxed).wrapping_mul(0x2545_f491_4f6c_dd1d);
        (state >> 20) % limit
    }
}

/// Passes bytes on, and cuts every connection after a while: at once, or after it has passed nothing on for some time.
async fn tear(listener: TcpListener, server: SocketAddr, trial: Trial, cuts: Arc<AtomicUsize>) {
    let random = Random(Arc::new(AtomicUsize::new(7)));
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let (random, cuts) = (random.clone(), cuts.clone());
        tokio::spawn(async move {
            let mut far = TcpStream::connect(server).await.unwrap();
            let lifetime =
                Duration::from_millis(20 + random.below(trial.lifetime.as_millis() as usize) as u64);
            if timeout(lifetime, copy_bidirectional(&mut near, &mut far)).await.is_err() {
                cuts.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(random.below(200) as u64)).await;
            }
        });
    }
}

/// What one client hears until it has heard everything: from each of the others, in order.
async fn hear(client: Client, joined: Arc<Barrier>, number: usize, trial: Trial) {
    let mut events = client.events();
    let mut channel = client.join("news").await.unwrap();
    joined.wait().await;
    let mut heard = BTreeMap::<usize, usize>::new();
    for message in 0..trial.messages {
        channel.send(&format!("{number} {message}")).unwrap();
        sleep(trial.pause).await;
    }
    while heard.len() < trial.clients - 1 || heard.values().any(|count| *count < trial.messages) {
        let message = channel.next().await.unwrap().unwrap();
        let (sender, count) = message.split_once(' ').unwrap();
        let expected = heard.entry(sender.parse().unwrap()).or_default();
        assert_eq!(count.parse::<usize>().unwrap(), *expected, "from {sender} to {number}");
        *expected += 1;
    }
    while let Some(Some(event)) = events.next().now_or_never() {
        assert!(!matches!(event, ClientEvent::Reset(_) | ClientEvent::Error(_)), "{event:?}");
    }
    // Nobody leaves before everybody has heard it all.
    joined.wait().await;
    assert_eq!(client.close().await, End::Left);
}

/// Serves on a runtime, for as long as the process lives.
type Serve = fn(net::TcpListener);

fn serve_on_tokio(listener: net::TcpListener) {
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(stocking_tokio::serve(listener, Router::new()).into_future());
}

fn serve_on_async_std(listener: net::TcpListener) {
    let listener = async_std::net::TcpListener::from(listener);
    async_std::task::spawn(async { stocking_async_std::serve(listener, Router::new()).await });
}

fn serve_on_smol(listener: net::TcpListener) {
    let listener = async_net::TcpListener::try_from(listener).unwrap();
    smol::spawn(async { stocking_async_std::serve(listener, Router::new()).await }).detach();
}

fn everything_is_heard_once_and_in_order(
    trial: Trial,
    serve: Serve,
    connect: impl Fn(ClientBuilder) -> Result<Client, UrlError>,
) {
    Runtime::new().unwrap().block_on(async {
        let cuts = Arc::new(AtomicUsize::new(0));
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = listener.local_addr().unwrap();
        serve(listener);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws", listener.local_addr().unwrap());
        tokio::spawn(tear(listener, server, trial, cuts.clone()));

        let joined = Arc::new(Barrier::new(trial.clients));
        let config = ClientConfig::new()
            .backoff_min(Duration::from_millis(10))
            .backoff_max(Duration::from_millis(100))
            .close_timeout(trial.hung);
        let mut clients = JoinSet::new();
        for number in 0..trial.clients {
            let client = connect(Client::builder(&url).config(config.clone())).unwrap();
            clients.spawn(hear(client, joined.clone(), number, trial));
        }
        timeout(trial.hung, clients.join_all()).await.expect("it hangs");
        let cuts = cuts.load(Ordering::Relaxed);
        println!("{} messages heard, over {cuts} cuts", trial.clients * (trial.clients - 1) * trial.messages);
        assert!(cuts > trial.clients, "{cuts} cuts show nothing");
    });
}

#[test]
fn everything_is_heard_once_and_in_order_on_tokio() {
    everything_is_heard_once_and_in_order(DAILY, serve_on_tokio, stocking_tokio::connect);
}

#[test]
fn everything_is_heard_once_and_in_order_on_async_std() {
    everything_is_heard_once_and_in_order(DAILY, serve_on_async_std, stocking_async_std::connect);
}

#[test]
fn everything_is_heard_once_and_in_order_on_smol() {
    let connect = |to| stocking_async_std::connect_on(AsyncIo::smol(), to);
    everything_is_heard_once_and_in_order(DAILY, serve_on_smol, connect);
}

#[test]
#[ignore = "takes more than a minute"]
fn everything_is_heard_for_a_minute_on_tokio() {
    everything_is_heard_once_and_in_order(LONG, serve_on_tokio, stocking_tokio::connect);
}

#[test]
#[ignore = "takes more than a minute"]
fn everything_is_heard_for_a_minute_on_async_std() {
    everything_is_heard_once_and_in_order(LONG, serve_on_async_std, stocking_async_std::connect);
}
