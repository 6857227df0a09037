//! From a text to a frame.
//!
//! The grammar says where a frame's three parts are. Only a type can break it, since a code is anything up to a comma
//! and a content anything at all. What the parts mean is said by one function per type and direction.

use nom::bytes::complete::take_till;
use nom::character::complete::{char, satisfy};
use nom::combinator::{eof, opt, peek, rest};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::code::ErrorCode;
use crate::error::{FrameError, FrameErrorKind};
use crate::frame::{ClientFrame, MembershipChange, PingCode, ServerFrame, optional_count};
use crate::name::{ChannelName, Destination, NameError};
use crate::number::AckId;

impl<'a> ClientFrame<'a> {
    /// Reads a text that a client sent. The first fault wins: type, code, channel name.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        match call(text) {
            Some(frame) => Ok(frame),
            None => Self::parse_any(text),
        }
    }

    fn parse_any(text: &'a str) -> Result<Self, FrameError> {
        let parts = Parts::split(text)?;
        match parts.kind {
            '0' => open_or_resume(&parts),
            '1' => Err(FrameError::new(FrameErrorKind::WrongDirection, 0)),
            '2' => Ok(Self::Close),
            '3' => Ok(Self::Ping(PingCode::without_comma(parts.code))),
            '4' => message(&parts),
            '5' => Ok(Self::Broadcast { to: parts.destination()?, content: parts.content }),
            _ => join_or_leave(&parts),
        }
    }
}

impl<'a> ServerFrame<'a> {
    /// Reads a text that a server sent. The first fault wins: type, code, channel name.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        let parts = Parts::split(text)?;
        match parts.kind {
            '0' => connected(&parts),
            '1' => error(&parts),
            '2' => Ok(Self::Close),
            '3' => pong(&parts),
            '4' => reply(&parts),
            '5' => Ok(Self::Broadcast { to: parts.destination()?, content: parts.content }),
            _ => membership(&parts),
        }
    }
}

/// Recognises a message with a callback, which nearly every frame is: its id is read on the way to where it ends.
#[inline]
fn call(text: &str) -> Option<ClientFrame<'_>> {
    let (id, content) = AckId::parse_to_comma(text.strip_prefix("4,")?)?;
    Some(ClientFrame::Message { id: Some(id), content })
}

fn open_or_resume<'a>(parts: &Parts<'a>) -> Result<ClientFrame<'a>, FrameError> {
    match parts.code {
        "0" => Ok(ClientFrame::Open),
        "1" => Ok(ClientFrame::Resume(parts.content)),
        _ => Err(parts.bad_code(FrameErrorKind::InvalidConnectCode)),
    }
}

#[inline]
fn message<'a>(parts: &Parts<'a>) -> Result<ClientFrame<'a>, FrameError> {
    let id = match parts.code {
        "0" => None,
        code => match AckId::parse(code) {
            None => return Err(parts.bad_code(FrameErrorKind::InvalidMessageCode)),
            id => id,
        },
    };
    Ok(ClientFrame::Message { id, content: parts.content })
}

fn join_or_leave<'a>(parts: &Parts<'a>) -> Result<ClientFrame<'a>, FrameError> {
    match parts.code {
        "1" => Ok(ClientFrame::Join(parts.channel()?)),
        "0" => Ok(ClientFrame::Leave(parts.channel()?)),
        _ => Err(parts.bad_code(FrameErrorKind::InvalidJoinCode)),
    }
}

fn connected<'a>(parts: &Parts<'a>) -> Result<ServerFrame<'a>, FrameError> {
    match parts.code {
        "" => Ok(ServerFrame::Connected),
        "0" => Ok(ServerFrame::Opened(parts.content)),
        "1" => Ok(ServerFrame::Resumed(parts.content)),
        _ => Err(parts.bad_code(FrameErrorKind::InvalidConnectCode)),
    }
}

fn error<'a>(parts: &Parts<'a>) -> Result<ServerFrame<'a>, FrameError> {
    match ErrorCode::parse(parts.code) {
        Some(code) => Ok(ServerFrame::Error { code, text: parts.content }),
        None => Err(parts.bad_code(FrameErrorKind::InvalidErrorCode)),
    }
}

fn pong<'a>(parts: &Parts<'a>) -> Result<ServerFrame<'a>, FrameError> {
    match optional_count(parts.code) {
        Some(count) => Ok(ServerFrame::Pong(count)),
        None => Err(parts.bad_code(FrameErrorKind::InvalidCount)),
    }
}

#[inline]
fn reply<'a>(parts: &Parts<'a>) -> Result<ServerFrame<'a>, FrameError> {
    match AckId::parse(parts.code) {
        Some(id) => Ok(ServerFrame::Reply { id, content: parts.content }),
        None => Err(parts.bad_code(FrameErrorKind::InvalidReplyCode)),
    }
}

fn membership<'a>(parts: &Parts<'a>) -> Result<ServerFrame<'a>, FrameError> {
    let change = match parts.code {
        "0" => MembershipChange::Left,
        "1" => MembershipChange::Joined,
        "2" => MembershipChange::TakenOut,
        "3" => MembershipChange::PutIn,
        _ => return Err(parts.bad_code(FrameErrorKind::InvalidMembershipCode)),
    };
    Ok(ServerFrame::Membership { channel: parts.channel()?, change })
}

/// A text, split in three. Parts that are not there are empty.
struct Parts<'a> {
    text: &'a str,
    kind: char,
    code: &'a str,
    content: &'a str,
}

impl<'a> Parts<'a> {
    #[inline]
    fn split(text: &'a str) -> Result<Self, FrameError> {
        let Ok((_, (kind, code, content))) = (kind, code, content).parse_complete(text.as_bytes()) else {
            return Err(bad_kind(text));
        };
        // The text is cut at commas, and in UTF-8 a comma is never part of another character: no cut is within one.
        let code_at = text.len().min(2);
        let code = text.get(code_at..code_at + code.len()).unwrap_or_default();
        let content = text.get(text.len() - content.len()..).unwrap_or_default();
        Ok(Self { text, kind, code, content })
    }

    fn destination(&self) -> Result<Destination<'a>, FrameError> {
        Destination::new(self.code).map_err(|error| bad_name(error, self.code_at()))
    }

    fn channel(&self) -> Result<ChannelName<'a>, FrameError> {
        ChannelName::new(self.content).map_err(|error| bad_name(error, self.text.len() - self.content.len()))
    }

    #[cold]
    fn bad_code(&self, kind: FrameErrorKind) -> FrameError {
        FrameError::new(kind, self.code_at())
    }

    /// Behind the type and a comma; where there is no comma, at the end.
    fn code_at(&self) -> usize {
        self.text.len().min(2)
    }
}

#[cold]
fn bad_name(error: NameError, name_at: usize) -> FrameError {
    let at = match error {
        NameError::Forbidden { at, .. } => name_at + at,
        NameError::ClientId | NameError::Empty | NameError::TooLong { .. } => name_at,
    };
    FrameError::new(FrameErrorKind::Name(error), at)
}

/// Finds out what is wrong with a type that the grammar refused: only the malformed pay for the second look.
#[cold]
fn bad_kind(text: &str) -> FrameError {
    match text.chars().next() {
        None | Some(',') => FrameError::new(FrameErrorKind::MissingType, 0),
        Some('0'..='6') => FrameError::new(FrameErrorKind::LongType, 1),
        Some(found) => FrameError::new(FrameErrorKind::UnknownType(found), 0),
    }
}

/// `"0" / "1" / "2" / "3" / "4" / "5" / "6"`, and then a comma or the end.
#[inline]
fn kind(input: &[u8]) -> IResult<&[u8], char, ()> {
    terminated(satisfy(|found| matches!(found, '0'..='6')), peek(char(',').map(drop).or(eof.map(drop))))
        .parse(input)
}

/// `[ "," code ]`, a code being `*( any character but "," )`.
#[inline]
fn code(input: &[u8]) -> IResult<&[u8], &[u8], ()> {
    preceded(opt(char(',')), take_till(|found| found == b',')).parse(input)
}

/// `[ "," content ]`, a content being `*( any character )`.
#[inline]
fn content(input: &[u8]) -> IResult<&[u8], &[u8], ()> {
    preceded(opt(char(',')), rest).parse(input)
}
