//! What an idle connection costs, and what may be used from where.

use stocking_core::{
    Connection, Context, Hub, Router, Service, Session, Task,
    driver::Driver,
    testing::{Pipe, TestClient, TestRuntime, TestServer},
};

const fn is_send<T: Send>() {}
const fn is_shared<T: Send + Sync>() {}

// What is everybody's may be used from every thread; what belongs to one connection moves between threads, but no two use
// it at once.
const _: () = {
    is_shared::<Service>();
    is_shared::<Hub>();
    is_shared::<Session>();
    is_shared::<Context>();
    is_shared::<Router>();
    is_shared::<TestServer>();
    is_shared::<TestClient>();
    is_send::<Connection>();
    is_send::<Task>();
    is_send::<Driver<Pipe, TestRuntime>>();
};

#[test]
fn what_there_is_many_of_is_small() {
    let sizes = [
        // One a request.
        ("Context", size_of::<Context>(), 32),
        // One a client each. A session lies in a gap between two tasks of tokio's, where one byte more would not
        // (docs/performance.md, "Targets").
        ("Session", size_of::<Session>(), 216),
        ("Connection", size_of::<Connection>(), 120),
        ("Driver", size_of::<Driver<Pipe, TestRuntime>>(), 208),
    ];
    for (name, size, limit) in sizes {
        println!("{name}: {size} bytes of at most {limit}");
        assert!(size <= limit, "a {name} has {size} bytes, {limit} would be well");
    }
}
