//! From a frame to its text: the bare type where code and content are both empty, both commas otherwise.

use alloc::vec::Vec;
use core::fmt;

use crate::frame::{ClientFrame, MembershipChange, ServerFrame};
use crate::number::{AckId, decimal_len};

impl ClientFrame<'_> {
    /// Appends the frame's text, which is UTF-8.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Open => append(out, ["0,0,"]),
            Self::Resume(content) => append(out, ["0,1,", content]),
            Self::Close => append(out, ["2"]),
            Self::Ping(code) if code.as_str().is_empty() => append(out, ["3"]),
            Self::Ping(code) => append(out, ["3,", code.as_str(), ","]),
            Self::Message { id: None, content } => append(out, ["4,0,", content]),
            Self::Message { id: Some(id), content } => {
                append(out, ["4,"]);
                id.write_to(out);
                append(out, [",", content]);
            }
            Self::Broadcast { to, content } => append(out, ["5,", to.as_str(), ",", content]),
            Self::Join(channel) => append(out, ["6,1,", channel.as_str()]),
            Self::Leave(channel) => append(out, ["6,0,", channel.as_str()]),
        }
    }
}

impl ServerFrame<'_> {
    /// Appends the frame's text, which is UTF-8 and [`encoded_len`](Self::encoded_len) bytes long.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Connected => append(out, ["0"]),
            Self::Opened(content) => append(out, ["0,0,", content]),
            Self::Resumed(content) => append(out, ["0,1,", content]),
            Self::Error { code, text } => {
                append(out, ["1,"]);
                code.write_to(out);
                append(out, [",", text]);
            }
            Self::Close => append(out, ["2"]),
            Self::Pong(None) => append(out, ["3"]),
            Self::Pong(Some(count)) => {
                append(out, ["3,"]);
                count.write_to(out);
                append(out, [","]);
            }
            Self::Reply { id, content } => {
                append_reply_head(out, id);
                append(out, [content]);
            }
            Self::Broadcast { to, content } => append(out, ["5,", to.as_str(), ",", content]),
            Self::Membership { channel, change } => append(out, ["6,", digit(change), ",", channel.as_str()]),
        }
    }

    /// How many bytes [`encode`](Self::encode) appends, for transports that write the length of a message before it.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        match *self {
            Self::Connected | Self::Close | Self::Pong(None) => 1,
            Self::Opened(content) | Self::Resumed(content) => 4 + content.len(),
            Self::Error { code, text } => 3 + code.encoded_len() + text.len(),
            Self::Pong(Some(count)) => 3 + decimal_len(count.get()),
            Self::Reply { id, content } => reply_head_len(id) + content.len(),
            Self::Broadcast { to, content } => 3 + to.len() + content.len(),
            Self::Membership { channel, .. } => 4 + channel.len(),
        }
    }
}

impl fmt::Display for ClientFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(f, |text| self.encode(text))
    }
}

impl fmt::Display for ServerFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(f, |text| self.encode(text))
    }
}

/// Shows what is encoded.
pub(crate) fn display(f: &mut fmt::Formatter<'_>, encode: impl FnOnce(&mut Vec<u8>)) -> fmt::Result {
    let mut text = Vec::new();
    encode(&mut text);
    f.pad(str::from_utf8(&text).map_err(|_| fmt::Error)?)
}

/// Appends `4,<id>,`.
#[inline]
pub(crate) fn append_reply_head(out: &mut Vec<u8>, id: AckId) {
    append(out, ["4,"]);
    id.write_to(out);
    append(out, [","]);
}

/// How many bytes [`append_reply_head`] appends.
pub(crate) const fn reply_head_len(id: AckId) -> usize {
    3 + decimal_len(id.get())
}

#[inline]
pub(crate) fn append<const N: usize>(out: &mut Vec<u8>, texts: [&str; N]) {
    for text in texts {
        out.extend_from_slice(text.as_bytes());
    }
}

const fn digit(change: MembershipChange) -> &'static str {
    match change {
        MembershipChange::Left => "0",
        MembershipChange::Joined => "1",
        MembershipChange::TakenOut => "2",
        MembershipChange::PutIn => "3",
    }
}
