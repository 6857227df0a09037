//! The Stocking wire protocol: what a frame is, and nothing else.

#![no_std]

extern crate alloc;

mod code;
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
