//! A connection breaks, and the session goes on: nothing is lost, nothing comes twice.

#[path = "../common/mod.rs"]
mod common;
mod ends;
mod eviction;
mod handover;
mod hooks;
mod limits;
mod peer;
mod person;
mod replay;
mod takeover;
mod threads;
