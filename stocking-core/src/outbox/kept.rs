//! What was written to a session and not acknowledged, and what was taken in from it: both sides count.

use std::collections::VecDeque;

use stocking_proto::Count;

use crate::{
    config::Config,
    websocket::{Encoded, count_frames},
};

/// A session keeps at least this much, whatever the configuration says: an acknowledgement comes every 128 frames or
/// 64 KiB, and one may be on its way while the next is due (protocol, part 2, "Bounds").
const MIN_FRAMES: usize = 512;
const MIN_BYTES: usize = 256 * 1024;

/// The counts of one session, and the frames that its client may still ask for.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// What was written, the oldest first, each run with the number of its last frame.
    runs: VecDeque<(Encoded, u64)>,
    /// Bytes in `runs`.
    bytes: usize,
    /// Frames that are in `runs` no more: acknowledged, or forgotten.
    forgotten: u64,
    written: u64,
    acknowledged: u64,
    /// Frames of the client that were taken in.
    taken: u64,
}

/// The most that is kept and queued together.
pub(super) fn max_bytes(config: &Config) -> usize {
    config.max_kept_bytes.max(MIN_BYTES)
}

/// The most frames that are kept, and the most runs that are queued.
pub(super) fn max_frames(config: &Config) -> usize {
    config.max_kept_frames.max(MIN_FRAMES)
}

impl Kept {
    /// Notes what is being written. While the client acknowledges too little, the oldest is forgotten: that costs
    /// nothing, unless the connection breaks just then.
    pub(super) fn keep(&mut self, run: Encoded, queued: usize, config: &Config) {
        self.written += count_frames(&run);
        self.bytes += run.len();
        self.runs.push_back((run, self.written));
        while self.bytes + queued > max_bytes(config)
            || self.written - self.forgotten > max_frames(config) as u64
        {
            if !self.forget_first() {
                break;
            }
        }
    }

    /// Forgets what the client has taken in. False where it cannot have taken in that many, or told so before.
    pub(super) fn acknowledge(&mut self, count: u64) -> bool {
        if count < self.acknowledged || count > self.written {
            return false;
        }
        self.acknowledged = count;
        while self.runs.front().is_some_and(|(_, last)| *last <= count) {
            self.forget_first();
        }
        true
    }

    pub(super) fn take_in(&mut self, frames: u64) {
        self.taken += frames;
    }

    /// Counts do not reach 2^53 in the life of a session: at a million a second that is 285 years.
    pub(super) fn taken(&self) -> Count {
        Count::new(self.taken).unwrap_or(Count::ZERO)
    }

    fn forget_first(&mut self) -> bool {
        let Some((run, last)) = self.runs.pop_front() else { return false };
        self.bytes -= run.len();
        self.forgotten = last;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::text_frame;

    fn run(texts: &[&str]) -> Encoded {
        let mut run = Vec::new();
        for text in texts {
            text_frame(&mut run, |out| out.extend_from_slice(text.as_bytes()));
        }
        run.into()
    }

    #[test]
    fn what_is_acknowledged_is_forgotten_run_by_run() {
        let (mut kept, config) = (Kept::default(), Config::default());
        kept.keep(run(&["a"]), 0, &config);
        kept.keep(run(&["b", "c"]), 0, &config);
        assert!(kept.acknowledge(1));
        assert_eq!((kept.runs.len(), kept.forgotten), (1, 1));
        assert!(kept.acknowledge(2), "in the middle of a run");
        assert_eq!((kept.runs.len(), kept.forgotten), (1, 1));
        assert!(kept.acknowledge(3));
        assert_eq!((kept.runs.len(), kept.forgotten, kept.bytes), (0, 3, 0));
    }

    #[test]
    fn a_count_that_goes_back_or_ahead_is_not_believed() {
        let (mut kept, config) = (Kept::default(), Config::default());
        kept.keep(run(&["a", "b"]), 0, &config);
        assert!(!kept.acknowledge(3));
        assert!(kept.acknowledge(2));
        assert!(kept.acknowledge(2));
        assert!(!kept.acknowledge(1));
    }

    #[test]
    fn the_oldest_is_forgotten_at_the_bounds_and_not_before() {
        let config = Config::default().max_kept_frames(600).max_kept_bytes(300 * 1024);
        let mut kept = Kept::default();
        for _ in 0..600 {
            kept.keep(run(&["x"]), 0, &config);
        }
        assert_eq!(kept.forgotten, 0);
        kept.keep(run(&["x"]), 0, &config);
        assert_eq!((kept.runs.len(), kept.forgotten), (600, 1));

        let long = "x".repeat(100 * 1024 - 4 - 6);
        let mut kept = Kept::default();
        for _ in 0..3 {
            kept.keep(run(&[&long]), 0, &config);
        }
        assert_eq!((kept.bytes, kept.forgotten), (300 * 1024, 0));
        kept.keep(run(&["x"]), 0, &config);
        assert_eq!(kept.forgotten, 1);
    }

    #[test]
    fn no_configuration_keeps_less_than_the_protocol_needs() {
        let config = Config::default().max_kept_frames(0).max_kept_bytes(0);
        assert_eq!((max_frames(&config), max_bytes(&config)), (512, 256 * 1024));
    }
}
