//! Arbitrary frames, and arbitrary texts that look like frames.

use proptest::prelude::*;
use stocking_proto::{
    AckId, ChannelName, ClientFrame, Count, Destination, ErrorCode, MAX_INTEGER, MembershipChange, PingCode,
    ServerFrame,
};

/// What a frame is made of. Frames borrow, so a strategy makes the parts, and the test the frame.
#[derive(Clone, Debug)]
pub struct Ingredients {
    variant: u8,
    number: u64,
    code: i32,
    name: String,
    text: String,
}

pub fn ingredients() -> impl Strategy<Value = Ingredients> {
    let text = prop_oneof!["[^,]{0,6}", any::<String>(), "(?s).{0,40}"];
    (any::<u8>(), integer(), any::<i32>(), name(), text)
        .prop_map(|(variant, number, code, name, text)| Ingredients { variant, number, code, name, text })
}

impl Ingredients {
    pub fn client_frame(&self) -> ClientFrame<'_> {
        let Self { variant, number, code: _, name, text } = self;
        match variant % 8 {
            0 => ClientFrame::Open,
            1 => ClientFrame::Resume(text),
            2 => ClientFrame::Close,
            3 => ClientFrame::Ping(PingCode::new(text).unwrap_or(PingCode::EMPTY)),
            4 => ClientFrame::Message { id: AckId::new(*number), content: text },
            5 => ClientFrame::Broadcast { to: self.destination(), content: text },
            6 => ClientFrame::Join(ChannelName::new(name).unwrap()),
            _ => ClientFrame::Leave(ChannelName::new(name).unwrap()),
        }
    }

    pub fn server_frame(&self) -> ServerFrame<'_> {
        let Self { variant, number, code, name, text } = self;
        let channel = ChannelName::new(name).unwrap();
        match variant % 12 {
            0 => ServerFrame::Connected,
            1 => ServerFrame::Opened(text),
            2 => ServerFrame::Resumed(text),
            3 => ServerFrame::Error { code: ErrorCode::new(*code).unwrap_or(ErrorCode::PLAIN), text },
            4 => ServerFrame::Close,
            5 => ServerFrame::Pong(Count::new(*number).filter(|count| *count != Count::ZERO)),
            6 => ServerFrame::Reply { id: AckId::new(number | 1).unwrap(), content: text },
            7 => ServerFrame::Broadcast { to: self.destination(), content: text },
            8 => ServerFrame::Membership { channel, change: MembershipChange::Left },
            9 => ServerFrame::Membership { channel, change: MembershipChange::Joined },
            10 => ServerFrame::Membership { channel, change: MembershipChange::TakenOut },
            _ => ServerFrame::Membership { channel, change: MembershipChange::PutIn },
        }
    }

    fn destination(&self) -> Destination<'_> {
        // A text may also be a destination that no channel is: one that begins with an `@`.
        Destination::new(&self.text).unwrap_or_else(|_| ChannelName::new(&self.name).unwrap().into())
    }
}

/// Integers of every length, the ends included.
pub fn integer() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..=53_u32).prop_map(|(bits, len)| bits & ((1 << len) - 1) & MAX_INTEGER)
}

/// Names that can be joined.
pub fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", "[^,@\\p{Cc}][^,\\p{Cc}]{0,62}", "[a-z]{255}"]
}

/// Texts that are frames, or nearly: every part from a few that are right or almost.
pub fn near_frame() -> impl Strategy<Value = String> {
    let kind = prop_oneof![8 => "[0-6]", 1 => "[0-9]{0,2}", 1 => any::<char>().prop_map(String::from)];
    let code =
        prop_oneof!["[0-4]?", "-?[0-9]{0,21}", "9007199254740[0-9]{3}", "@?[a-z\n]{0,5}", "[x]{250,260}"];
    let content = prop_oneof!["[@a-z,]{0,6}", "[x]{250,260}", "(?s).{0,20}"];
    (kind, prop::option::of((code, prop::option::of(content)))).prop_map(|(kind, rest)| match rest {
        None => kind,
        Some((code, None)) => format!("{kind},{code}"),
        Some((code, Some(content))) => format!("{kind},{code},{content}"),
    })
}

/// Any text at all.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), near_frame()]
}
