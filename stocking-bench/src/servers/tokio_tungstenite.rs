//! tokio-tungstenite, with the broadcast channel of tokio. Its read buffer is 4 KiB and not 128: by default it pays for clearing
//! that at every read, and keeps it for every connection.

use std::net::TcpListener;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{net::TcpStream, runtime::Builder, sync::broadcast};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        Error, Message,
        handshake::server::{ErrorResponse, Request, Response},
        protocol::WebSocketConfig,
    },
};

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
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the signature is the library's")]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        request.uri().path().clone_into(&mut path);
        Ok(response)
    };
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let mut socket = accept_hdr_async_with_config(stream, look, Some(config)).await?;
    match path.as_str() {
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
