//! fastwebsockets on hyper, as its examples write it, with the broadcast channel of tokio.

use std::net::TcpListener;

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, WebSocketError, upgrade};
use http_body_util::Empty;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{runtime::Builder, sync::broadcast};

use super::{BACKLOG, Options};
use crate::Result;

pub(super) fn run(listener: TcpListener, _: Options) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let news = broadcast::Sender::new(BACKLOG);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let news = news.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| server_upgrade(request, news.clone()));
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await
            });
        }
    })
}

async fn server_upgrade(
    mut request: Request<Incoming>,
    news: broadcast::Sender<Bytes>,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade::upgrade(&mut request)?;
    let path = request.uri().path().to_owned();
    tokio::spawn(tokio::task::unconstrained(async move {
        // Boxed apart, so that those who echo do not pay for what subscribers keep.
        match path.as_str() {
            "/subscribe" => Box::pin(subscribe(upgraded, news)).await,
            "/publish" => Box::pin(publish(upgraded, news)).await,
            _ => Box::pin(echo(upgraded)).await,
        }
    }));
    Ok(response)
}

async fn echo(upgraded: upgrade::UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

async fn publish(
    upgraded: upgrade::UpgradeFut,
    news: broadcast::Sender<Bytes>,
) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text => drop(news.send(Bytes::copy_from_slice(&frame.payload))),
            _ => {}
        }
    }
}

/// It only writes: `read_frame` may not be dropped half-way, which `select!` would do.
async fn subscribe(
    upgraded: upgrade::UpgradeFut,
    news: broadcast::Sender<Bytes>,
) -> Result<(), WebSocketError> {
    let mut socket = upgraded.await?;
    let mut subscription = news.subscribe();
    socket.write_frame(Frame::text(Payload::Borrowed(b"joined"))).await?;
    while let Ok(text) = subscription.recv().await {
        socket.write_frame(Frame::text(Payload::Borrowed(&text))).await?;
    }
    Ok(())
}
