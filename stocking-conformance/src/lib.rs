#![doc = include_str!("../README.md")]

pub mod application;
mod client;
pub mod memory;
pub mod raw;
mod server;

use std::{future::Future, time::Duration};

use tokio::{runtime::Builder, time::timeout};

pub use self::{
    client::{Client, Fast, Received, TokioWebsockets},
    raw::Raw,
    server::{Backend, Server, Serving, Stop},
};

/// Longer than anything takes here: what waits for so long has hung.
pub const HUNG: Duration = Duration::from_secs(120);

/// Runs a test on each kind of tokio's runtimes.
pub fn on_every_runtime<T: Future<Output = ()>>(test: impl Fn() -> T) {
    on_one_thread(&test);
    on_many_threads(&test);
}

/// Runs a test on tokio with one thread.
///
/// # Panics
///
/// If the test hangs.
pub fn on_one_thread<T: Future<Output = ()>>(test: impl Fn() -> T) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(HUNG, test()).await.expect("on one thread: hung") });
}

/// Runs a test on tokio with several threads.
///
/// # Panics
///
/// If the test hangs.
pub fn on_many_threads<T: Future<Output = ()>>(test: impl Fn() -> T) {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async { timeout(HUNG, test()).await.expect("on many threads: hung") });
}

/// Waits until `condition` holds: for what the server does when its client has gone, which no client can be told.
pub async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Keeps the panics that a test asks for off its output: those whose text begins with "as planned", or that have none.
pub fn hide_planned_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let show = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_planned = match panic.payload_as_str() {
                Some(text) => text.starts_with("as planned"),
                None => true,
            };
            if !is_planned {
                show(panic);
            }
        }));
    });
}
