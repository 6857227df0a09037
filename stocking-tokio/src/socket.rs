//! A TCP socket that others than its task may write to.

use std::{
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use stocking_core::driver::{SharedStream, SharedWriter, Transport, TryWrite};
use tokio::{io::Interest, net::TcpStream};

/// No signal to the process where the peer has gone. Elsewhere there is none, or tokio's sockets have asked for none.
#[cfg(not(any(windows, target_vendor = "apple")))]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(any(windows, target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::empty();

/// A TCP socket as a transport that lends a [way to write](Transport::try_writer) past its task: what [`serve`](crate::serve())
/// accepts.
#[derive(Debug)]
pub struct Socket(SharedStream<Stream>);

#[derive(Debug)]
struct Stream(TcpStream);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self(SharedStream::new(Stream(stream)))
    }
}

impl Stream {
    /// Reads. What fills less than the buffer has emptied the socket: it has to become readable again before the next read,
    /// which would else ask the operating system in vain.
    #[inline]
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut all = None;
        let read = self.0.try_io(Interest::READABLE, || {
            let read = recv(&self.0, &mut *buffer, RecvFlags::empty())?.0;
            if 0 < read && read < buffer.len() {
                all = Some(read);
                // So tokio is told; it, and not this, knows whether there was more in between.
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(read)
        });
        all.map_or(read, Ok)
    }
}

impl Transport for Socket {
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.0.poll_read_ready(cx))?;
            match self.0.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let written = match buffers {
                [buffer] => self.0.0.try_write(buffer),
                _ => self.0.0.try_write_vectored(buffers),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.0.0.poll_write_ready(cx))?;
                }
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(shutdown(&self.0.0, Shutdown::Write).map_err(Into::into))
    }

    fn try_writer(&mut self) -> Option<SharedWriter> {
        Some(self.0.writer())
    }
}

impl TryWrite for Stream {
    #[inline]
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_io(Interest::WRITABLE, || Ok(send(&self.0, bytes, SEND)?))
    }
}
