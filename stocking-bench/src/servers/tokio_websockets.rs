//! tokio-websockets, as its examples write it, with the broadcast channel of tokio.

use std::net::TcpListener;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{net::TcpStream, runtime::Builder, sync::broadcast};
use tokio_websockets::{Error, Message, ServerBuilder};

use super::{BACKLOG, Options};
use crate::Result;

pub(super) fn run(listener: TcpListener, _: Options) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let news = broadcast::Sender::new(BACKLOG);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(connection(stream, news.clone()));
        }
    })
}

async fn connection(stream: TcpStream, news: broadcast::Sender<Message>) -> Result<(), Error> {
    let (request, mut socket) = ServerBuilder::new().accept(stream).await?;
    match request.uri().path() {
        "/subscribe" => {
            let mut subscription = news.subscribe();
            socket.send(Message::text("joined")).await?;
            loop {
                tokio::select! {
                    message = subscription.recv() => match message {
                        Ok(message) => socket.send(message).await?,
                        Err(_) => return Ok(()),
                    },
                    message = socket.next() => if message.is_none() { return Ok(()) },
                }
            }
        }
        "/publish" => {
            while let Some(message) = socket.next().await {
                news.send(message?).ok();
            }
        }
        _ => {
            while let Some(message) = socket.next().await {
                socket.send(message?).await?;
            }
        }
    }
    Ok(())
}
