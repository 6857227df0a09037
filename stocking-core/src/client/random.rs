//! Where a client's random bytes come from: the WebSocket key, the masks of frames, the pauses between attempts.

/// Fills a buffer with random bytes.
type Fill = dyn FnMut(&mut [u8]) + Send;

/// A source of random bytes. It is asked for many at once: a mask for every frame is not worth a system call.
pub(super) struct Random {
    fill: Box<Fill>,
    ready: [u8; 256],
    used: usize,
}

impl Random {
    pub(super) fn new(fill: impl FnMut(&mut [u8]) + Send + 'static) -> Self {
        Self { fill: Box::new(fill), ready: [0; 256], used: usize::MAX }
    }

    pub(super) fn operating_system() -> Self {
        // Fails on no system once it has booted. Nothing here is a secret.
        Self::new(|buffer| getrandom::fill(buffer).expect("the operating system has random bytes"))
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        if self.used > self.ready.len() - N {
            (self.fill)(&mut self.ready);
            self.used = 0;
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.ready[self.used..self.used + N]);
        self.used += N;
        bytes
    }
}
