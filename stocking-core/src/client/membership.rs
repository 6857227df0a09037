//! Which channels a client is in, as the server tells, and which it has asked for.

use std::collections::{BTreeMap, VecDeque};

use stocking_proto::MembershipChange;

use super::event::ChannelChange;
use crate::Error;

#[derive(Debug, Default)]
pub(super) struct Memberships {
    /// What was asked and not answered, in the order of the frames: answers come in the same.
    asked: VecDeque<Ask>,
    inside: BTreeMap<String, By>,
}

#[derive(Debug, Eq, PartialEq)]
struct Ask {
    channel: String,
    joins: bool,
}

/// Who put the client in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum By {
    Client,
    Server,
}

/// What becomes of the memberships of a session that is lost.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Lost {
    /// What the client had joined: to be joined again.
    pub(super) joined: Vec<String>,
    /// Where the server had put it: that is the server's to do again.
    pub(super) put_in: Vec<String>,
}

impl Memberships {
    pub(super) fn ask(&mut self, channel: &str, joins: bool) {
        self.asked.push_back(Ask { channel: channel.into(), joins });
    }

    /// How many joins and leaves that wait for their answers are behind the one that an answer about this channel is for.
    pub(super) fn asked_after(&self, channel: &str) -> Option<usize> {
        let at = self.asked.iter().position(|ask| ask.channel == channel)?;
        Some(self.asked.len() - at - 1)
    }

    /// The answer to a join or a leave. `error` is the `1` directly before it.
    pub(super) fn answer(&mut self, channel: &str, inside: bool, error: Option<Error>) -> ChannelChange {
        let at = self.asked.iter().position(|ask| ask.channel == channel);
        // A server that answers what was not asked tells all the same what is true.
        let joins = at.and_then(|at| self.asked.remove(at)).map_or(inside, |ask| ask.joins);
        if !inside {
            self.inside.remove(channel);
        } else if joins {
            self.inside.insert(channel.into(), By::Client);
        }
        let error = || error.unwrap_or_else(Error::unexplained);
        match (joins, inside) {
            (true, true) => ChannelChange::Joined,
            (true, false) => ChannelChange::Refused(error()),
            (false, false) => ChannelChange::Left,
            (false, true) => ChannelChange::Kept(error()),
        }
    }

    /// Whether this would make the client remember one more channel for which it has not asked.
    pub(super) fn grows(&self, channel: &str, change: MembershipChange) -> bool {
        let inside = matches!(change, MembershipChange::Joined | MembershipChange::PutIn);
        inside
            && !self.inside.contains_key(channel)
            && (change == MembershipChange::PutIn || !self.is_asking(channel))
    }

    /// How many channels the client is in.
    pub(super) fn len(&self) -> usize {
        self.inside.len()
    }

    /// The server itself moves the client.
    pub(super) fn notice(&mut self, channel: &str, inside: bool) -> ChannelChange {
        if inside {
            self.inside.entry(channel.into()).or_insert(By::Server);
            ChannelChange::PutIn
        } else {
            self.inside.remove(channel);
            ChannelChange::TakenOut
        }
    }

    /// The session is lost; `unwritten` of the frames that ask were never written, and follow in the next one.
    pub(super) fn lose(&mut self, unwritten: usize) -> Lost {
        let mut inside = std::mem::take(&mut self.inside);
        for ask in self.asked.drain(..self.asked.len().saturating_sub(unwritten)) {
            if ask.joins {
                inside.insert(ask.channel, By::Client);
            } else {
                inside.remove(&ask.channel);
            }
        }
        let mut lost = Lost::default();
        for (channel, by) in inside {
            match by {
                By::Client => lost.joined.push(channel),
                By::Server => lost.put_in.push(channel),
            }
        }
        for channel in lost.joined.iter().rev() {
            self.asked.push_front(Ask { channel: channel.clone(), joins: true });
        }
        lost
    }

    /// Whether an answer about this channel is still to come.
    pub(super) fn is_asking(&self, channel: &str) -> bool {
        self.asked.iter().any(|ask| ask.channel == channel)
    }

    /// The channels that the client is in.
    pub(super) fn channels(&self) -> impl Iterator<Item = &str> {
        self.inside.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lost, Memberships};
    use crate::{Error, client::ChannelChange};

    #[test]
    fn answers_belong_to_what_was_asked() {
        let mut memberships = Memberships::default();
        for (channel, joins) in [("a", true), ("b", true), ("a", false), ("a", true)] {
            memberships.ask(channel, joins);
        }
        assert_eq!(memberships.answer("a", true, None), ChannelChange::Joined);
        let refusal = Error::not_allowed("members only");
        assert_eq!(
            memberships.answer("b", false, Some(refusal.clone())),
            ChannelChange::Refused(refusal.clone())
        );
        assert_eq!(memberships.notice("c", true), ChannelChange::PutIn);
        assert_eq!(memberships.answer("a", false, None), ChannelChange::Left);
        assert_eq!(memberships.answer("a", true, None), ChannelChange::Joined);
        assert_eq!(memberships.notice("a", false), ChannelChange::TakenOut);
        assert_eq!(memberships.channels().collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn a_lost_session_is_joined_again_as_far_as_the_client_had_asked() {
        let mut memberships = Memberships::default();
        for channel in ["in", "left", "taken out"] {
            memberships.ask(channel, true);
            assert_eq!(memberships.answer(channel, true, None), ChannelChange::Joined);
        }
        memberships.notice("put in", true);
        memberships.notice("taken out", false);
        // Written, but not answered.
        memberships.ask("left", false);
        memberships.ask("asked", true);
        // Never written.
        memberships.ask("later", true);
        memberships.ask("in", false);
        let lost = memberships.lose(2);
        assert_eq!(lost, Lost { joined: vec!["asked".into(), "in".into()], put_in: vec!["put in".into()] });
        // In the next session: what is joined again, then what was never written.
        for (channel, inside) in [("asked", true), ("in", true), ("later", true), ("in", false)] {
            memberships.answer(channel, inside, None);
        }
        assert_eq!(memberships.channels().collect::<Vec<_>>(), ["asked", "later"]);
        assert!(memberships.asked.is_empty());
    }
}
