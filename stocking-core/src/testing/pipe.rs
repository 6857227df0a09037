//! A pair of transports in memory.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

use crate::driver::{SharedWriter, Transport, TryWrite};

/// One end of a pair: what is written to one end is read from the other.
///
/// Its clones are the same end.
#[derive(Clone, Debug)]
pub struct Pipe {
    input: Arc<Mutex<Direction>>,
    output: Arc<Mutex<Direction>>,
}

#[derive(Debug)]
struct Direction {
    bytes: VecDeque<u8>,
    capacity: usize,
    has_ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// A pair, each direction of which holds at most `capacity` bytes that were not read, as a socket's buffers do.
#[must_use]
pub fn pipe(capacity: usize) -> (Pipe, Pipe) {
    let direction = || {
        Arc::new(Mutex::new(Direction {
            bytes: VecDeque::new(),
            capacity,
            has_ended: false,
            reader: None,
            writer: None,
        }))
    };
    let (there, back) = (direction(), direction());
    (Pipe { input: back.clone(), output: there.clone() }, Pipe { input: there, output: back })
}

impl Pipe {
    /// Writes, whatever the capacity.
    pub fn send(&self, bytes: &[u8]) {
        let reader = {
            let mut output = self.output.lock();
            output.bytes.extend(bytes);
            output.reader.take()
        };
        wake(reader);
    }

    /// Reads at most `limit` bytes of what has come.
    #[must_use]
    pub fn receive(&self, limit: usize) -> Vec<u8> {
        let (bytes, writer) = {
            let mut input = self.input.lock();
            let length = input.bytes.len().min(limit);
            let rest = input.bytes.split_off(length);
            (Vec::from(std::mem::replace(&mut input.bytes, rest)), input.writer.take())
        };
        wake(writer);
        bytes
    }

    /// Whether the other end has shut down, and all it wrote was read.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let input = self.input.lock();
        input.has_ended && input.bytes.is_empty()
    }

    /// Shuts down the write side: the other end reads what was written, then the end.
    pub fn shut_down(&self) {
        let reader = {
            let mut output = self.output.lock();
            output.has_ended = true;
            output.reader.take()
        };
        wake(reader);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Transport for Pipe {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut input = self.input.lock();
        if input.bytes.is_empty() {
            if input.has_ended {
                return Poll::Ready(Ok(0));
            }
            input.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = input.bytes.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(input.bytes.drain(..length)) {
            *to = from;
        }
        let writer = input.writer.take();
        drop(input);
        wake(writer);
        Poll::Ready(Ok(length))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut output = self.output.lock();
        let mut room = output.capacity.saturating_sub(output.bytes.len());
        if room == 0 {
            output.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let mut written = 0;
        for buffer in buffers {
            let taken = buffer.get(..room.min(buffer.len())).unwrap_or_default();
            output.bytes.extend(taken);
            room -= taken.len();
            written += taken.len();
        }
        let reader = output.reader.take();
        drop(output);
        wake(reader);
        Poll::Ready(Ok(written))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut_down();
        Poll::Ready(Ok(()))
    }

    fn try_writer(&mut self) -> Option<SharedWriter> {
        Some(SharedWriter::new(self.clone()))
    }
}

impl TryWrite for Pipe {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut output = self.output.lock();
        let room = output.capacity.saturating_sub(output.bytes.len());
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        if taken.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        output.bytes.extend(taken);
        let reader = output.reader.take();
        drop(output);
        wake(reader);
        Ok(taken.len())
    }
}
