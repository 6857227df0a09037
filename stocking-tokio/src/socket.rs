//! A TCP socket that others than its task may write to.
//!
//! It reads and writes by `rustix`, which makes the system call itself: in a process with more than one thread the C library has
//! fifty instructions around each.

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
                [buffer] => self.0.try_write(buffer),
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
    // One copy for all who call it: there tokio's part of it is inlined, which costs more than the call.
    #[inline(never)]
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_io(Interest::WRITABLE, || Ok(send(&self.0, bytes, SEND)?))
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, io, task::Poll};

    use stocking_core::driver::{Driver, Transport, TryWrite as _};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::Socket;
    use crate::Tokio;

    async fn pair() -> io::Result<(TcpStream, Socket)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let peer = TcpStream::connect(listener.local_addr()?).await?;
        Ok((peer, listener.accept().await?.0.into()))
    }

    async fn read(socket: &mut Socket) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; 4];
        let length = poll_fn(|cx| socket.poll_read(cx, &mut buffer)).await?;
        buffer.truncate(length);
        Ok(buffer)
    }

    /// What there is without waiting.
    async fn read_at_once(socket: &mut Socket) -> Poll<io::Result<Vec<u8>>> {
        let mut buffer = vec![0; 4];
        let read = poll_fn(|cx| Poll::Ready(socket.poll_read(cx, &mut buffer))).await;
        read.map_ok(|length| buffer[..length].to_vec())
    }

    #[tokio::test]
    async fn all_is_read_whether_or_not_it_fills_the_buffer_and_then_the_end_again_and_again()
    -> io::Result<()> {
        let (mut peer, mut socket) = pair().await?;
        for round in 0..100_u8 {
            peer.write_all(&[round; 6]).await?;
            assert_eq!(read(&mut socket).await?, [round; 4]);
            assert!(matches!(read_at_once(&mut socket).await?, Poll::Ready(rest) if rest == [round; 2]));
            assert!(read_at_once(&mut socket).await?.is_pending());
        }
        peer.write_all(b"bye").await?;
        peer.shutdown().await?;
        assert_eq!(read(&mut socket).await?, b"bye");
        assert_eq!(read(&mut socket).await?, b"");
        assert_eq!(read(&mut socket).await?, b"");
        Ok(())
    }

    #[tokio::test]
    async fn the_peer_hears_of_an_end_when_the_last_who_may_write_is_gone() -> io::Result<()> {
        let (mut peer, mut socket) = pair().await?;
        let writer = socket.try_writer().unwrap();
        drop(socket);
        assert_eq!(writer.try_write(b"late")?, 4);
        drop(writer);
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).await?;
        assert_eq!(heard, b"late");
        Ok(())
    }

    #[test]
    fn a_connection_fills_its_task_and_no_more() {
        // Of 384, of which 104 are tokio's, in steps of 128: one byte more would cost every idle connection as many.
        assert!(size_of::<Driver<Socket, Tokio>>() <= 280);
    }
}
