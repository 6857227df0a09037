//! The one loop that moves bytes, the accept loop, and the graceful shutdown: for any runtime.
//!
//! An adapter crate lends a clock and an executor ([`Runtime`]), a way to accept ([`Listener`]) and a stream of bytes
//! ([`Transport`]). It decides nothing, and neither does this module: it asks the [`Connection`](crate::Connection).

mod drive;
mod serve;
mod traits;

pub use self::{
    drive::Driver,
    serve::{Serve, serve},
    traits::{Listener, Runtime, Transport},
};

use std::time::Duration;

use crate::{
    executor::{Executor, Task},
    service::Service,
};

/// Lends `runtime` to what has no connection: fan-outs to large channels, and the time limit of handlers.
fn lend<R: Runtime>(runtime: &R, service: &Service) {
    service.hub().lend(|| {
        let (spawner, clock) = (runtime.clone(), runtime.clone());
        Executor {
            spawn: Box::new(move |task: Task| spawner.spawn(task)),
            sleep: Box::new(move |time: Duration| Box::pin(clock.sleep_until(clock.now() + time))),
        }
    });
}
