//! What is written again, and what is not.

use std::time::Duration;

use stocking_core::testing::{TestClient, TestServer};

use crate::person::{Person, close_code, router};

#[test]
fn what_nobody_took_in_comes_again_and_what_was_taken_in_does_not() {
    for taken_in in 0..=5 {
        let server = TestServer::new(router());
        let mut person = Person::open(&server);
        for number in 1..=5 {
            person.client.send(&format!(r#"4,{number},{{"e":"echo","p":{number}}}"#));
        }
        assert_eq!(person.texts().len(), 5);
        person.client.disconnect();
        person.got = taken_in;
        let (taken, texts) = person.resume(&server);
        let rest: Vec<String> =
            (taken_in + 1..=5).map(|number| format!(r#"4,{number},{{"c":-1,"p":{number}}}"#)).collect();
        assert_eq!((taken, texts), (5, rest), "{taken_in}");
    }
}

#[test]
fn what_one_read_answered_is_taken_apart_again() {
    for taken_in in 0..=5 {
        let server = TestServer::new(router());
        let mut person = Person::open(&server);
        person.client.send_all((1..=5).map(|number| format!(r#"4,{number},{{"e":"echo","p":{number}}}"#)));
        assert_eq!(person.texts().len(), 5);
        person.client.disconnect();
        person.got = taken_in;
        let (_, texts) = person.resume(&server);
        assert_eq!(texts.len() as u64, 5 - taken_in);
    }
}

#[test]
fn a_pong_between_two_replies_of_one_read_is_not_kept_with_them() {
    for (taken_in, expected) in [(0, 2), (1, 1), (2, 0)] {
        let server = TestServer::new(router());
        let mut person = Person::open(&server);
        let call = |number| TestClient::text(&format!(r#"4,{number},{{"e":"echo","p":{number}}}"#));
        person.client.send_bytes(&[call(1), TestClient::frame(0x89, b"?"), call(2)].concat());
        drop(person.client.receive());
        person.client.disconnect();
        person.got = taken_in;
        let (_, texts) = person.resume(&server);
        assert_eq!(texts.len(), expected, "{texts:?}");
    }
}

#[test]
fn what_was_said_meanwhile_comes_behind_what_was_missed_and_before_what_is_asked_then() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.send("6,1,news");
    assert_eq!(person.texts(), ["6,1,news"]);
    server.hub().broadcast("news", "one").unwrap();
    server.run();
    person.client.disconnect();
    server.run();
    server.hub().broadcast("news", "two").unwrap();
    person.client = server.connect();
    let request = person.request();
    person.client.send_all([&request[..], r#"4,1,{"e":"echo","p":3}"#]);
    server.hub().broadcast("news", "four").unwrap();
    let texts = person.texts();
    assert_eq!(
        texts,
        [r#"0,1,{"got":1}"#, "5,news,one", "5,news,two", "5,news,four", r#"4,1,{"c":-1,"p":3}"#]
    );
}

#[test]
fn a_long_replay_stays_in_order_with_what_is_asked_during_it() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.send("6,1,news");
    person.texts();
    person.client.disconnect();
    server.run();
    let long = "x".repeat(10_000);
    for number in 0..60 {
        server.hub().broadcast("news", &format!("{number} {long}")).unwrap();
    }
    // Takes a little at a time, so that the replay is a matter of many writes.
    person.client = server.connect_with_capacity(4096);
    let request = person.request();
    person.client.send_all([&request[..], r#"4,1,{"e":"echo","p":1}"#]);
    let mut texts = Vec::new();
    while texts.len() < 62 {
        let more = person.texts();
        assert!(!more.is_empty(), "{}", texts.len());
        texts.extend(more);
    }
    assert_eq!(texts[0], r#"0,1,{"got":1}"#);
    for (number, text) in texts[1..61].iter().enumerate() {
        assert!(text.starts_with(&format!("5,news,{number} ")), "{}", &text[..20]);
    }
    assert_eq!(texts[61], r#"4,1,{"c":-1,"p":1}"#);
}

#[test]
fn a_ping_without_a_code_acknowledges_nothing() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.send_all((1..=3).map(|id| format!(r#"4,{id},{{"e":"echo","p":1}}"#)));
    assert_eq!(person.texts().len(), 3);
    for ping in ["3", "3,", "3,,", "3,,9"] {
        person.client.send(ping);
        assert_eq!(person.texts(), ["3,3,"], "{ping}");
    }
    person.got = 0;
    assert_eq!(person.resume(&server).1.len(), 3, "all is kept");
}

#[test]
fn an_acknowledgement_counts_what_was_written_before_and_is_not_believed_beyond_the_replay() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.send_all((1..=3).map(|number| format!(r#"4,{number},{{"e":"echo","p":{number}}}"#)));
    person.texts();
    person.got = 1;
    let (_, texts) = person.resume(&server);
    assert_eq!(texts.len(), 2);
    person.client.send("3,3,");
    assert_eq!(person.texts(), ["3,3,"]);
    person.client.send("3,4,");
    assert_eq!(close_code(&person.client), Some(1008));
}

#[test]
fn a_session_lasts_through_any_number_of_connections() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.send("6,1,news");
    person.texts();
    for number in 0..50 {
        if number % 2 == 0 {
            person.client.disconnect();
            server.advance(Duration::from_secs(100));
        }
        server.hub().broadcast("news", &number.to_string()).unwrap();
        let (taken, texts) = person.resume(&server);
        assert_eq!((taken, texts), (1 + number, vec![format!("5,news,{number}")]));
        person.client.send(&format!(r#"4,0,{{"e":"echo","p":{number}}}"#));
        assert_eq!(person.texts(), Vec::<String>::new());
    }
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (1, 0));
}
