//! One connection of the load: its bytes in and out, and in a session its acknowledgements.

use std::io::{self, Read as _, Write as _};

use super::{
    dialect::{Dialect, Kind, Role},
    frames,
    stream::{Stream, Target},
};
use crate::Result;

/// What a session acknowledges at once: so many frames, or so many bytes of text.
const FRAMES: u64 = 128;
const BYTES: usize = 64 * 1024;

/// What a conversation hears, and where it answers.
pub(crate) trait Conversation {
    /// A text came to this client.
    fn hear(&mut self, client: usize, text: &[u8]) -> Result<()>;

    /// All that a read brought was heard: what is said now leaves in one write.
    fn answer(&mut self, client: usize, say: &mut Say<'_>) -> Result<()>;
}

/// Takes texts for one write.
#[derive(Debug)]
pub(crate) struct Say<'a>(&'a mut Vec<u8>);

impl Say<'_> {
    pub(crate) fn text(&mut self, text: &[u8]) {
        frames::write(self.0, frames::TEXT, text);
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: Stream,
    dialect: Dialect,
    role: Role,
    /// The beginning of a frame of which the rest is still to come.
    rest: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
    counted: u64,
    acknowledged: u64,
    unacknowledged_bytes: usize,
}

impl Client {
    /// Connects, and asks for the upgrade.
    pub(crate) fn begin(target: &Target, dialect: Dialect, role: Role, number: usize) -> Result<Self> {
        let mut stream = Stream::connect(target, number)?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            dialect.path(role),
            target.address,
        );
        stream.write_all(request.as_bytes())?;
        stream.flush()?;
        Ok(Self {
            stream,
            dialect,
            role,
            rest: Vec::new(),
            unsent: Vec::new(),
            counted: 0,
            acknowledged: 0,
            unacknowledged_bytes: 0,
        })
    }

    /// Waits for the answer to the upgrade.
    pub(crate) fn upgraded(&mut self) -> Result<()> {
        let end = loop {
            if let Some(end) = self.rest.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.wait()?;
        };
        let head = String::from_utf8_lossy(&self.rest[..end]).into_owned();
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(format!("the server did not upgrade: {}", head.lines().next().unwrap_or("")).into());
        }
        self.rest.drain(..end);
        Ok(())
    }

    /// Says a text of the beginning.
    pub(crate) fn say(&mut self, text: &str) -> Result<()> {
        let mut out = Vec::new();
        frames::write(&mut out, frames::TEXT, text.as_bytes());
        self.stream.write_all(&out)?;
        Ok(self.stream.flush()?)
    }

    /// Waits for a text of the beginning.
    pub(crate) fn expect(&mut self, beginning: &str) -> Result<()> {
        loop {
            if let Some(frame) = frames::read(&mut self.rest, 0)? {
                let text = self.rest[frame.content.clone()].to_vec();
                self.rest.drain(..frame.content.end);
                if let Kind::Question(answer) = self.dialect.kind(&text) {
                    self.say(answer)?;
                    continue;
                }
                if !text.starts_with(beginning.as_bytes()) {
                    let text = String::from_utf8_lossy(&text);
                    return Err(format!("the server said {text:?} instead of {beginning:?}").into());
                }
                self.count(&text);
                return Ok(());
            }
            self.wait()?;
        }
    }

    /// The beginning is over: no call blocks any more, and what was kept for it is given back.
    pub(crate) fn opened(&mut self) -> Result<()> {
        // A question of the server may be there, which is answered with what comes next.
        self.rest.shrink_to_fit();
        self.stream.set_nonblocking()?;
        self.listen()
    }

    /// What a member has said does not change how it listens.
    fn listen(&self) -> Result<()> {
        if self.role == Role::Member {
            self.stream.acknowledge_at_once()?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer)? {
            0 => Err("the server closed the connection".into()),
            length => {
                self.rest.extend(&buffer[..length]);
                Ok(())
            }
        }
    }

    /// Reads once (from TLS all there is), has every text heard, and writes the answers.
    pub(crate) fn read(
        &mut self,
        index: usize,
        buffer: &mut [u8],
        out: &mut Vec<u8>,
        conversation: &mut impl Conversation,
    ) -> Result<()> {
        loop {
            let length = match self.stream.read(buffer) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            out.clear();
            if self.rest.is_empty() {
                let used = self.frames(index, &mut buffer[..length], out, conversation)?;
                self.rest.extend(&buffer[used..length]);
            } else {
                let mut rest = std::mem::take(&mut self.rest);
                rest.extend(&buffer[..length]);
                let used = self.frames(index, &mut rest, out, conversation)?;
                rest.drain(..used);
                if !rest.is_empty() {
                    self.rest = rest;
                }
            }
            conversation.answer(index, &mut Say(out))?;
            self.acknowledge(out);
            self.write(out)?;
            if !self.stream.holds_back() {
                return Ok(());
            }
        }
    }

    /// Has the whole frames heard; returns how many bytes they are.
    fn frames(
        &mut self,
        index: usize,
        bytes: &mut [u8],
        out: &mut Vec<u8>,
        conversation: &mut impl Conversation,
    ) -> Result<usize> {
        let mut at = 0;
        while let Some(frame) = frames::read(bytes, at)? {
            at = frame.content.end;
            let content = &bytes[frame.content];
            match frame.opcode {
                frames::TEXT => match self.dialect.kind(content) {
                    Kind::Message => {
                        self.count(content);
                        conversation.hear(index, content)?;
                    }
                    Kind::Aside => {}
                    Kind::Question(answer) => frames::write(out, frames::TEXT, answer.as_bytes()),
                },
                frames::PING => frames::write(out, frames::PONG, content),
                frames::CLOSE => {
                    let code = content.first_chunk().map_or(0, |code| u16::from_be_bytes(*code));
                    return Err(format!("the server closed the connection with {code}").into());
                }
                opcode => return Err(format!("a frame of opcode {opcode}").into()),
            }
        }
        Ok(at)
    }

    fn count(&mut self, text: &[u8]) {
        if self.dialect.counts(text) {
            self.counted += 1;
            self.unacknowledged_bytes += text.len();
        }
    }

    fn acknowledge(&mut self, out: &mut Vec<u8>) {
        if self.counted - self.acknowledged >= FRAMES || self.unacknowledged_bytes >= BYTES {
            frames::write(out, frames::TEXT, format!("3,{},", self.counted).as_bytes());
            self.acknowledged = self.counted;
            self.unacknowledged_bytes = 0;
        }
    }

    /// Writes texts of the conversation, all at once.
    pub(crate) fn send(&mut self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Say<'_>)) -> Result<()> {
        out.clear();
        fill(&mut Say(out));
        self.write(out)
    }

    fn write(&mut self, out: &[u8]) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        if self.unsent.is_empty() {
            let written = self.write_some(out)?;
            self.unsent.extend(&out[written..]);
        } else {
            self.unsent.extend(out);
        }
        self.listen()
    }

    /// Goes on with what the socket did not take.
    pub(crate) fn write_more(&mut self) -> Result<()> {
        let unsent = std::mem::take(&mut self.unsent);
        let written = self.write_some(&unsent)?;
        self.unsent = unsent;
        self.unsent.drain(..written);
        Ok(())
    }

    fn write_some(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut written = 0;
        loop {
            let result = if written == bytes.len() {
                self.stream.flush().map(|()| 0)
            } else {
                self.stream.write(&bytes[written..])
            };
            match result {
                Ok(0) => return Ok(written),
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(written),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether it wants to know when the socket takes more.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.unsent.is_empty() || matches!(&self.stream, Stream::Tls(stream) if stream.conn.wants_write())
    }
}
