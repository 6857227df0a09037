//! axum, as its documentation writes it, with the broadcast channel of tokio: with its defaults, and with a read buffer of 4 KiB
//! in place of 128.

use std::net::TcpListener;

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
    routing::any,
    serve::ListenerExt as _,
};
use tokio::{runtime::Builder, sync::broadcast};

use super::{BACKLOG, Options};
use crate::Result;

#[derive(Clone)]
struct Shared {
    news: broadcast::Sender<Message>,
    read_buffer: Option<usize>,
}

impl Shared {
    fn tune(&self, upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
        match self.read_buffer {
            Some(size) => upgrade.read_buffer_size(size),
            None => upgrade,
        }
    }
}

pub(super) fn defaults(listener: TcpListener, _: Options) -> Result<()> {
    run(listener, None)
}

pub(super) fn tuned(listener: TcpListener, _: Options) -> Result<()> {
    run(listener, Some(4096))
}

fn run(listener: TcpListener, read_buffer: Option<usize>) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?
            .tap_io(|stream| stream.set_nodelay(true).unwrap_or_default());
        let application = Router::new()
            .route("/echo", any(echo))
            .route("/subscribe", any(subscribe))
            .route("/publish", any(publish))
            .with_state(Shared { news: broadcast::Sender::new(BACKLOG), read_buffer });
        Ok(axum::serve(listener, application).await?)
    })
}

async fn echo(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    shared.tune(upgrade).on_upgrade(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

async fn subscribe(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let mut news = shared.news.subscribe();
    shared.tune(upgrade).on_upgrade(async move |mut socket: WebSocket| {
        let mut sent = socket.send(Message::text("joined")).await;
        while sent.is_ok() {
            tokio::select! {
                message = news.recv() => match message {
                    Ok(message) => sent = socket.send(message).await,
                    Err(_) => return,
                },
                message = socket.recv() => if message.is_none() { return },
            }
        }
    })
}

async fn publish(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let news = shared.news.clone();
    shared.tune(upgrade).on_upgrade(async move |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.recv().await {
            news.send(message).ok();
        }
    })
}
