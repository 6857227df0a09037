//! A client by hand: it answers nothing by itself, and may say what no client should.

use std::{io, net::SocketAddr};

use stocking_core::testing::TestClient;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Client, Received};

/// A request that is accepted.
pub const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Asks for a WebSocket, and reads the answer and nothing beyond it.
pub async fn upgrade(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
}

/// A WebSocket client on any stream.
#[derive(Debug)]
pub struct Raw<S = TcpStream> {
    /// What it speaks on.
    pub stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// Upgrades a stream, and checks that the server greets it.
    pub async fn open(mut stream: S) -> Self {
        upgrade(&mut stream).await;
        let mut client = Self { stream };
        assert_eq!(client.next().await.unwrap(), Received::Text("0".into()));
        client
    }

    /// Sends bytes as they are.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends one text.
    pub async fn send_text(&mut self, text: &str) {
        self.send_bytes(&TestClient::text(text)).await;
    }

    /// The next text or close, or the end. Pings go unanswered.
    pub async fn next(&mut self) -> io::Result<Received> {
        loop {
            let mut first = [0];
            if self.stream.read(&mut first).await? == 0 {
                return Ok(Received::End);
            }
            let length = match self.stream.read_u8().await? {
                126 => u64::from(self.stream.read_u16().await?),
                127 => self.stream.read_u64().await?,
                length => u64::from(length),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await?;
            match first[0] {
                0x81 => return Ok(Received::Text(String::from_utf8(payload).unwrap())),
                0x88 => {
                    let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    return Ok(Received::Close(code));
                }
                0x89 | 0x8a => {}
                other => panic!("no server's frame begins with {other:#x}"),
            }
        }
    }
}

impl Client for Raw {
    async fn over(mut stream: TcpStream, _: SocketAddr) -> Self {
        upgrade(&mut stream).await;
        Self { stream }
    }

    async fn send(&mut self, text: &str) {
        self.send_text(text).await;
    }

    async fn receive(&mut self) -> Received {
        self.next().await.expect("no reset")
    }
}
