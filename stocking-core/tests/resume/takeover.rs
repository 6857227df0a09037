//! One session, and more than one connection that would have it.

use std::time::Duration;

use stocking_core::{
    Context, Error, Router,
    testing::{TestRuntime, TestServer},
};

use crate::person::{Person, close_code, router};

#[test]
fn who_comes_back_before_the_server_noticed_has_the_session_and_the_old_connection_is_closed_with_4001() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    let old = server.connect();
    let old = std::mem::replace(&mut person.client, old);
    assert_eq!(person.resume(&server), (0, vec![]));
    assert_eq!(close_code(&old), Some(4001));
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (1, 0));
}

#[test]
fn what_still_arrives_on_the_old_connection_is_not_taken_in() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.send(r#"4,1,{"e":"echo","p":1}"#);
    person.texts();
    let old = std::mem::replace(&mut person.client, server.connect());
    // Both are there before the server looks: the resume on a connection that is read first, or last.
    let request = person.request();
    person.client.send(&request);
    server.run();
    old.send(r#"4,2,{"e":"echo","p":2}"#);
    old.send("3,999,");
    assert_eq!(person.texts(), [r#"0,1,{"got":1}"#]);
    assert_eq!(close_code(&old), Some(4001));
    person.client.send(r#"4,2,{"e":"echo","p":2}"#);
    assert_eq!(person.texts(), [r#"4,2,{"c":-1,"p":2}"#]);
}

#[test]
fn of_two_resumes_in_flight_the_later_attempt_has_the_session_whichever_comes_last() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.disconnect();
    let (first, second) = (person.request(), person.request());
    let (late, early) = (server.connect(), server.connect());
    early.send(&second);
    late.send(&first);
    assert_eq!(early.texts(), [r#"0,1,{"got":0}"#]);
    assert!(late.texts()[0].starts_with(r#"0,0,{"id":"@"#), "an overtaken resume");
    early.send(r#"4,1,{"e":"echo","p":1}"#);
    assert_eq!(early.texts(), [r#"4,1,{"c":-1,"p":1}"#], "which the other has not disturbed");
}

#[test]
fn a_second_holder_of_the_key_takes_the_session_over_and_the_first_is_told() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    let first = std::mem::replace(&mut person.client, server.connect());
    person.resume(&server);
    assert_eq!(close_code(&first), Some(4001));
    // The first drops its key and opens another session: nobody is disturbed any more.
    let first = Person::open(&server);
    server.advance(Duration::from_secs(1));
    assert_ne!(first.id, person.id);
    person.client.send(r#"4,1,{"e":"echo","p":1}"#);
    assert_eq!(person.texts(), [r#"4,1,{"c":-1,"p":1}"#]);
}

#[test]
fn requests_go_on_in_order_over_a_change_of_connections() {
    let runtime = TestRuntime::default();
    let clock = runtime.clone();
    let slow = move |_: Context, number: u64| {
        let sleep = clock.sleep(Duration::from_secs(1));
        async move {
            sleep.await;
            Ok::<_, Error>(number)
        }
    };
    let server = TestServer::on(&runtime, Router::new().on("slow", slow));
    let mut person = Person::open(&server);
    person.client.send_all((1..=3).map(|number| format!(r#"4,{number},{{"e":"slow","p":{number}}}"#)));
    server.run();
    let (taken, _) = person.resume(&server);
    assert_eq!(taken, 3);
    person.client.send(r#"4,4,{"e":"slow","p":4}"#);
    server.advance(Duration::from_secs(2));
    person.client.disconnect();
    server.advance(Duration::from_secs(2));
    let (taken, texts) = person.resume(&server);
    let all: Vec<String> = (1..=4).map(|number| format!(r#"4,{number},{{"c":-1,"p":{number}}}"#)).collect();
    assert_eq!((taken, texts), (4, all));
}
