//! A transport that has to be agreed upon first.

use std::{
    fmt,
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::Transport;

/// A transport that is still to come: what a future gives, a handshake of TLS for one.
///
/// It shakes hands when it is read or written. So a [`Driver`](super::Driver) does both by one task: nobody else waits for a
/// client that stalls, and [`handshake_timeout`](crate::Config#structfield.handshake_timeout) counts from the beginning.
pub struct Handshake<T>(State<T>);

enum State<T> {
    /// In a box that is given back, since what a handshake needs is much, and not needed again.
    Shaking(Pin<Box<dyn Future<Output = io::Result<T>> + Send>>),
    Open(T),
    Failed,
}

impl<T: Transport> Handshake<T> {
    /// Will be what `handshake` gives.
    #[must_use]
    pub fn new(handshake: impl Future<Output = io::Result<T>> + Send + 'static) -> Self {
        Self(State::Shaking(Box::pin(handshake)))
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut T>> {
        if let State::Shaking(handshake) = &mut self.0 {
            self.0 = match ready!(handshake.as_mut().poll(cx)) {
                Ok(transport) => State::Open(transport),
                Err(error) => {
                    self.0 = State::Failed;
                    return Poll::Ready(Err(error));
                }
            };
        }
        match &mut self.0 {
            State::Open(transport) => Poll::Ready(Ok(transport)),
            State::Shaking(_) | State::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<T: Transport> Transport for Handshake<T> {
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_read(cx, buffer)
    }

    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_write(cx, buffers)
    }

    #[inline]
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx))?.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx))?.poll_close(cx)
    }
}

impl<T> fmt::Debug for Handshake<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("is_open", &matches!(self.0, State::Open(_)))
            .finish_non_exhaustive()
    }
}
