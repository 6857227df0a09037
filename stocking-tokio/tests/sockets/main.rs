//! What is true of tokio alone: streams of other kinds, threads that block, and the examples as a reader runs them. What every runtime promises
//! is in `stocking-conformance`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use stocking_conformance as common;

mod blocking;
mod examples;
mod other_streams;
mod runtimes;
