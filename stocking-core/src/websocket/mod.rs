//! WebSocket (RFC 6455) as a server sees it: bytes in, text out, without a socket or a clock.
//!
//! A peer's bytes pass through two rooms, once each:
//!
//! 1. `handshake` reads the upgrade request. [`Refusal`] is every reason to say no, and writes its own answer;
//!    [`UpgradeRequest`] is what a client asked for, as the hooks of a service see it.
//! 2. `codec` takes frames off the front of what was read. The common one, a whole text frame, is unmasked where it
//!    lies and handed out as a `&str` of the caller's buffer; what is rare goes to tungstenite. [`Violation`] is every
//!    way in which a peer can break the rules, and knows the close code that it hears.
//!
//! In the other direction there is little to decide: a server's frames are not masked, hence the same for every peer.
//! `encoded` makes their headers, so that a message becomes bytes once, for however many receive it.
//!
//! No extension is negotiated, and no subprotocol but those of [`Config`](crate::Config#structfield.subprotocols) and of the
//! connect hook. A client whose offer is not taken decides itself whether it goes on without: browsers do for an extension,
//! and give up for a subprotocol.

mod codec;
mod encoded;
mod handshake;
pub(crate) mod mask;
mod origin;
mod reassembly;
mod refusal;
mod request;
mod subprotocol;
mod violation;

pub(crate) use codec::{Decoder, Step};
pub(crate) use encoded::{Encoded, PING, close_frame, count_frames, skip_frames, text_frame};
pub(crate) use handshake::{Head, HeadReader, accept};
pub use refusal::{Fault, Refusal};
pub use request::UpgradeRequest;
pub(crate) use subprotocol::is_token;
pub use violation::Violation;
