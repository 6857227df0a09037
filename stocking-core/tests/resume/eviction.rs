//! What all sessions whose clients are away may cost together, and which of them have to go beyond that.

use std::sync::{Arc, Mutex};

use stocking_core::{
    ClientId, CloseReason, Config, Service,
    driver::{Runtime, lend},
    testing::{TestClient, TestRuntime, TestServer},
};

use crate::{
    peer::{Peer, open},
    person::{Person, router},
};

/// What one message of [`tell`] counts: its text, a header of four bytes, and 40 for its place.
const COST: usize = 1000;

fn id(person: &Person) -> ClientId {
    ClientId::parse(&person.id).unwrap()
}

fn tell(server: &TestServer, person: &Person) {
    let address = "5,".len() + ClientId::LEN + ",".len();
    server.hub().to(id(person)).send(&"x".repeat(COST - 40 - 4 - address)).unwrap();
}

fn are_there(server: &TestServer, people: &[Person]) -> Vec<bool> {
    people.iter().map(|person| server.hub().session(id(person)).is_some()).collect()
}

/// A server, and people who are away.
fn parked(config: Config, number: usize) -> (TestServer, Vec<Person>, Arc<Mutex<Vec<CloseReason>>>) {
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let noted = reasons.clone();
    let service = Service::new(router())
        .with_config(config)
        .on_close(move |_, reason| noted.lock().unwrap().push(reason.clone()));
    let server = TestServer::on(&TestRuntime::default(), service);
    let people: Vec<Person> = (0..number).map(|_| Person::open(&server)).collect();
    for person in &people {
        person.client.disconnect();
        server.run();
    }
    (server, people, reasons)
}

#[test]
fn one_frame_of_each_does_not_save_sessions_that_do_nothing_at_the_cost_of_one_that_was_used() {
    let server = TestServer::new(Service::new(router()).with_config(Config::new().max_parked(3)));
    let sent = [4, 7, 2, 1, 1, 1, 3, 1];
    let mut people = Vec::new();
    for frames in sent {
        let mut person = Person::open(&server);
        person.client.send_all((1..=frames).map(|id| format!(r#"4,{id},{{"e":"echo","p":1}}"#)));
        assert_eq!(person.texts().len(), frames);
        person.client.disconnect();
        server.run();
        people.push(person);
    }
    let there = are_there(&server, &people);
    let left: Vec<usize> =
        sent.iter().zip(there).filter(|(_, there)| *there).map(|(sent, _)| *sent).collect();
    assert_eq!(left, [4, 7, 3], "of those with two or three the longest parked went");
}

#[test]
fn what_is_queued_for_parked_sessions_counts_to_max_parked_bytes_and_beyond_it_who_holds_the_most_goes() {
    let (server, people, reasons) = parked(Config::new().max_parked_bytes(3 * COST), 4);
    for person in &people[1..] {
        tell(&server, person);
    }
    server.run();
    assert_eq!(are_there(&server, &people), [true; 4], "at the limit");
    server.hub().to(id(&people[3])).send("").unwrap();
    server.run();
    assert_eq!(are_there(&server, &people), [true, true, true, false]);
    assert_eq!(*reasons.lock().unwrap(), [CloseReason::TooManyParked]);
    tell(&server, &people[0]);
    server.run();
    assert_eq!(are_there(&server, &people), [true, true, true, false], "what it held counts no more");
}

#[test]
fn what_is_kept_and_queued_when_a_session_is_parked_counts_to_max_parked_bytes() {
    for (max, expected) in [(3 * COST, [true, true]), (3 * COST - 1, [true, false])] {
        let (server, mut people, _) = parked(Config::new().max_parked_bytes(max), 1);
        let mut person = Person::open(&server);
        for _ in 0..2 {
            tell(&server, &person);
            assert_eq!(person.texts().len(), 1, "written, not acknowledged");
        }
        person.client.disconnect();
        tell(&server, &person);
        server.run();
        people.push(person);
        assert_eq!(are_there(&server, &people), expected, "{max}");
    }
}

#[test]
fn a_session_that_alone_holds_more_than_max_parked_bytes_ends() {
    let (server, people, reasons) = parked(Config::new().max_parked_bytes(2 * COST), 1);
    for expected in [true, true, false] {
        tell(&server, &people[0]);
        server.run();
        assert_eq!(are_there(&server, &people), [expected]);
    }
    assert_eq!(*reasons.lock().unwrap(), [CloseReason::TooManyParked]);
    assert_eq!(server.service().parked_sessions(), 0);
}

#[test]
fn a_broadcast_to_many_parked_sessions_leaves_as_many_as_fit_with_room_for_a_while() {
    let (server, people, _) = parked(Config::new().max_parked_bytes(16 * 1000), 30);
    for person in &people {
        server.hub().session(id(person)).unwrap().join("news").unwrap();
    }
    server.run();
    assert_eq!(server.service().parked_sessions(), 30, "each is told of it, which fits");
    server.hub().broadcast("news", &"x".repeat(1000)).unwrap();
    server.run();
    let there = are_there(&server, &people);
    // Each holds 1,118 bytes. The turn of the first came when there were too many, and it made room for an eighth.
    let left = there.iter().filter(|there| **there).count();
    assert_eq!(there, [vec![false; 30 - left], vec![true; left]].concat(), "in the order of parking");
    assert!((16_000 - 2000 - 1118..16_000).contains(&(left * 1118)), "{left} are left");
}

#[test]
fn who_holds_nothing_does_not_go_for_what_others_hold() {
    let (server, mut people, _) = parked(Config::new().max_parked_bytes(10 * COST), 100);
    let mut person = Person::open(&server);
    person.client.send(r#"4,1,{"e":"echo","p":1}"#);
    person.texts();
    person.client.disconnect();
    server.run();
    people.push(person);
    for _ in 0..11 {
        tell(&server, &people[100]);
    }
    server.run();
    assert_eq!(are_there(&server, &people), [vec![true; 100], vec![false]].concat());
}

#[test]
fn a_session_that_was_resumed_has_no_space_among_the_parked_from_that_moment_on() {
    let runtime = TestRuntime::default();
    let service = Service::new(router()).with_config(Config::new().max_parked(2));
    let (service, now) = (Arc::new(service), runtime.now());
    lend(&runtime, &service);
    let sessions: Vec<_> = (0..3).map(|_| open(&service, now)).collect();
    let mut held = Vec::new();
    for (number, (mut peer, id, key)) in sessions.into_iter().enumerate() {
        peer.connection.handle_eof();
        if number == 1 {
            // No task has had its turn.
            let mut peer = Peer::new(&service, now);
            let resume = format!(r#"0,1,{{"id":"{id}","key":"{key}","got":0,"try":1}}"#);
            assert!(peer.send(TestClient::text(&resume), now).contains(r#"0,1,{"got":0}"#));
            assert_eq!(service.parked_sessions(), 1);
            held.push(peer);
        }
    }
    assert_eq!((service.parked_sessions(), service.hub().sessions()), (2, 3), "nobody had to go");
    runtime.run();
    assert_eq!((service.parked_sessions(), service.hub().sessions()), (2, 3));
}

#[test]
fn a_session_that_was_resumed_holds_nothing_of_max_parked_bytes() {
    let (server, mut people, _) = parked(Config::new().max_parked_bytes(2 * COST), 2);
    for _ in 0..50 {
        tell(&server, &people[1]);
        tell(&server, &people[1]);
        assert_eq!(people[1].resume(&server).1.len(), 2);
        let got = people[1].got;
        people[1].client.send(&format!("3,{got},"));
        people[1].texts();
        tell(&server, &people[1]);
        people[1].texts();
        let got = people[1].got;
        people[1].client.send(&format!("3,{got},"));
        people[1].client.disconnect();
        server.run();
    }
    assert_eq!(are_there(&server, &people), [true; 2]);
}
