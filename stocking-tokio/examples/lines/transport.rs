//! One frame per line, over any stream.
//!
//! The core speaks WebSocket; this translates. A line of the client becomes a text message, a message of the server becomes
//! a line, and what else there is of WebSocket is answered or dropped here. It keeps no whole line: what has come of one goes
//! on as a fragment, so that the limits on length and time are those of `Config`.
//!
//! Any page of the web can have a browser send HTTP here, with lines of its choice in the body, and there is no `Origin` that
//! the core could check. So who begins as HTTP does is told so, and is heard no more.
//!
//! Who ends its own side has gone, as with WebSocket: `printf … | nc -N` is not answered, `nc` with a pause is.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, Read},
    task::{Context, Poll, ready},
};

use stocking_tokio::driver::Transport;

/// The first byte of a frame: its kind, and whether it is the last of its message (RFC 6455, section 5.2).
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const LAST: u8 = 0x80;

/// The second byte of a frame has this bit where a mask follows, as a client must have it. Ours is zero: the text as it is.
const MASKED: u8 = 0x80;

/// What HTTP begins with, where a page can send it without asking the server first, and `OPTIONS`, which asks.
const METHODS: [&[u8]; 4] = [b"GET ", b"HEAD ", b"POST ", b"OPTIONS "];

const NOT_HTTP: &[u8] = b"1,-32600,this is no HTTP server: one frame per line is spoken here\n";

/// How a line connection ends of itself: a close frame of the client's, with code 1002, "protocol error".
const GOODBYE: [u8; 8] = [LAST | CLOSE, MASKED | 2, 0, 0, 0, 0, 0x03, 0xea];

/// A stream whose other end sends and receives lines.
#[derive(Debug)]
pub(crate) struct Lines<T> {
    stream: T,
    /// Frames for the server that it has not read yet.
    frames: VecDeque<u8>,
    /// The first bytes, until they are known to be no HTTP.
    beginning: Option<Vec<u8>>,
    is_http: bool,
    /// Whether a part of the line went on already.
    in_line: bool,
    /// Whether the last byte was a CR: with an LF behind it, it is none of the text.
    has_cr: bool,
    /// The beginning of a server's frame.
    header: Vec<u8>,
    /// How much is to come of a server's frame, and whether that is text.
    left: u64,
    is_text: bool,
    /// What the stream has not taken, and of how many of the server's bytes it was made.
    lines: VecDeque<u8>,
    made_of: usize,
}

impl<T: Transport> Lines<T> {
    pub(crate) fn new(stream: T) -> Self {
        Self {
            stream,
            frames: VecDeque::new(),
            beginning: Some(Vec::new()),
            is_http: false,
            in_line: false,
            has_cr: false,
            header: Vec::new(),
            left: 0,
            is_text: false,
            lines: VecDeque::new(),
            made_of: 0,
        }
    }

    /// What the client sent, as frames, unless it is HTTP.
    fn take(&mut self, read: &[u8]) {
        let Some(mut beginning) = self.beginning.take() else {
            if !self.is_http {
                self.put_frames(read);
            }
            return;
        };
        beginning.extend(read);
        if METHODS.iter().any(|method| beginning.starts_with(method)) {
            self.is_http = true;
            self.lines.extend(NOT_HTTP);
            self.frames.extend(GOODBYE);
        } else if METHODS.iter().any(|method| method.starts_with(&beginning)) {
            self.beginning = Some(beginning);
        } else {
            self.put_frames(&beginning);
        }
    }

    fn put_frames(&mut self, read: &[u8]) {
        for part in read.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_whole) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            let mut text = text.to_vec();
            if std::mem::take(&mut self.has_cr) {
                text.insert(0, b'\r');
            }
            if text.last() == Some(&b'\r') {
                text.pop();
                self.has_cr = !is_whole;
            }
            if is_whole || !text.is_empty() {
                self.put_frame(&text, is_whole);
            }
        }
    }

    fn put_frame(&mut self, text: &[u8], is_last: bool) {
        let kind = if self.in_line { 0 } else { TEXT };
        self.frames.push_back(kind | if is_last { LAST } else { 0 });
        self.in_line = !is_last;
        match u16::try_from(text.len()).unwrap_or(u16::MAX) {
            length @ 0..126 => self.frames.push_back(MASKED | length as u8),
            length => {
                self.frames.push_back(MASKED | 126);
                self.frames.extend(length.to_be_bytes());
            }
        }
        self.frames.extend([0; 4]);
        self.frames.extend(text);
    }

    /// What the server sent, wherever it was cut, as lines.
    fn put_lines(&mut self, mut written: &[u8]) {
        while let Some((byte, rest)) = written.split_first() {
            if self.left == 0 {
                written = rest;
                self.header.push(*byte);
                let Some(length) = length(&self.header) else { continue };
                let kind = self.header.first().map_or(0, |first| first & 0xf);
                self.header.clear();
                self.left = length;
                self.is_text = kind == TEXT;
                if kind == CLOSE {
                    // A line cannot say it; the server waits for the answer, and then ends the stream.
                    self.frames.extend([LAST | CLOSE, MASKED, 0, 0, 0, 0]);
                }
            } else {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(written.len());
                let (payload, rest) = written.split_at(here);
                written = rest;
                self.left -= payload.len() as u64;
                if self.is_text {
                    // A broadcast may hold line feeds, and must not forge another frame by them.
                    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
                    self.lines.extend(payload.iter().map(|byte| if is_break(byte) { b' ' } else { *byte }));
                    if self.left == 0 {
                        self.lines.push_back(b'\n');
                    }
                }
            }
        }
    }
}

/// How long the payload of a server's frame is, once its header has come.
fn length(header: &[u8]) -> Option<u64> {
    match header {
        [_, short @ 0..126] => Some(u64::from(*short)),
        [_, 126, length @ ..] => Some(u64::from(u16::from_be_bytes(length.try_into().ok()?))),
        [_, 127, length @ ..] => Some(u64::from_be_bytes(length.try_into().ok()?)),
        _ => None,
    }
}

impl<T: Transport> Transport for Lines<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        while self.frames.is_empty() {
            let mut read = [0; 4096];
            let length = ready!(self.stream.poll_read(cx, &mut read))?;
            if length == 0 {
                return Poll::Ready(Ok(0));
            }
            self.take(&read[..length]);
        }
        Poll::Ready(self.frames.read(buffer))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        // What was not taken is offered again, and is in `lines` already.
        if self.made_of == 0 {
            for buffer in buffers {
                // Not all at once: a long write should be seen to go on.
                let part = &buffer[..buffer.len().min(16 * 1024 - self.made_of)];
                self.made_of += part.len();
                self.put_lines(part);
            }
        }
        while !self.lines.is_empty() {
            let (one, other) = self.lines.as_slices();
            let lines = if one.is_empty() { other } else { one };
            match ready!(self.stream.poll_write(cx, &[IoSlice::new(lines)]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => drop(self.lines.drain(..taken)),
            }
        }
        Poll::Ready(Ok(std::mem::take(&mut self.made_of)))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_close(cx)
    }
}
