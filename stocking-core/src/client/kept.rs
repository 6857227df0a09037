//! A client's frames from the moment they are made until the server has taken them in, and their numbers (protocol, part 2).

use std::collections::VecDeque;

use stocking_proto::AckId;

use super::{ClientConfig, event::Frame};

#[derive(Debug)]
pub(super) struct Kept {
    /// First those that were written and not acknowledged, then those that were never written.
    frames: VecDeque<Entry>,
    bytes: usize,
    /// How many frames of this session the server has taken in: the number of the frame before the first one here.
    acknowledged: u64,
    /// How many frames of this session the server has taken in, as an answer to the last of them proves. They are kept until
    /// they are acknowledged, since a `3` may be older than the answer; they are not unknown any more.
    proven: u64,
    /// How many frames of this session were ever written: the highest number.
    numbered: u64,
    /// How many of `frames` were written on this connection.
    written: usize,
}

#[derive(Debug)]
struct Entry {
    frame: Frame,
    call: Option<AckId>,
}

impl Entry {
    fn length(&self) -> usize {
        self.frame.as_str().len()
    }
}

impl Kept {
    pub(super) fn new() -> Self {
        Self { frames: VecDeque::new(), bytes: 0, acknowledged: 0, proven: 0, numbered: 0, written: 0 }
    }

    pub(super) fn has_room(&self, length: usize, config: &ClientConfig) -> bool {
        self.frames.len() < config.max_kept_frames && self.bytes + length <= config.max_kept_bytes
    }

    /// How many frames there are, and of how many bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.frames.len(), self.bytes)
    }

    pub(super) fn push(&mut self, frame: Frame, call: Option<AckId>) {
        let entry = Entry { frame, call };
        self.bytes += entry.length();
        self.frames.push_back(entry);
    }

    /// Puts frames before all others. Only when none is numbered.
    pub(super) fn put_first(&mut self, frames: impl DoubleEndedIterator<Item = Frame>) {
        for frame in frames.rev() {
            let entry = Entry { frame, call: None };
            self.bytes += entry.length();
            self.frames.push_front(entry);
        }
    }

    /// The next frame for this connection's transport, which has its number from here on.
    pub(super) fn write_next(&mut self) -> Option<&Frame> {
        let entry = self.frames.get(self.written)?;
        self.written += 1;
        self.numbered = self.numbered.max(self.acknowledged + self.written as u64);
        Some(&entry.frame)
    }

    /// Whether there is anything that this connection's transport was not given.
    pub(super) fn has_unwritten(&self) -> bool {
        self.written < self.frames.len()
    }

    /// Whether there is anything that the server may not have taken in.
    pub(super) fn has_unproven(&self) -> bool {
        self.frames.len() > self.first_unproven()
    }

    /// The server has answered a call: it has taken in all up to that. Frames are taken in in order, whatever the order in
    /// which they are answered.
    pub(super) fn prove_call(&mut self, call: AckId) {
        let first = self.first_unproven();
        let unproven = self.frames.range(first..self.first_unnumbered());
        // Ids rise with the frames: behind a higher one there is none to be found.
        let mut calls = unproven.enumerate().filter_map(|(at, entry)| entry.call.map(|call| (at, call)));
        if let Some((at, _)) = calls.find(|(_, id)| *id >= call).filter(|(_, id)| *id == call) {
            self.proven = self.acknowledged + (first + at) as u64 + 1;
        }
    }

    /// The server has answered a join or a leave, so many others behind which are not answered.
    pub(super) fn prove_ask(&mut self, later: usize) {
        let mut asks = self.frames.iter().enumerate().rev().filter(|(_, entry)| entry.frame.is_ask());
        if let Some((at, _)) = asks.nth(later)
            && at < self.first_unnumbered()
        {
            self.proven = self.proven.max(self.acknowledged + at as u64 + 1);
        }
    }

    /// The server has taken in `count` frames; `false` where that cannot be.
    #[must_use]
    pub(super) fn acknowledge(&mut self, count: u64) -> bool {
        if count < self.acknowledged || count > self.acknowledged + self.written as u64 {
            return false;
        }
        self.written -= self.forget(count);
        true
    }

    /// A new connection goes on with the session, of which the server has taken in `count` frames; `false` where that
    /// cannot be.
    #[must_use]
    pub(super) fn resume(&mut self, count: u64) -> bool {
        // What was answered is not sent again, whatever the server says.
        if count < self.acknowledged.max(self.proven) || count > self.numbered {
            return false;
        }
        self.forget(count);
        self.written = 0;
        true
    }

    /// Forgets what is acknowledged, and says how many that were.
    fn forget(&mut self, count: u64) -> usize {
        let taken = (count - self.acknowledged) as usize;
        self.bytes -= self.frames.drain(..taken).map(|entry| entry.length()).sum::<usize>();
        self.acknowledged = count;
        taken
    }

    /// The connection is gone.
    pub(super) fn detach(&mut self) {
        self.written = 0;
    }

    /// The session is gone: takes out what was written, and counts anew. Gives what may not have been taken in.
    pub(super) fn lose(&mut self) -> Vec<Frame> {
        let first = self.first_unproven();
        let written = self.frames.drain(..(self.numbered - self.acknowledged) as usize);
        let written: Vec<_> = written.collect();
        self.bytes -= written.iter().map(Entry::length).sum::<usize>();
        (self.acknowledged, self.proven, self.numbered, self.written) = (0, 0, 0, 0);
        written.into_iter().skip(first).map(|entry| entry.frame).collect()
    }

    /// Takes a frame back that was never written: that of this call.
    pub(super) fn withdraw(&mut self, call: AckId) -> bool {
        let first = self.first_unnumbered();
        let mut unwritten = self.frames.iter().skip(first);
        let Some(at) = unwritten.position(|entry| entry.call == Some(call)) else { return false };
        if let Some(entry) = self.frames.remove(first + at) {
            self.bytes -= entry.length();
        }
        true
    }

    /// Takes back what was never written and would end a session that takes frames of at most `max` bytes.
    pub(super) fn withdraw_longer_than(&mut self, max: u64) -> Vec<(Frame, Option<AckId>)> {
        let first = self.first_unnumbered();
        let mut withdrawn = Vec::new();
        if self.frames.iter().skip(first).any(|entry| entry.frame.as_str().len() as u64 > max) {
            for entry in self.frames.split_off(first) {
                if entry.frame.as_str().len() as u64 > max {
                    self.bytes -= entry.length();
                    withdrawn.push((entry.frame, entry.call));
                } else {
                    self.frames.push_back(entry);
                }
            }
        }
        withdrawn
    }

    /// Takes out everything.
    pub(super) fn clear(&mut self) -> Vec<Frame> {
        (self.bytes, self.acknowledged, self.proven, self.numbered, self.written) = (0, 0, 0, 0, 0);
        self.frames.drain(..).map(|entry| entry.frame).collect()
    }

    /// What was never written.
    pub(super) fn unnumbered(&self) -> impl Iterator<Item = (&Frame, Option<AckId>)> {
        self.frames.iter().skip(self.first_unnumbered()).map(|entry| (&entry.frame, entry.call))
    }

    fn first_unproven(&self) -> usize {
        self.proven.saturating_sub(self.acknowledged) as usize
    }

    fn first_unnumbered(&self) -> usize {
        (self.numbered - self.acknowledged) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{super::event::Frame, Kept};

    fn kept(texts: &[&str]) -> Kept {
        let mut kept = Kept::new();
        for text in texts {
            kept.push(Frame::new((*text).into()), None);
        }
        kept
    }

    fn write(kept: &mut Kept, count: usize) -> Vec<String> {
        (0..count).map_while(|_| kept.write_next().map(|frame| frame.as_str().to_owned())).collect()
    }

    #[test]
    fn what_is_not_acknowledged_is_written_again_on_the_next_connection() {
        let mut kept = kept(&["4,0,a", "4,0,b", "4,0,c", "4,0,d"]);
        assert_eq!(write(&mut kept, 3), ["4,0,a", "4,0,b", "4,0,c"]);
        assert!(kept.acknowledge(1));
        kept.detach();
        assert!(kept.resume(2));
        assert_eq!(write(&mut kept, 9), ["4,0,c", "4,0,d"]);
        assert!(kept.acknowledge(4));
        assert!(kept.frames.is_empty() && kept.bytes == 0);
    }

    #[test]
    fn only_what_was_written_on_this_connection_can_be_acknowledged() {
        let mut kept = kept(&["4,0,a", "4,0,b", "4,0,c"]);
        write(&mut kept, 2);
        assert!(!kept.acknowledge(3));
        assert!(kept.acknowledge(1));
        assert!(!kept.acknowledge(0));
        kept.detach();
        assert!(kept.resume(1));
        assert!(!kept.acknowledge(2), "it was written before, but not here");
        write(&mut kept, 1);
        assert!(kept.acknowledge(2));
    }

    #[test]
    fn a_resume_from_the_future_or_the_past_is_none() {
        let mut kept = kept(&["4,0,a", "4,0,b", "4,0,c"]);
        write(&mut kept, 2);
        assert!(kept.acknowledge(1));
        kept.detach();
        assert!(!kept.resume(0));
        assert!(!kept.resume(3));
        assert!(kept.resume(1));
    }

    #[test]
    fn a_lost_session_leaves_what_was_never_written() {
        let mut kept = kept(&["4,0,a", "4,0,b", "4,0,c"]);
        write(&mut kept, 2);
        assert!(kept.acknowledge(1));
        let lost = kept.lose();
        assert_eq!(lost, [Frame::new("4,0,b".into())]);
        kept.put_first(["6,1,x", "6,1,y"].map(|text| Frame::new(text.into())).into_iter());
        assert_eq!(write(&mut kept, 9), ["6,1,x", "6,1,y", "4,0,c"]);
        assert!(kept.acknowledge(3));
        assert_eq!(kept.bytes, 0);
    }

    #[test]
    fn what_is_too_long_is_taken_back_unless_it_was_written() {
        let mut kept = kept(&["4,0,long", "4,0,longer", "4,0,a"]);
        write(&mut kept, 1);
        let withdrawn: Vec<_> = kept.withdraw_longer_than(5).into_iter().map(|(frame, _)| frame).collect();
        assert_eq!(withdrawn, [Frame::new("4,0,longer".into())]);
        assert_eq!(write(&mut kept, 9), ["4,0,a"]);
    }
}
