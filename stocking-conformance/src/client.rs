//! A WebSocket client, whoever made it.

use std::{fmt, net::SocketAddr};

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket, WebSocketError};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

use crate::{raw::upgrade, server::tcp};

/// What a client receives.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Received {
    /// A frame of the protocol.
    Text(String),
    /// The server closes, with this code.
    Close(u16),
    /// The end of the stream, after a close or without one.
    End,
}

/// What every test asks of a client.
#[expect(async_fn_in_trait, reason = "a test runs on one thread")]
pub trait Client: Sized {
    /// Makes a WebSocket of a TCP connection.
    async fn over(stream: TcpStream, address: SocketAddr) -> Self;

    /// Sends one text.
    async fn send(&mut self, text: &str);

    /// Waits for what comes next.
    async fn receive(&mut self) -> Received;

    /// Opens a connection, and checks that the server greets it.
    async fn connect(address: SocketAddr) -> Self {
        let mut client = Self::over(tcp(address).await, address).await;
        assert_eq!(client.text().await, "0", "the first frame");
        client
    }

    /// The next thing that comes, a frame of the protocol.
    async fn text(&mut self) -> String {
        match self.receive().await {
            Received::Text(text) => text,
            other => panic!("not a text: {other:?}"),
        }
    }

    /// Sends one text, and receives one.
    async fn ask(&mut self, text: &str) -> String {
        self.send(text).await;
        self.text().await
    }

    /// Checks that nothing has come, and that the connection lives: the next thing is the answer to a ping.
    async fn expect_silence(&mut self) {
        assert_eq!(self.ask("3").await, "3", "expected silence");
    }

    /// Checks that the next thing is a close with this code, and that the stream ends after it without an error.
    async fn expect_close(&mut self, code: u16) {
        assert_eq!(self.receive().await, Received::Close(code));
        assert_eq!(self.receive().await, Received::End);
    }

    /// Becomes a member of a channel, and waits until it is.
    async fn join(&mut self, channel: &str) {
        self.send(&format!("6,1,{channel}")).await;
        self.expect_silence().await;
    }

    /// The client's id, from an application with the event `id`.
    async fn id(&mut self) -> String {
        let reply = self.ask(r#"4,1,{"e":"id"}"#).await;
        let id = reply.strip_prefix(r#"4,1,{"c":-1,"p":""#).and_then(|rest| rest.strip_suffix(r#""}"#));
        id.expect("a reply with an id").to_owned()
    }
}

/// The client of the crate `fastwebsockets`.
pub struct Fast(FragmentCollector<TcpStream>);

impl Client for Fast {
    async fn over(mut stream: TcpStream, _: SocketAddr) -> Self {
        upgrade(&mut stream).await;
        Self(FragmentCollector::new(WebSocket::after_handshake(stream, Role::Client)))
    }

    async fn send(&mut self, text: &str) {
        let payload = Payload::Owned(text.as_bytes().to_vec());
        self.0.write_frame(Frame::text(payload)).await.unwrap();
    }

    async fn receive(&mut self) -> Received {
        match self.0.read_frame().await {
            Ok(frame) => match frame.opcode {
                OpCode::Text => Received::Text(String::from_utf8(frame.payload.to_vec()).unwrap()),
                OpCode::Close => match frame.payload.first_chunk() {
                    Some(code) => Received::Close(u16::from_be_bytes(*code)),
                    None => Received::Close(1005),
                },
                other => panic!("a server of text sent {other:?}"),
            },
            Err(WebSocketError::UnexpectedEOF) => Received::End,
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Debug for Fast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fast").finish_non_exhaustive()
    }
}

/// The client of the crate `tokio-websockets`.
#[derive(Debug)]
pub struct TokioWebsockets {
    stream: WebSocketStream<TcpStream>,
}

impl Client for TokioWebsockets {
    async fn over(stream: TcpStream, address: SocketAddr) -> Self {
        let uri = format!("ws://{address}/ws");
        let (stream, _) = ClientBuilder::new().uri(&uri).unwrap().connect_on(stream).await.unwrap();
        Self { stream }
    }

    async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text.to_owned())).await.unwrap();
    }

    async fn receive(&mut self) -> Received {
        match self.stream.next().await {
            Some(Ok(message)) => match (message.as_text(), message.as_close()) {
                (Some(text), _) => Received::Text(text.to_owned()),
                (None, Some((code, _))) => Received::Close(code.into()),
                (None, None) if message.is_ping() || message.is_pong() => Box::pin(self.receive()).await,
                (None, None) => panic!("a server of text sent {message:?}"),
            },
            Some(Err(error)) => panic!("{error}"),
            None => Received::End,
        }
    }
}
