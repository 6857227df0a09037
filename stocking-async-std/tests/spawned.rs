//! What an adapter gives back can be moved to another task.

use std::sync::Arc;

use stocking_async_std::{AsyncIo, Io, Router, Service, drain};
use stocking_core::driver::{Driver, Runtime};

#[test]
fn what_waits_for_a_runtime_or_a_driver_may_itself_be_a_task() {
    let service: Arc<Service> = Router::new().into();
    let draining = service.clone();
    async_std::task::block_on(async move {
        async_std::task::spawn(async move { drain(&draining).await }).await;
        let runtime = AsyncIo::async_std();
        async_std::task::spawn(async move { runtime.sleep_until(runtime.now()).await }).await;
    });
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    drop(std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    let stream = async_std::net::TcpStream::from(listener.accept().unwrap().0);
    async_std::task::block_on(async_std::task::spawn(async move {
        Driver::new(AsyncIo::async_std(), Io(stream), service).await;
    }));
}
