//! Runtimes that end before the service does, and such as lack something.

use std::{future::pending, panic::catch_unwind, sync::Arc, time::Duration};

use stocking_tokio::{Config, Context, Error, Router, Service, Tokio, serve_connection};
use tokio::{io::duplex, runtime::Builder, spawn, time::timeout};

use crate::common::{Raw, Received};

#[test]
fn handlers_have_their_time_limit_on_a_second_runtime_too() {
    let forever = |_: Context, (): ()| pending::<Result<(), Error>>();
    let config = Config::new().handler_timeout(Duration::from_millis(50));
    let service = Arc::new(Service::new(Router::new().on("forever", forever)).with_config(config));
    for round in 1..=3 {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (near, far) = duplex(4096);
            spawn(serve_connection(far, service.clone()));
            let mut client = Raw::open(near).await;
            client.send_text(r#"4,1,{"e":"forever"}"#).await;
            let answer =
                timeout(Duration::from_secs(20), client.next()).await.expect("no time limit").unwrap();
            let Received::Text(answer) = answer else { panic!("{answer:?}") };
            assert!(answer.starts_with(r#"4,1,{"c":-32000,"#), "round {round}: {answer}");
        });
    }
}

#[test]
fn a_runtime_without_a_timer_is_refused_at_once() {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async { catch_unwind(|| drop(Tokio::current())).expect_err("it has no timer") });
}
