//! What a session has numbered and its client has not acknowledged, and what was taken in from it: both sides count.

use std::collections::VecDeque;

use stocking_proto::Count;

use super::run::Run;
use crate::{
    config::Config,
    websocket::{Encoded, count_frames},
};

/// A session keeps at least this much, whatever the configuration says, but for what a run that is forgotten as a whole has too
/// much: an acknowledgement comes every 128 frames or 64 KiB, and one may be on its way while the next is due (protocol,
/// part 2, "Bounds").
const MIN_FRAMES: usize = 512;
const MIN_BYTES: usize = 256 * 1024;

/// Room that is kept for runs while there are none; a burst gives back what it took beyond it.
const IDLE_CAPACITY: usize = 32;

/// The counts of one session, and the frames that its client may still ask for.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The oldest first, each run with the number of its last frame.
    runs: VecDeque<(Run, u64)>,
    /// How many of `runs` the current connection has written; the others are still to be replayed.
    replayed: usize,
    /// Bytes of those others.
    unwritten: usize,
    /// Bytes in `runs`.
    bytes: usize,
    /// Frames that are in `runs` no more: acknowledged, or forgotten.
    forgotten: u64,
    /// Frames that were written, on whichever connection.
    written: u64,
    acknowledged: u64,
    /// Frames of the client that were taken in.
    taken: u64,
}

/// The most that is kept and queued together.
pub(super) fn max_bytes(config: &Config) -> usize {
    config.max_kept_bytes.max(MIN_BYTES)
}

/// The most frames that are kept and queued together.
pub(super) fn max_frames(config: &Config) -> usize {
    config.max_kept_frames.max(MIN_FRAMES)
}

impl Kept {
    /// Notes what is being written for the first time, which comes after every replay. Returns how many frames that is.
    pub(super) fn keep(&mut self, run: Encoded) -> u64 {
        debug_assert!(!self.is_replaying(), "what is numbered later is written later");
        let frames = count_frames(&run);
        self.written += frames;
        self.bytes += run.len();
        self.push(Run::Shared(run));
        frames
    }

    /// The same of so many replies: they are joined to those before.
    pub(super) fn keep_replies(&mut self, replies: &[u8], frames: u64) {
        debug_assert!(!self.is_replaying(), "what is numbered later is written later");
        self.written += frames;
        self.bytes += replies.len();
        if let Some((run, last)) = self.runs.back_mut()
            && run.join(replies)
        {
            *last = self.written;
        } else {
            self.push(Run::Own(replies.to_vec()));
        }
    }

    fn push(&mut self, run: Run) {
        if self.runs.capacity() == 0 {
            // A session that is quiet keeps one run, and a `VecDeque` would begin with room for four.
            self.runs.reserve_exact(1);
        }
        self.runs.push_back((run, self.written));
        self.replayed += 1;
    }

    /// While the client acknowledges too little, the oldest is forgotten: that costs nothing, unless the connection breaks
    /// just then. Only what this connection has written is: the rest it has not had.
    pub(super) fn make_room(&mut self, queued_bytes: usize, queued_frames: u64, config: &Config) {
        while self.bytes + queued_bytes > max_bytes(config)
            || self.frames() + queued_frames > max_frames(config) as u64
        {
            if self.replayed == 0 || !self.forget_first() {
                break;
            }
        }
    }

    /// Forgets what the client has taken in. False where it cannot have taken in that many, or told so before.
    pub(super) fn acknowledge(&mut self, count: u64) -> bool {
        if count < self.acknowledged || count > self.written_here() {
            return false;
        }
        self.acknowledged = count;
        while self.runs.front().is_some_and(|(_, last)| *last <= count) {
            self.forget_first();
        }
        if self.runs.is_empty() && self.runs.capacity() > IDLE_CAPACITY {
            self.runs = VecDeque::new();
        }
        true
    }

    /// Whether a client that has taken in so many frames may be this session's.
    pub(super) fn may_have(&self, count: u64) -> bool {
        (self.acknowledged..=self.written).contains(&count)
    }

    /// Makes ready to write all over again what comes after the first `count` frames. False where some of that has been
    /// forgotten.
    pub(super) fn replay_after(&mut self, count: u64) -> bool {
        if count < self.forgotten {
            return false;
        }
        self.acknowledged = count;
        while self.runs.front().is_some_and(|(_, last)| *last <= count) {
            self.forget_first();
        }
        if let Some((run, _)) = self.runs.front_mut()
            && count > self.forgotten
        {
            // The client had the first frames of a run, and not the others.
            self.bytes -= run.len();
            run.skip(count - self.forgotten);
            self.bytes += run.len();
        }
        self.forgotten = count;
        self.rewind();
        true
    }

    /// No connection has written anything.
    pub(super) fn rewind(&mut self) {
        self.replayed = 0;
        self.unwritten = self.bytes;
    }

    /// The next run to write once more.
    pub(super) fn next_replay(&mut self) -> Option<&[u8]> {
        let (run, _) = self.runs.get(self.replayed)?;
        self.replayed += 1;
        self.unwritten -= run.len();
        Some(run)
    }

    pub(super) fn is_replaying(&self) -> bool {
        self.replayed < self.runs.len()
    }

    /// Bytes that are still to be replayed.
    pub(super) fn unwritten(&self) -> usize {
        self.unwritten
    }

    /// Runs that are still to be replayed.
    pub(super) fn unwritten_runs(&self) -> usize {
        self.runs.len() - self.replayed
    }

    pub(super) fn take_in(&mut self, frames: u64) {
        self.taken += frames;
    }

    /// Counts do not reach 2^53 in the life of a session: at a million a second that is 285 years.
    pub(super) fn taken(&self) -> Count {
        Count::new(self.taken).unwrap_or(Count::ZERO)
    }

    /// Keeps nothing any more; what was counted stays counted.
    pub(super) fn clear(&mut self) {
        (self.runs, self.bytes) = (VecDeque::new(), 0);
        (self.replayed, self.unwritten, self.forgotten) = (0, 0, self.written);
    }

    /// Frames that are still to be replayed.
    pub(super) fn unwritten_frames(&self) -> u64 {
        self.written - self.written_here()
    }

    /// Frames, and their bytes.
    pub(super) fn size(&self) -> (u64, usize) {
        (self.frames(), self.bytes)
    }

    fn frames(&self) -> u64 {
        self.written - self.forgotten
    }

    /// Frames that the client can have had on this connection, and on those before.
    fn written_here(&self) -> u64 {
        match self.replayed.checked_sub(1).and_then(|last| self.runs.get(last)) {
            Some((_, last)) => *last,
            None if self.is_replaying() => self.forgotten,
            None => self.written,
        }
    }

    fn forget_first(&mut self) -> bool {
        let Some((run, last)) = self.runs.pop_front() else { return false };
        self.bytes -= run.len();
        if self.replayed > 0 {
            self.replayed -= 1;
        } else {
            self.unwritten -= run.len();
        }
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

    fn keep(kept: &mut Kept, text: &str, config: &Config) {
        kept.keep(run(&[text]));
        kept.make_room(0, 0, config);
    }

    fn replay(kept: &mut Kept) -> Vec<Encoded> {
        std::iter::from_fn(|| kept.next_replay().map(Encoded::from)).collect()
    }

    #[test]
    fn what_is_acknowledged_is_forgotten_run_by_run() {
        let mut kept = Kept::default();
        kept.keep(run(&["a"]));
        kept.keep(run(&["b", "c"]));
        assert!(kept.acknowledge(1));
        assert_eq!((kept.runs.len(), kept.forgotten), (1, 1));
        assert!(kept.acknowledge(2), "in the middle of a run");
        assert_eq!((kept.runs.len(), kept.forgotten), (1, 1));
        assert!(kept.acknowledge(3));
        assert_eq!((kept.runs.len(), kept.forgotten, kept.bytes), (0, 3, 0));
    }

    #[test]
    fn replies_are_joined_and_what_comes_between_stays_between() {
        let mut kept = Kept::default();
        kept.keep_replies(&run(&["a"]), 1);
        kept.keep_replies(&run(&["b", "c"]), 2);
        kept.keep(run(&["d"]));
        kept.keep_replies(&run(&["e"]), 1);
        assert_eq!((kept.runs.len(), kept.size()), (3, (5, 15)));
        assert!(kept.acknowledge(2), "in the middle of a run");
        assert!(kept.replay_after(2));
        assert_eq!(replay(&mut kept), [run(&["c"]), run(&["d"]), run(&["e"])]);
        assert_eq!(kept.size(), (3, 9));
        // A run of its own, which takes more.
        kept.keep_replies(&run(&["f"]), 1);
        assert!(kept.replay_after(3));
        assert_eq!(replay(&mut kept), [run(&["d"]), run(&["e", "f"])]);
    }

    #[test]
    fn a_run_of_replies_is_no_long_one() {
        let mut kept = Kept::default();
        let reply = run(&[&"x".repeat(100)]);
        for _ in 0..25 {
            kept.keep_replies(&reply, 1);
        }
        assert_eq!(kept.runs.iter().map(|(run, _)| run.len()).collect::<Vec<_>>(), [1020, 1020, 510]);
        assert!(kept.acknowledge(10));
        assert_eq!(kept.runs.len(), 2);
    }

    #[test]
    fn a_count_that_goes_back_or_ahead_is_not_believed() {
        let mut kept = Kept::default();
        kept.keep(run(&["a", "b"]));
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
            keep(&mut kept, "x", &config);
        }
        assert_eq!(kept.forgotten, 0);
        keep(&mut kept, "x", &config);
        assert_eq!((kept.runs.len(), kept.forgotten), (600, 1));

        let long = "x".repeat(100 * 1024 - 4 - 6);
        let mut kept = Kept::default();
        for _ in 0..3 {
            keep(&mut kept, &long, &config);
        }
        assert_eq!((kept.bytes, kept.forgotten), (300 * 1024, 0));
        keep(&mut kept, "x", &config);
        assert_eq!(kept.forgotten, 1);
    }

    #[test]
    fn no_configuration_keeps_less_than_the_protocol_needs() {
        let config = Config::default().max_kept_frames(0).max_kept_bytes(0);
        assert_eq!((max_frames(&config), max_bytes(&config)), (512, 256 * 1024));
    }

    #[test]
    fn a_replay_begins_behind_what_the_client_has_even_in_the_middle_of_a_run() {
        for (count, expected) in [
            (0, vec![run(&["a"]), run(&["b", "c", "d"]), run(&["e"])]),
            (1, vec![run(&["b", "c", "d"]), run(&["e"])]),
            (2, vec![run(&["c", "d"]), run(&["e"])]),
            (3, vec![run(&["d"]), run(&["e"])]),
            (4, vec![run(&["e"])]),
            (5, vec![]),
        ] {
            let mut kept = Kept::default();
            kept.keep(run(&["a"]));
            kept.keep(run(&["b", "c", "d"]));
            kept.keep(run(&["e"]));
            assert!(kept.replay_after(count), "{count}");
            assert_eq!(kept.unwritten(), expected.iter().map(|run| run.len()).sum::<usize>());
            assert_eq!(replay(&mut kept), expected, "{count}");
            assert_eq!((kept.unwritten(), kept.is_replaying()), (0, false));
            assert!(kept.acknowledge(5), "{count}");
            assert_eq!((kept.runs.len(), kept.bytes), (0, 0));
        }
    }

    #[test]
    fn nothing_is_acknowledged_before_it_was_written_on_this_connection() {
        let mut kept = Kept::default();
        kept.keep(run(&["a"]));
        kept.keep(run(&["b"]));
        assert!(kept.replay_after(0));
        assert!(!kept.acknowledge(1));
        assert!(kept.acknowledge(0));
        kept.next_replay();
        assert!(kept.acknowledge(1));
        assert!(!kept.acknowledge(2));
        kept.next_replay();
        assert!(kept.acknowledge(2));
    }

    #[test]
    fn what_is_to_be_replayed_is_not_forgotten() {
        let config = Config::default().max_kept_frames(512);
        let mut kept = Kept::default();
        for _ in 0..512 {
            kept.keep(run(&["x"]));
        }
        assert!(kept.replay_after(0));
        kept.make_room(0, 1, &config);
        assert_eq!(kept.forgotten, 0);
        kept.next_replay();
        kept.make_room(0, 1, &config);
        assert_eq!(kept.forgotten, 1);
    }

    #[test]
    fn what_was_forgotten_cannot_be_replayed() {
        let config = Config::default().max_kept_frames(512);
        let mut kept = Kept::default();
        for _ in 0..513 {
            keep(&mut kept, "x", &config);
        }
        assert!(kept.may_have(0));
        assert!(!kept.replay_after(0));
        assert!(kept.replay_after(1));
    }
}
