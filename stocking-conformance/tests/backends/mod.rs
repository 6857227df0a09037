//! The runtimes, a line for each, and what makes a test of a promise for each of them.
//!
//! A part of the test programs, and none itself.

mod tls;

use std::{future::Future, io};

use stocking_conformance::{HUNG, Serving, memory};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

pub(crate) use stocking_conformance::Backend;

/// The table: hands every runtime's name, and how to serve on it, to the macro `$to`, with `$with`.
macro_rules! backends {
    ($to:ident $with:tt) => {
        $to! { $with
            tokio_multi_thread: |on| on_tokio(Builder::new_multi_thread().worker_threads(4).enable_all().build()?, on),
            tokio_current_thread: |on| on_tokio(Builder::new_current_thread().enable_all().build()?, on),
            async_std: |on| async_std::task::block_on(on_async_io(async_std::net::TcpListener::from, on)),
            smol: |on| smol::block_on(on_async_io(|std| async_net::TcpListener::try_from(std).unwrap(), on)),
            tokio_tls: tls::serve,
            in_memory: memory::serve,
        }
    };
}

fn on_tokio(runtime: Runtime, on: Serving) -> io::Result<()> {
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(on.listener)?;
        stocking_tokio::serve(listener, on.service).with_graceful_shutdown(on.stop).await
    })
}

async fn on_async_io<L: stocking_async_std::Listen>(
    listener: impl FnOnce(std::net::TcpListener) -> L,
    on: Serving,
) -> io::Result<()> {
    stocking_async_std::serve(listener(on.listener), on.service).with_graceful_shutdown(on.stop).await
}

macro_rules! constants {
    ([] $($name:ident: $serve:expr,)*) => {
        $(
            pub(crate) fn $name() -> Backend {
                Backend { name: stringify!($name), serve: $serve }
            }
        )*
    };
}

backends!(constants []);

/// Runs a test on one thread of its own, whatever its server runs on.
pub(crate) fn run<T: Future<Output = ()>>(backend: Backend, test: impl FnOnce(Backend) -> T) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let Ok(()) = timeout(HUNG, test(backend)).await else { panic!("on {}: hung", backend.name) };
    });
}

/// Makes each `async fn promise(on: Backend)` a test for every backend.
macro_rules! for_every_backend {
    ($($promise:ident),* $(,)?) => { backends!(tests [$($promise)*]); };
}

macro_rules! tests {
    ($promises:tt $($backend:ident: $serve:expr,)*) => { $(tests_on! { $backend $promises })* };
}

macro_rules! tests_on {
    ($backend:ident [$($promise:ident)*]) => {
        mod $backend {
            $(#[test] fn $promise() { crate::backends::run(crate::backends::$backend(), super::$promise); })*
        }
    };
}
