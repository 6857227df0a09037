//! A server and its clients in memory, on a clock that the test turns: no socket, no thread, no waiting.
//!
//! ```
//! use stocking_core::{Context, Result, Router, testing::TestServer};
//!
//! async fn echo(_: Context, body: String) -> Result<String> {
//!     Ok(body)
//! }
//!
//! let server = TestServer::new(Router::new().on("echo", echo));
//! let client = server.connect();
//! client.send(r#"4,7,{"e":"echo","p":"doge"}"#);
//! assert_eq!(client.texts(), [r#"4,7,{"c":-1,"p":"doge"}"#]);
//! ```
//!
//! Everything is repeatable: tasks run in the order in which they were woken, and ids come from a seed.

mod client;
mod pipe;
mod runtime;
mod server;

pub use self::{
    client::{Message, TestClient},
    pipe::{Pipe, pipe},
    runtime::{Sleep, TestRuntime},
    server::{TestListener, TestServer},
};
