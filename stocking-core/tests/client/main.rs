//! Clients of ours and servers of ours, in memory.

mod handle;
mod handle_ends;
mod simulated;
mod world;
