//! A client's frames (RFC 6455, section 5): bytes in, text out.
//!
//! Nearly every message is one whole text frame. It is unmasked where it lies and handed out as a `&str` of the
//! caller's buffer: no allocation, no copy, nothing kept. Everything else is judged by its header, before any of its
//! payload is kept, and then goes to tungstenite as one whole frame.

use std::{
    io::Cursor,
    time::{Duration, Instant},
};

use tungstenite::{
    Message, Utf8Bytes,
    protocol::frame::{
        FrameHeader,
        coding::{CloseCode, Control, Data, OpCode},
    },
};

use super::{
    mask::unmask,
    reassembly::{self, Fragments, MAX_CONTROL_PAYLOAD},
    violation::Violation,
};
use crate::config::Config;

/// Takes a client's frames off the front of what was read.
///
/// It holds something only while a message is fragmented: eight bytes for everyone else.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The message that is in the middle of its fragments.
    fragments: Option<Box<Fragments>>,
}

/// What one frame amounts to.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Step<'a> {
    /// A message in a single frame, unmasked in the caller's buffer.
    Text(&'a str),
    /// The last fragment of a message: all of it.
    Assembled(Utf8Bytes),
    /// Nothing for the caller to do: a ping (its pong is in the output), a pong, a fragment that is not the last.
    Control,
    /// The peer closes, with this code if it gave one. The echo is in the output; no frame follows.
    Close(Option<u16>),
    /// The rest of the frame has not come. Nothing of it was consumed or changed.
    Incomplete,
    /// The peer broke a rule. No answer was written, the close frame is the caller's; the decoder is not used again.
    Violation(Violation),
}

impl Decoder {
    /// Takes one frame off the front of `input`.
    #[inline]
    pub(crate) fn next<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        limits: &Config,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Step<'a> {
        if self.fragments.is_none()
            && let Some(header) = WholeText::parse(input)
            && header.length <= limits.max_message_size
            && let Some(payload) = header.take_payload(input)
        {
            unmask(payload, header.mask);
            return match std::str::from_utf8(payload) {
                Ok(text) => Step::Text(text),
                Err(_) => Step::Violation(Violation::InvalidUtf8),
            };
        }
        let step = self.next_of_any_kind(input, limits, now, out).unwrap_or_else(Step::Violation);
        if matches!(step, Step::Close(_) | Step::Violation(_)) {
            self.fragments = None;
        }
        step
    }

    /// Whether a message is in the middle of its fragments.
    #[inline]
    pub(crate) fn is_in_message(&self) -> bool {
        self.fragments.is_some()
    }

    /// When it is too late for the rest of a fragmented message: [`Violation::MessageTimeout`].
    pub(crate) fn deadline(&self, config: &Config) -> Option<Instant> {
        self.fragments.as_ref()?.deadline(config)
    }

    /// Gives a fragmented message more time.
    pub(crate) fn postpone(&mut self, time: Duration) {
        if let Some(fragments) = &mut self.fragments {
            fragments.postpone(time);
        }
    }

    /// Takes one frame of any kind, or nothing while it is not whole.
    fn next_of_any_kind<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        limits: &Config,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<Step<'a>, Violation> {
        let mut cursor = Cursor::new(&**input);
        let Some((header, length)) = FrameHeader::parse(&mut cursor)? else { return Ok(Step::Incomplete) };
        let header_length = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let mask = self.judge(&header, length, limits, now)?;
        let frame_length = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(header_length);
        let Some(frame) = input.split_off_mut(..frame_length) else { return Ok(Step::Incomplete) };
        let message = match (header.opcode, &mut self.fragments) {
            (OpCode::Control(Control::Close), _)
                if !has_valid_close_code(frame.get(header_length..), mask) =>
            {
                return Err(Violation::Framing);
            }
            (OpCode::Control(_), Some(fragments)) => reassembly::read(&mut fragments.context, frame, out)?,
            (OpCode::Control(_), None) => reassembly::read(&mut reassembly::context(limits), frame, out)?,
            (OpCode::Data(_), fragments) => {
                let mut message = fragments.take().unwrap_or_else(|| Box::new(Fragments::new(limits, now)));
                let assembled = message.add(frame, length, out)?;
                // The last fragment takes with it all that was allocated for the message.
                if !header.is_final {
                    *fragments = Some(message);
                }
                assembled
            }
        };
        match message {
            Some(Message::Text(text)) => Ok(Step::Assembled(text)),
            Some(Message::Binary(_)) => Err(Violation::BinaryMessage),
            Some(Message::Close(frame)) => Ok(Step::Close(frame.map(|frame| frame.code.into()))),
            // A frame as such is only ever written. No message at all is a fragment that is not the last.
            Some(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) | None => Ok(Step::Control),
        }
    }

    /// Finds what is wrong with a frame by its header alone, before any of its payload is kept; otherwise its mask.
    fn judge(
        &self,
        header: &FrameHeader,
        length: u64,
        limits: &Config,
        now: Instant,
    ) -> Result<[u8; 4], Violation> {
        let Some(mask) = header.mask else { return Err(Violation::Framing) };
        // Without an extension the reserved bits are zero (RFC 6455, section 5.2).
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::Framing);
        }
        if self.deadline(limits).is_some_and(|deadline| now >= deadline) {
            return Err(Violation::MessageTimeout);
        }
        match (header.opcode, &self.fragments) {
            (OpCode::Control(Control::Close | Control::Ping | Control::Pong), _) => {
                let is_valid = header.is_final && length <= u64::from(MAX_CONTROL_PAYLOAD);
                return if is_valid { Ok(mask) } else { Err(Violation::Framing) };
            }
            (OpCode::Data(Data::Text), None) | (OpCode::Data(Data::Continue), Some(_)) => {}
            (OpCode::Data(Data::Binary), None) => return Err(Violation::BinaryMessage),
            (OpCode::Data(Data::Text | Data::Binary), Some(_))
            | (OpCode::Data(Data::Continue), None)
            | (OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)), _) => {
                return Err(Violation::Framing);
            }
        }
        // The most significant bit of a length is zero (RFC 6455, section 5.2).
        if length > u64::MAX / 2 {
            return Err(Violation::Framing);
        }
        let (count, size) = self.fragments.as_deref().map_or((0, 0), |message| (message.count, message.size));
        // In 64 bits, since that is what a peer may claim, whatever the size of a `usize`.
        if size.saturating_add(length) > limits.max_message_size as u64 {
            return Err(Violation::MessageTooBig);
        }
        // A message in one frame has no fragments.
        let is_whole = header.is_final && self.fragments.is_none();
        if count >= limits.max_fragments && !is_whole {
            return Err(Violation::TooManyFragments);
        }
        Ok(mask)
    }
}

/// Whether a close frame has no code or one that may be sent (RFC 6455, section 7.4).
///
/// tungstenite would echo another one as 1002, which is then not to be told from a peer that sends 1002. Half a code is
/// left to it.
fn has_valid_close_code(payload: Option<&[u8]>, mask: [u8; 4]) -> bool {
    let (Some([high, low, ..]), [key_high, key_low, ..]) = (payload, mask) else { return true };
    CloseCode::from(u16::from_be_bytes([high ^ key_high, low ^ key_low])).is_allowed()
}

/// The header of a masked text frame that is a message by itself.
struct WholeText {
    /// Bytes before the payload.
    header_length: usize,
    /// Bytes of the payload, as claimed.
    length: usize,
    /// What the payload is masked with.
    mask: [u8; 4],
}

impl WholeText {
    /// Recognises the header; `None` for everything else, half a header included.
    #[inline]
    fn parse(input: &[u8]) -> Option<Self> {
        // Final, no reserved bits, opcode 1; then the mask bit with a length of 7 bits, or with 126 or 127 and one of
        // 16 or 64 bits (RFC 6455, section 5.2).
        match *input {
            [0x81, length @ 0x80..=0xfd, a, b, c, d, ..] => {
                Some(Self { header_length: 6, length: usize::from(length & 0x7f), mask: [a, b, c, d] })
            }
            [0x81, 0xfe, high, low, a, b, c, d, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                Some(Self { header_length: 8, length, mask: [a, b, c, d] })
            }
            [0x81, 0xff, l0, l1, l2, l3, l4, l5, l6, l7, a, b, c, d, ..] => {
                let length = usize::try_from(u64::from_be_bytes([l0, l1, l2, l3, l4, l5, l6, l7])).ok()?;
                Some(Self { header_length: 14, length, mask: [a, b, c, d] })
            }
            _ => None,
        }
    }

    /// Takes the frame off the front and gives its payload, if all of it is there.
    #[inline]
    fn take_payload<'a>(&self, input: &mut &'a mut [u8]) -> Option<&'a mut [u8]> {
        let frame_length = self.header_length.saturating_add(self.length);
        input.split_off_mut(..frame_length)?.get_mut(self.header_length..)
    }
}

#[cfg(test)]
mod tests;
