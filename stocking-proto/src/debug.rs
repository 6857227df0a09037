//! Frames as logs show them: those that open or resume a session hold its key, and logs are no place for that.

use core::fmt;

use crate::{ClientFrame, ServerFrame};

/// Content with a key in it: as long as it is.
struct Hidden(usize);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

impl fmt::Debug for ClientFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("Open"),
            Self::Resume(content) => f.debug_tuple("Resume").field(&Hidden(content.len())).finish(),
            Self::Close => f.write_str("Close"),
            Self::Ping(code) => f.debug_tuple("Ping").field(code).finish(),
            Self::Message { id, content } => {
                f.debug_struct("Message").field("id", id).field("content", content).finish()
            }
            Self::Broadcast { to, content } => {
                f.debug_struct("Broadcast").field("to", to).field("content", content).finish()
            }
            Self::Join(channel) => f.debug_tuple("Join").field(channel).finish(),
            Self::Leave(channel) => f.debug_tuple("Leave").field(channel).finish(),
        }
    }
}

impl fmt::Debug for ServerFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("Connected"),
            Self::Opened(content) => f.debug_tuple("Opened").field(&Hidden(content.len())).finish(),
            Self::Resumed(content) => f.debug_tuple("Resumed").field(content).finish(),
            Self::Error { code, text } => {
                f.debug_struct("Error").field("code", code).field("text", text).finish()
            }
            Self::Close => f.write_str("Close"),
            Self::Pong(count) => f.debug_tuple("Pong").field(count).finish(),
            Self::Reply { id, content } => {
                f.debug_struct("Reply").field("id", id).field("content", content).finish()
            }
            Self::Broadcast { to, content } => {
                f.debug_struct("Broadcast").field("to", to).field("content", content).finish()
            }
            Self::Membership { channel, change } => {
                f.debug_struct("Membership").field("channel", channel).field("change", change).finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use crate::{ClientFrame, ServerFrame};

    #[test]
    fn no_key_is_shown() {
        let content = r#"{"id":"@1","key":"secret"}"#;
        assert_eq!(format!("{:?}", ClientFrame::Resume(content)), "Resume(26 bytes)");
        assert_eq!(format!("{:?}", ServerFrame::Opened(content)), "Opened(26 bytes)");
    }

    #[test]
    fn other_frames_are_shown_as_they_are() {
        let frame = ClientFrame::parse("5,news,hello").unwrap();
        assert_eq!(format!("{frame:?}"), r#"Broadcast { to: Destination("news"), content: "hello" }"#);
        let frame = ServerFrame::parse("3,7,").unwrap();
        assert_eq!(format!("{frame:?}"), "Pong(Some(Count(7)))");
    }
}
