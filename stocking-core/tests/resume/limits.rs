//! What a session may cost while its client is away.

use std::time::Duration;

use stocking_core::{
    ClientId, Config, Context, Error, Router, Service,
    testing::{TestClient, TestRuntime, TestServer},
};

use crate::person::{Person, close_code, router};

fn server(config: Config) -> TestServer {
    TestServer::new(Service::new(router()).with_config(config))
}

#[test]
fn a_session_outlives_its_connection_for_session_ttl() {
    let server = server(Config::new().session_ttl(Duration::from_secs(5)));
    let mut person = Person::open(&server);
    person.client.disconnect();
    server.advance(Duration::from_secs(4));
    person.resume(&server);
    person.client.disconnect();
    server.advance(Duration::from_secs(5));
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
    assert!(person.is_refused(&server));
}

#[test]
fn without_session_ttl_a_session_ends_with_its_connection_and_its_client_is_told() {
    let server = server(Config::new().session_ttl(Duration::ZERO));
    let client = server.connect();
    client.send("0,0,");
    assert!(client.texts()[0].contains(r#""ttl":0,"#));
    client.disconnect();
    server.run();
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
}

#[test]
fn beyond_max_parked_those_go_first_that_never_sent_anything_and_then_the_longest_parked() {
    let server = server(Config::new().max_parked(3));
    let people: Vec<Person> = [true, false, true, false, true]
        .into_iter()
        .map(|sends| {
            let mut person = Person::open(&server);
            if sends {
                person.client.send(r#"4,1,{"e":"echo","p":1}"#);
                person.texts();
            }
            person
        })
        .collect();
    let is_there = |person: &Person| server.hub().session(ClientId::parse(&person.id).unwrap()).is_some();
    let mut expected = [true; 5];
    for (number, gone) in [None, None, None, Some(1), Some(3)].into_iter().enumerate() {
        people[number].client.disconnect();
        server.run();
        if let Some(gone) = gone {
            expected[gone] = false;
        }
        assert_eq!(people.iter().map(is_there).collect::<Vec<_>>(), expected, "{number}");
    }
    let another = Person::open(&server);
    another.client.send(r#"4,1,{"e":"echo","p":1}"#);
    another.client.disconnect();
    server.run();
    assert!(!is_there(&people[0]) && is_there(&another) && server.service().parked_sessions() == 3);
}

#[test]
fn a_parked_session_ends_where_what_waits_for_it_is_more_than_max_kept_bytes() {
    let server = server(Config::new().max_kept_bytes(300 * 1024));
    let mut person = Person::open(&server);
    person.client.send("6,1,news");
    person.texts();
    person.client.disconnect();
    server.run();
    let long = "x".repeat(100 * 1024 - 20);
    for _ in 0..2 {
        server.hub().broadcast("news", &long).unwrap();
    }
    server.run();
    assert_eq!(server.service().parked_sessions(), 1, "the first two, and `6,1,news` that is kept");
    assert_eq!(person.resume(&server).1.len(), 2);
    person.got = 1;
    person.client.disconnect();
    server.run();
    for _ in 0..2 {
        server.hub().broadcast("news", &long).unwrap();
    }
    server.run();
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
}

#[test]
fn a_parked_session_ends_where_more_waits_for_it_than_max_kept_frames() {
    let server = server(Config::new().max_kept_frames(600));
    let mut person = Person::open(&server);
    person.client.send("6,1,news");
    person.texts();
    person.client.send("3,1,");
    person.texts();
    person.client.disconnect();
    server.run();
    for _ in 0..600 {
        server.hub().broadcast("news", "x").unwrap();
    }
    server.run();
    assert_eq!(server.service().parked_sessions(), 1);
    server.hub().broadcast("news", "x").unwrap();
    server.run();
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
    assert!(person.is_refused(&server));
}

#[test]
fn a_parked_session_ends_where_one_answer_alone_is_more_than_max_kept_bytes() {
    let runtime = TestRuntime::default();
    let clock = runtime.clone();
    let large = move |_: Context, (): ()| {
        let sleep = clock.sleep(Duration::from_secs(1));
        async move {
            sleep.await;
            Ok::<_, Error>("x".repeat(2_000_000))
        }
    };
    let server = TestServer::on(&runtime, Router::new().on("large", large));
    let person = Person::open(&server);
    person.client.send(r#"4,1,{"e":"large"}"#);
    person.client.disconnect();
    server.run();
    assert_eq!(server.service().parked_sessions(), 1);
    server.advance(Duration::from_secs(1));
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
}

#[test]
fn a_session_is_told_no_less_time_than_it_has() {
    let server = server(Config::new().session_ttl(Duration::from_millis(1500)));
    let client = server.connect();
    client.send("0,0,");
    assert!(client.texts()[0].contains(r#""ttl":2,"#));
}

#[test]
fn who_comes_back_for_more_than_was_kept_finds_the_session_ended() {
    let server = server(Config::new().max_kept_frames(512));
    let mut person = Person::open(&server);
    for _ in 0..513 {
        person.client.send(r#"4,1,{"e":"echo","p":1}"#);
        person.texts();
    }
    person.client.disconnect();
    server.run();
    person.got = 0;
    assert!(person.is_refused(&server));
    assert_eq!(server.service().parked_sessions(), 0);
    let id = ClientId::parse(&person.id).unwrap();
    assert!(server.hub().session(id).is_none());
}

#[test]
fn a_count_or_a_try_that_cannot_be_leaves_the_session_as_it_is() {
    let server = server(Config::new());
    let mut person = Person::open(&server);
    person.client.send_all((1..=3).map(|number| format!(r#"4,{number},{{"e":"echo","p":1}}"#)));
    person.texts();
    person.client.send("3,2,");
    person.texts();
    for wrong in [1, 4] {
        person.got = wrong;
        assert!(person.is_refused(&server), "{wrong}");
    }
    person.got = 3;
    let key = std::mem::replace(&mut person.key, "0000000000000000000000".into());
    assert!(person.is_refused(&server), "wrong key");
    person.key = key;
    person.client.send(r#"4,4,{"e":"echo","p":4}"#);
    assert_eq!(person.texts(), [r#"4,4,{"c":-1,"p":4}"#], "it was not even disturbed");
    assert_eq!(person.resume(&server), (4, vec![]));
    person.attempt -= 1;
    assert!(person.is_refused(&server), "an old try");
}

#[test]
fn the_frames_of_one_burst_count_to_max_kept_frames_one_by_one() {
    for (bursts, stays) in [(6, true), (7, false)] {
        let server = server(Config::new().max_kept_frames(600));
        let person = Person::open(&server);
        let id = ClientId::parse(&person.id).unwrap();
        person.client.disconnect();
        let other = server.connect();
        for _ in 0..bursts {
            // One read, hence one write to whom it is for.
            let text = TestClient::text(&format!("5,{id},x"));
            other.send_bytes(&text.repeat(100));
        }
        server.run();
        assert_eq!(server.service().parked_sessions(), usize::from(stays), "{bursts}");
    }
}

#[test]
fn a_session_that_is_behind_ends_where_more_frames_wait_for_it_than_max_kept_frames() {
    for (frames, code) in [(600, None), (601, Some(1013))] {
        let server = server(Config::new().max_kept_frames(600));
        let mut person = Person::open(&server);
        let id = ClientId::parse(&person.id).unwrap();
        person.client = server.connect_with_capacity(64);
        let request = person.request();
        person.client.send(&request);
        assert_eq!(person.texts().len(), 1);
        server.hub().to(id).send(&"x".repeat(1000)).unwrap();
        server.run();
        let other = server.connect();
        let text = TestClient::text(&format!("5,{id},x"));
        other.send_bytes(&text.repeat(frames));
        server.run();
        assert_eq!(close_code(&person.client), code, "{frames}");
    }
}
