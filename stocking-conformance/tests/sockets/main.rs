//! What the server promises, over real sockets, to clients that others have made: on every runtime.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[macro_use]
#[path = "../backends/mod.rs"]
mod backends;

/// Makes each `async fn promise<C: Client>(on: Backend)` a test for every make of client, on every backend.
macro_rules! for_every_client {
    ($($promise:ident),* $(,)?) => { backends!(tests_with_clients [$($promise)*]); };
}

macro_rules! tests_with_clients {
    ($promises:tt $($backend:ident: $serve:expr,)*) => {
        mod fastwebsockets { $(tests_of_client! { $backend Fast $promises })* }
        mod tokio_websockets { $(tests_of_client! { $backend TokioWebsockets $promises })* }
    };
}

macro_rules! tests_of_client {
    ($backend:ident $client:ident [$($promise:ident)*]) => {
        mod $backend {
            $(#[test] fn $promise() {
                let promise = super::super::$promise::<stocking_conformance::$client>;
                crate::backends::run(crate::backends::$backend(), promise);
            })*
        }
    };
}

mod bad_frames;
mod bad_requests;
mod differences;
mod facts;
mod fairness;
mod hooks;
mod other_clients;
mod outcomes;
mod scripts;
mod shutdown;
mod slowness;
