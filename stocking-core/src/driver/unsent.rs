//! Writing, and what a transport has not taken.

use std::{
    io::{self, IoSlice},
    ops::Deref,
    task::{Context, Poll},
};

use super::Transport;

/// Bytes that a transport has not taken. A connection that keeps up holds no buffer, and pays a pointer for that.
#[derive(Default)]
pub(super) struct Unsent(Option<Box<Buffer>>);

struct Buffer(Vec<u8>);

impl From<Vec<u8>> for Unsent {
    fn from(bytes: Vec<u8>) -> Self {
        Self((!bytes.is_empty()).then(|| Box::new(Buffer(bytes))))
    }
}

impl Deref for Unsent {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |buffer| &buffer.0)
    }
}

impl Unsent {
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The transport has taken so many bytes of these and then of `output`.
    fn advance(&mut self, written: usize, output: &[u8]) {
        let new = output.get(written.saturating_sub(self.len())..).unwrap_or_default();
        match &mut self.0 {
            Some(buffer) if written < buffer.0.len() => {
                buffer.0.drain(..written);
                buffer.0.extend_from_slice(new);
            }
            _ => *self = new.to_vec().into(),
        }
    }
}

/// Writes what was left over and then `output`; what the transport does not take is left over. What it has taken is
/// flushed.
pub(super) fn write<T: Transport>(
    transport: &mut T,
    cx: &mut Context<'_>,
    unsent: &mut Unsent,
    output: &mut Vec<u8>,
    needs_flush: &mut bool,
) -> io::Result<()> {
    let mut written = 0;
    let left = &**unsent;
    let total = left.len() + output.len();
    while written < total {
        let old = left.get(written..).unwrap_or_default();
        let new = output.get(written.saturating_sub(left.len())..).unwrap_or_default();
        let polled = match (old.is_empty(), new.is_empty()) {
            (true, _) => transport.poll_write(cx, &[IoSlice::new(new)]),
            (false, true) => transport.poll_write(cx, &[IoSlice::new(old)]),
            (false, false) => transport.poll_write(cx, &[IoSlice::new(old), IoSlice::new(new)]),
        };
        match polled {
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(taken)) => {
                written += taken;
                *needs_flush = true;
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => break,
        }
    }
    if written < total || !unsent.is_empty() {
        unsent.advance(written, output);
    }
    output.clear();
    if *needs_flush && let Poll::Ready(flushed) = transport.poll_flush(cx) {
        flushed?;
        *needs_flush = false;
    }
    Ok(())
}
