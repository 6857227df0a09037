//! A TCP socket that others than its task may write to.

use std::{
    io::{self, IoSlice},
    net::Shutdown,
    pin::Pin,
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use stocking_core::driver::{Transport, TryWrite};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// A TCP socket as a transport that lends a [way to write](Transport::try_writer) past its task: what [`serve`](crate::serve())
/// accepts.
#[derive(Debug)]
pub struct Socket {
    /// Only this half is read without asking the operating system in vain.
    reader: OwnedReadHalf,
    writer: Option<Box<Writer>>,
}

/// The other half, which would end the stream if it were dropped as it is.
#[derive(Debug)]
struct Writer(Option<OwnedWriteHalf>);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader, writer: Some(Box::new(Writer(Some(writer)))) }
    }
}

impl Transport for Socket {
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.reader).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let stream: &TcpStream = self.reader.as_ref();
        loop {
            let written = match buffers {
                [buffer] => stream.try_write(buffer),
                _ => stream.try_write_vectored(buffers),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(stream.poll_write_ready(cx))?;
                }
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream: &TcpStream = self.reader.as_ref();
        Poll::Ready(SockRef::from(stream).shutdown(Shutdown::Write))
    }

    fn try_writer(&mut self) -> Option<Box<dyn TryWrite>> {
        self.writer.take().map(|writer| writer as _)
    }
}

impl TryWrite for Writer {
    #[inline]
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_ref().map_or(Ok(0), |writer| writer.try_write(bytes))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(writer) = self.0.take() {
            writer.forget();
        }
    }
}
