//! WebSocket (RFC 6455) as a client sees it. tungstenite verifies the answer to the upgrade and reads the server's frames;
//! what is written is a header, a mask and the text.

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use http::{
    HeaderMap, Request, Version,
    header::{CONNECTION, HOST, RETRY_AFTER, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
};
use tungstenite::{
    Error, Message, Utf8Bytes,
    handshake::{HandshakeError, MidHandshake, client::ClientHandshake},
    protocol::{
        Role, WebSocketConfig, WebSocketContext,
        frame::{
            FrameHeader,
            coding::{Control, Data, OpCode},
        },
    },
};

use super::{error::Disconnect, random::Random, target::UpgradeTarget};
use crate::websocket::{Violation, mask};

/// Bytes of the answer to the upgrade. A server of ours needs 150; proxies and their cookies need more.
const MAX_HEAD: usize = 16 * 1024;

/// What is kept of a refusal's body.
const MAX_BODY: usize = 200;

/// Bytes that tungstenite reads at once. They are allocated for as long as the connection lives.
const READ: usize = 1024;

/// The answer to an upgrade request, as far as it has come.
pub(super) struct Upgrade {
    handshake: MidHandshake<ClientHandshake<Memory>>,
    head: Vec<u8>,
    searched: usize,
}

/// What has come of an upgrade.
pub(super) enum Upgraded {
    /// The end of the answer has not come.
    Incomplete(Box<Upgrade>),
    /// The WebSocket is open; these are its first bytes.
    Open(Vec<u8>),
    /// There is no WebSocket.
    Refused(Disconnect),
}

impl Upgrade {
    /// Writes the request.
    pub(super) fn request(
        target: &UpgradeTarget,
        random: &mut Random,
        output: &mut Vec<u8>,
    ) -> Result<Box<Self>, Disconnect> {
        let mut request = Request::builder()
            .uri(target.uri.clone())
            .version(Version::HTTP_11)
            .header(HOST, target.host.clone())
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, key(random.bytes()))
            .body(())
            .map_err(|error| Disconnect::NotAWebSocket(error.to_string()))?;
        request.headers_mut().extend(target.headers.clone());
        let begun = ClientHandshake::start(Memory::default(), request, None)
            .map_err(|error| Disconnect::NotAWebSocket(error.to_string()))?;
        match begun.handshake() {
            Err(HandshakeError::Interrupted(mut handshake)) => {
                output.append(&mut handshake.get_mut().get_mut().output);
                Ok(Box::new(Self { handshake, head: Vec::new(), searched: 0 }))
            }
            Err(HandshakeError::Failure(error)) => Err(Disconnect::NotAWebSocket(error.to_string())),
            Ok(_) => Err(Disconnect::NotAWebSocket("no answer was needed".into())),
        }
    }

    /// Takes what has come. tungstenite sees the answer when it is whole: it takes many small pieces for an attack.
    pub(super) fn read(mut self: Box<Self>, input: &[u8]) -> Upgraded {
        self.head.extend_from_slice(input);
        let from = self.searched.saturating_sub(3);
        let unsearched = self.head.get(from..).unwrap_or_default();
        let Some(end) = unsearched.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            self.searched = self.head.len();
            return if self.head.len() > MAX_HEAD {
                Upgraded::Refused(Disconnect::NotAWebSocket("its answer is too long".into()))
            } else {
                Upgraded::Incomplete(self)
            };
        };
        let rest = self.head.split_off(from + end + 4);
        self.handshake.get_mut().get_mut().input = io::Cursor::new(self.head);
        Upgraded::Refused(match self.handshake.handshake() {
            Ok(_) => return Upgraded::Open(rest),
            Err(HandshakeError::Failure(Error::Http(response))) => {
                let body = rest.get(..MAX_BODY).unwrap_or(&rest);
                Disconnect::Refused {
                    status: response.status().as_u16(),
                    text: String::from_utf8_lossy(body).trim().into(),
                    retry_after: retry_after(response.headers()),
                }
            }
            Err(error) => Disconnect::NotAWebSocket(error.to_string()),
        })
    }
}

/// How many seconds the server asks to wait (RFC 9110, section 10.2.3). A date is of another clock than ours, and ignored.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)))
}

/// 16 random bytes in base64 (RFC 6455, section 4.1): 21 digits of six bits, one of two, and two that pad.
fn key(random: [u8; 22]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut key = String::with_capacity(24);
    for (at, byte) in random.into_iter().enumerate() {
        let digit = if at < 21 { byte & 0x3f } else { byte & 0x30 };
        key.push(char::from(DIGITS[usize::from(digit)]));
    }
    key + "=="
}

/// A stream in memory, for the handshake.
#[derive(Debug, Default)]
struct Memory {
    input: io::Cursor<Vec<u8>>,
    output: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.input.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The server's frames.
#[derive(Debug)]
pub(super) struct Socket {
    context: WebSocketContext,
}

/// What one message of the server amounts to.
pub(super) enum Step {
    Text(Utf8Bytes),
    /// Nothing for the caller to do; the pong to a ping is in the output.
    Control,
    /// The server closes. Its code is to be echoed.
    Close(Option<u16>, String),
    /// The rest has not come.
    Incomplete,
    Violation(Violation),
}

impl Socket {
    pub(super) fn new(max_message_size: usize) -> Box<Self> {
        let limits = WebSocketConfig::default()
            .read_buffer_size(READ)
            .write_buffer_size(0)
            .max_message_size(Some(max_message_size))
            .max_frame_size(Some(max_message_size.max(125)));
        Box::new(Self { context: WebSocketContext::new(Role::Client, Some(limits)) })
    }

    /// Takes the next message off the front of `input`.
    pub(super) fn read(&mut self, input: &mut &[u8], random: &mut Random, output: &mut Vec<u8>) -> Step {
        match self.context.read(&mut Input(input)) {
            Ok(Message::Text(text)) => Step::Text(text),
            Ok(Message::Ping(payload)) => {
                frame(OpCode::Control(Control::Pong), &payload, random, output);
                Step::Control
            }
            Ok(Message::Pong(_) | Message::Frame(_)) => Step::Control,
            Ok(Message::Close(None)) => Step::Close(None, String::new()),
            Ok(Message::Close(Some(close))) => Step::Close(Some(close.code.into()), close.reason.to_string()),
            Ok(Message::Binary(_)) => Step::Violation(Violation::BinaryMessage),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Step::Incomplete,
            Err(error) => Step::Violation(error.into()),
        }
    }
}

/// What has come, as a stream. What tungstenite answers by itself goes nowhere: its masks are not of our source.
struct Input<'a, 'b>(&'a mut &'b [u8]);

impl Read for Input<'_, '_> {
    /// An empty input would block. To tungstenite, zero bytes would be the end of the connection.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.read(buffer)
    }
}

impl Write for Input<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Appends a text message.
pub(super) fn text(payload: &[u8], random: &mut Random, output: &mut Vec<u8>) {
    frame(OpCode::Data(Data::Text), payload, random, output);
}

/// Appends a close frame.
pub(super) fn close(code: Option<u16>, reason: &str, random: &mut Random, output: &mut Vec<u8>) {
    let payload = code.map(|code| [&code.to_be_bytes(), reason.as_bytes()].concat());
    frame(OpCode::Control(Control::Close), &payload.unwrap_or_default(), random, output);
}

/// Appends a whole frame, masked as a client's are (RFC 6455, section 5.3).
fn frame(opcode: OpCode, payload: &[u8], random: &mut Random, output: &mut Vec<u8>) {
    let key = random.bytes();
    let header = FrameHeader { opcode, mask: Some(key), ..FrameHeader::default() };
    output.reserve(header.len(payload.len() as u64) + payload.len());
    header.format(payload.len() as u64, output).expect("a vector takes all that is written");
    let start = output.len();
    output.extend_from_slice(payload);
    mask::unmask(output.get_mut(start..).unwrap_or_default(), key);
}

#[cfg(test)]
mod tests;
