//! What the server promises, over real sockets, to clients that others have made.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../common/mod.rs"]
mod common;

mod bad_frames;
mod bad_requests;
mod differences;
mod examples;
mod facts;
mod other_clients;
mod other_streams;
mod outcomes;
mod scripts;
mod shutdown;
mod slowness;
