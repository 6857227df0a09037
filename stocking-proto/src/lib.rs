#![doc = include_str!("../README.md")]
//!
//! # How to read this crate
//!
//! A text from the wire is a [`ClientFrame`] or a [`ServerFrame`], or it is a [`FrameError`] that says what is wrong and
//! where. Frames are plain enums that borrow from the text; one that cannot be has no value, which is why names and
//! numbers have types of their own: [`ChannelName`], [`Destination`], [`ClientId`], [`AckId`], [`Count`], [`ErrorCode`].
//!
//! What a frame carries is left as text until it is asked for: [`Event`], [`Reply`], [`SessionOpened`],
//! [`ResumeRequest`], [`SessionResumed`], or a [`ContentError`]. Who reads many events a second tries
//! [`UncheckedEvent::sniff`] first, and writes with [`SuccessFrame`].
//!
//! Everything is written by an `encode` that appends to the caller's buffer. Frames, events and replies have a `to_string` too.

#![no_std]
#![warn(clippy::unwrap_used)]

extern crate alloc;

mod code;
mod debug;
mod encode;
mod error;
mod event;
mod frame;
mod id;
mod json;
mod name;
mod number;
mod parse;
mod reply;
mod session;

#[doc = include_str!("../PROTOCOL.md")]
pub mod protocol {}

pub use code::{CloseCode, ErrorCode, ErrorCodeError};
pub use error::{FrameError, FrameErrorKind};
pub use event::{Event, UncheckedEvent};
pub use frame::{
    ClientFrame, MembershipChange, PingCode, ServerFrame, counts_from_client, counts_from_server,
};
pub use id::{ClientId, ClientIdError};
pub use json::{ContentError, ContentErrorKind};
pub use name::{ChannelName, Destination, NameError};
pub use number::{AckId, Count, MAX_INTEGER};
pub use reply::{Reply, SuccessFrame};
pub use session::{ResumeRequest, SessionOpened, SessionResumed};
