//! A handler that holds its thread, as none should.

use std::sync::{Arc, Mutex, mpsc};

use stocking_tokio::{Context, Error, Router};
use tokio::{net::TcpListener, spawn, sync::oneshot, task};

use crate::common::{Client, Fast, application::events, on_many_threads};

/// A handler that blocks until the sender that comes back is used or dropped.
fn block() -> (mpsc::Sender<()>, mpsc::Receiver<()>, Router) {
    let (release, released) = mpsc::channel();
    let (entered, has_entered) = mpsc::channel();
    let released = Arc::new(Mutex::new((released, entered)));
    let block = move |_: Context, (): ()| {
        let released = released.clone();
        async move {
            let (released, entered) = &*released.lock().unwrap();
            entered.send(()).unwrap();
            released.recv().ok();
            Ok::<_, Error>("at last")
        }
    };
    (release, has_entered, events().on("block", block))
}

#[test]
fn a_handler_that_blocks_its_thread_holds_up_nobody_else_and_is_waited_for_too() {
    on_many_threads(|| async {
        // Where all its threads sleep, tokio may leave nobody to look after the sockets while one of them is blocked
        // (tokio-rs/tokio#4730): one that is awake shows that we hold nothing that others need.
        spawn(async {
            loop {
                task::yield_now().await;
            }
        });
        let (release, has_entered, router) = block();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve =
            stocking_tokio::serve(listener, router).with_graceful_shutdown(async { drop(stopped.await) });
        let served = spawn(serve.into_future());
        let (mut blocked, mut other) = (Fast::connect(address).await, Fast::connect(address).await);
        blocked.send(r#"4,1,{"e":"block"}"#).await;
        task::spawn_blocking(move || has_entered.recv()).await.unwrap().unwrap();
        // Other threads serve the others.
        assert_eq!(other.ask(r#"4,1,{"e":"echo","p":1}"#).await, r#"4,1,{"c":-1,"p":1}"#);
        stop.send(()).unwrap();
        assert_eq!(other.text().await, "2");
        other.expect_close(1001).await;
        drop(release);
        assert_eq!(blocked.text().await, r#"4,1,{"c":-1,"p":"at last"}"#);
        assert_eq!(blocked.text().await, "2");
        blocked.expect_close(1001).await;
        drop((blocked, other));
        served.await.unwrap().unwrap();
    });
}
