//! A WebSocket client in memory, which can also say what no real client would.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Pipe, TestRuntime};

/// What a client received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// A text message: a frame of the protocol.
    Text(String),
    /// A WebSocket ping.
    Ping(Vec<u8>),
    /// A WebSocket pong.
    Pong(Vec<u8>),
    /// The server closes, with this code and reason.
    Close(u16, String),
    /// The end of the stream.
    End,
}

impl Message {
    /// Takes one whole message off the front of what a server wrote: for tests that drive a
    /// [`Connection`](crate::Connection) themselves.
    ///
    /// # Panics
    ///
    /// If it is what no server may send.
    #[must_use]
    pub fn take(rest: &mut &[u8]) -> Option<Self> {
        let (header, length) = match **rest {
            [_, length @ 0..126, ..] => (2, usize::from(length)),
            [_, 126, a, b, ..] => (4, usize::from(u16::from_be_bytes([a, b]))),
            [_, 127, 0, 0, 0, 0, a, b, c, d, ..] => (10, u32::from_be_bytes([a, b, c, d]) as usize),
            [_, 128..=255, ..] => panic!("a server does not mask"),
            _ => return None,
        };
        let payload = rest.get(header..header + length)?.to_vec();
        let first = rest[0];
        *rest = &rest[header + length..];
        Some(match first {
            0x81 => Self::Text(String::from_utf8(payload).expect("a text message is UTF-8")),
            0x89 => Self::Ping(payload),
            0x8a => Self::Pong(payload),
            0x88 => match payload.split_first_chunk() {
                Some((code, reason)) => {
                    Self::Close(u16::from_be_bytes(*code), String::from_utf8_lossy(reason).into_owned())
                }
                None => Self::Close(1005, String::new()),
            },
            _ => panic!("no server's frame begins with {first:#x}"),
        })
    }
}

/// A client of a [`TestServer`](super::TestServer). It answers nothing by itself.
#[derive(Clone, Debug)]
pub struct TestClient {
    runtime: TestRuntime,
    pipe: Pipe,
    unread: Arc<Mutex<Vec<u8>>>,
}

impl TestClient {
    pub(super) fn new(runtime: TestRuntime, pipe: Pipe) -> Self {
        Self { runtime, pipe, unread: Arc::default() }
    }

    /// Sends a text message.
    pub fn send(&self, text: &str) {
        self.pipe.send(&Self::text(text));
    }

    /// Sends several text messages in one go: the server reads them all at once.
    pub fn send_all<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) {
        self.pipe.send(&texts.into_iter().flat_map(|text| Self::text(text.as_ref())).collect::<Vec<_>>());
    }

    /// Sends a text message, and receives the [`texts`](Self::texts) that come of it, and any that came before.
    ///
    /// # Panics
    ///
    /// If anything else has come.
    #[must_use]
    #[track_caller]
    pub fn ask(&self, text: &str) -> Vec<String> {
        self.send(text);
        self.texts()
    }

    /// Sends bytes as they are: frames that were put together by hand, or none.
    pub fn send_bytes(&self, bytes: &[u8]) {
        self.pipe.send(bytes);
    }

    /// A text message as it goes over the wire: to send several at once, or one in pieces.
    #[must_use]
    pub fn text(text: &str) -> Vec<u8> {
        Self::frame(0x81, text.as_bytes())
    }

    /// A masked frame whose first byte is `first`: FIN bit, reserved bits, and opcode (RFC 6455, section 5.2).
    #[must_use]
    pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length @ 126..65536 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(KEY);
        frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    }

    /// Everything that has come, once the server has nothing more to do.
    ///
    /// # Panics
    ///
    /// If the server sent what no server may send.
    #[must_use]
    pub fn receive(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            self.runtime.run();
            let bytes = self.pipe.receive(usize::MAX);
            if bytes.is_empty() {
                break;
            }
            let mut unread = self.unread.lock();
            unread.extend(bytes);
            let mut rest = &unread[..];
            while let Some(message) = Message::take(&mut rest) {
                messages.push(message);
            }
            let used = unread.len() - rest.len();
            unread.drain(..used);
        }
        if self.pipe.has_ended() {
            messages.push(Message::End);
        }
        messages
    }

    /// The text messages of [`receive`](Self::receive).
    ///
    /// # Panics
    ///
    /// If anything else has come.
    #[must_use]
    #[track_caller]
    pub fn texts(&self) -> Vec<String> {
        let only_text = |message| match message {
            Message::Text(text) => text,
            other => panic!("not a text: {other:?}"),
        };
        self.receive().into_iter().map(only_text).collect()
    }

    /// Reads `limit` bytes as they are.
    #[must_use]
    pub fn receive_bytes(&self, limit: usize) -> Vec<u8> {
        self.runtime.run();
        self.pipe.receive(limit)
    }

    /// Goes without a word.
    pub fn disconnect(&self) {
        self.pipe.shut_down();
    }
}
