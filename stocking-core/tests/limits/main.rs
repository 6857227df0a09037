//! The promises about limits, timeouts and ends: each at the limit and one above it, with what the peer reads, the reason
//! that is named, and everybody else unharmed. On the virtual clock, in memory.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod any_bytes;
mod connections;
mod draining;
mod endings;
mod endless_timeouts;
mod handshake;
mod heartbeat;
mod in_flight;
mod large_channels;
mod leaks;
mod messages;
mod requests;
mod shutdown;
mod slow_readers;
mod torment;
mod wire;
