//! What a handle promises while its client lives.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use stocking_core::{
    CallError, Client, ClientConfig, ClientEvent, Config, Next, Router, Service,
    client::{ChannelChange, Gap, RequestError},
    driver::Runtime,
};

use super::world::World;

#[test]
fn a_call_is_answered() {
    let world = World::new();
    let client = world.connect();
    assert!(!client.is_connected());
    assert_eq!(world.now(client.call::<u64>("double", &21)), Ok(42));
    assert!(client.is_connected());
    let failed = world.now(client.call::<()>("fail", "on purpose")).unwrap_err();
    assert!(matches!(&failed, CallError::Failed(error) if error.message() == "on purpose"), "{failed}");
    let unexpected = world.now(client.call::<String>("double", &21)).unwrap_err();
    assert_eq!(
        unexpected.to_string(),
        "the answer is of another type: invalid type: integer `42`, expected a string at line 1 column 2"
    );
    let unknown = world.now(client.call::<()>("no such event", &())).unwrap_err();
    assert!(matches!(&unknown, CallError::Failed(error) if error.code().get() == -32601), "{unknown}");
    let no_json = BTreeMap::from([((1, 2), 3)]);
    assert_eq!(client.emit("double", &no_json), Err(RequestError::NotJson));
    assert_eq!(
        world.now(client.call::<()>("double", &no_json)),
        Err(CallError::Rejected(RequestError::NotJson))
    );
}

#[test]
fn a_call_is_made_when_it_is_made_and_not_when_it_is_awaited() {
    let world = World::new();
    let client = world.connect();
    let calls: Vec<_> = (0..10_u64).map(|number| client.call::<u64>("double", &number)).collect();
    world.runtime.run();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(world.now(call), Ok(2 * number as u64));
    }
}

#[test]
fn a_call_has_its_time() {
    let world = World::new();
    let config = ClientConfig::new().call_timeout(Duration::from_secs(5));
    let client = world.start(Client::builder("ws://localhost/ws").config(config));
    let calls = [
        (client.call::<()>("never", &()), 5),
        (client.call_within(Duration::from_secs(60), "never", &()), 60),
    ];
    let begin = world.runtime.now();
    let ended = Arc::new(Mutex::new(Vec::new()));
    for (call, seconds) in calls {
        let (runtime, ended) = (world.runtime.clone(), ended.clone());
        world.runtime.spawn(async move {
            assert_eq!(call.await, Err(CallError::TimedOut { sent: true }));
            ended.lock().push((runtime.now() - begin, Duration::from_secs(seconds)));
        });
    }
    world.runtime.advance(Duration::from_secs(60));
    let ended = ended.lock();
    assert_eq!(ended.len(), 2);
    assert!(ended.iter().all(|(after, timeout)| after == timeout), "{ended:?}");
}

#[test]
fn a_call_survives_its_connection() {
    let world = World::new();
    let client = world.connect();
    world.now({
        let client = client.clone();
        async move { client.connected().await.unwrap() }
    });
    world.set_down(true);
    world.cut();
    let call = client.call::<u64>("double", &4);
    world.runtime.advance(Duration::from_secs(10));
    assert_eq!(world.try_now(async {}), Some(()));
    world.set_down(false);
    world.runtime.advance(Duration::from_secs(20));
    assert_eq!(world.now(call), Ok(8));
}

#[test]
fn a_channel_is_a_stream_of_what_the_others_say() {
    let world = World::new();
    let (one, other) = (world.connect(), world.connect());
    let mut news = world.now(one.join("news")).unwrap();
    let others = world.now(other.join("news")).unwrap();
    others.send("hello").unwrap();
    news.send("not to myself").unwrap();
    others.send("world").unwrap();
    let heard = world.now(async move {
        let heard = [news.next().await, news.next().await];
        (heard, news)
    });
    assert_eq!(heard.0, [Some(Ok("hello".into())), Some(Ok("world".into()))]);
    assert_eq!(world.service.hub().channel("news").len(), 2);
    drop(heard.1);
    world.runtime.run();
    assert_eq!(world.service.hub().channel("news").len(), 1);
    others.leave().unwrap();
    world.runtime.run();
    assert_eq!(world.service.hub().channel("news").len(), 0);
}

#[test]
fn a_channel_survives_its_connection_and_misses_nothing() {
    let world = World::new();
    let client = world.connect();
    let mut news = world.now(client.join("news")).unwrap();
    for round in 0..5 {
        world.set_down(true);
        world.cut();
        world.service.hub().broadcast("news", &format!("{round}")).unwrap();
        world.runtime.advance(Duration::from_secs(5));
        world.set_down(false);
        world.runtime.advance(Duration::from_secs(20));
        let (heard, stream) = world.now(async move { (news.next().await, news) });
        assert_eq!(heard, Some(Ok(format!("{round}"))));
        news = stream;
    }
}

#[test]
fn a_channel_that_is_joined_twice_is_left_once() {
    let world = World::new();
    let client = world.connect();
    let (first, second) = (client.join("news"), client.join("news"));
    let mut first = world.now(first).unwrap();
    let mut second = world.now(second).unwrap();
    world.service.hub().broadcast("news", "both").unwrap();
    let heard = world.now(async move { (first.next().await, second.next().await, second) });
    assert_eq!((heard.0, heard.1), (Some(Ok("both".into())), Some(Ok("both".into()))));
    world.runtime.run();
    assert_eq!(world.service.hub().channel("news").len(), 1, "the first was dropped");
    drop(heard.2);
    world.runtime.run();
    assert_eq!(world.service.hub().channel("news").len(), 0);
}

#[test]
fn a_refused_join_says_why() {
    let world = World::new();
    let client = world.connect();
    let mut events = client.events();
    let refused = world.now(client.join("secret")).unwrap_err();
    assert!(matches!(&refused, CallError::Failed(error) if error.message() == "members only"), "{refused}");
    let found = world.events(&mut events);
    assert!(
        matches!(&found[1..], [ClientEvent::Error(_), ClientEvent::Channel { .. }]),
        "what was not joined is not left: {found:?}"
    );
    let invalid = world.now(client.join("a,b")).unwrap_err();
    assert!(matches!(invalid, CallError::Rejected(RequestError::Name(_))), "{invalid}");
    // A join that nobody waits for is left again.
    drop(client.join("news"));
    world.runtime.run();
    assert_eq!(world.service.hub().channel("news").len(), 0);
}

#[test]
fn a_channel_ends_when_the_server_takes_the_client_out() {
    let world = World::new();
    let client = world.connect();
    let mut news = world.now(client.join("news")).unwrap();
    world.now(client.call::<()>("expel", "news")).unwrap();
    assert_eq!(world.now(async move { news.next().await }), None);
}

#[test]
fn a_channel_that_nobody_reads_says_how_much_it_has_dropped() {
    let world = World::new();
    let config = ClientConfig::new().max_unread_bytes(1000);
    let client = world.start(Client::builder("ws://localhost/ws").config(config));
    let mut news = world.now(client.join("news")).unwrap();
    for number in 0..100 {
        world.service.hub().broadcast("news", &format!("{number}")).unwrap();
        world.runtime.run();
    }
    let heard = world.now(async move {
        let mut heard = Vec::new();
        loop {
            let message = news.next().await.unwrap();
            let is_last = message.as_deref() == Ok("99");
            heard.push(message);
            if is_last {
                return heard;
            }
        }
    });
    let kept = heard.len() - 1;
    assert_eq!(heard[0], Err(Gap::Unread(100 - kept as u64)));
    assert!((10..20).contains(&kept), "{kept}");
    assert_eq!(heard[1], Ok(format!("{}", 100 - kept)));
    // And nothing else is held up by it.
    assert_eq!(world.now(client.call::<u64>("double", &1)), Ok(2));
}

#[test]
fn a_session_that_is_lost_is_a_gap_in_its_channels() {
    let config = Config::new().session_ttl(Duration::from_secs(5));
    let world = World::of(Service::new(Router::new()).with_config(config));
    let client = world.connect();
    let mut events = client.events();
    let mut news = world.now(client.join("news")).unwrap();
    world.set_down(true);
    world.cut();
    world.runtime.advance(Duration::from_secs(10));
    world.set_down(false);
    world.runtime.advance(Duration::from_secs(20));
    world.service.hub().broadcast("news", "again").unwrap();
    let heard = world.now(async move { [news.next().await, news.next().await] });
    assert_eq!(heard, [Some(Err(Gap::SessionLost)), Some(Ok("again".into()))]);
    let events = world.events(&mut events);
    let reset = events.iter().position(|event| matches!(event, ClientEvent::Reset(_))).unwrap();
    assert!(
        matches!(
            &events[reset + 1..],
            [ClientEvent::Connected { .. }, ClientEvent::Channel { change: ChannelChange::Joined, .. }, ..]
        ),
        "{events:?}"
    );
}

#[test]
fn events_have_what_nobody_else_takes() {
    let world = World::new();
    let client = world.connect();
    let mut events = client.events();
    let id = world.now({
        let client = client.clone();
        async move { client.connected().await.unwrap() }
    });
    assert_eq!(client.id(), Some(id));
    world.service.hub().to(id).send("psst").unwrap();
    client.emit("fail", "on purpose").unwrap();
    let found = world.events(&mut events);
    assert!(
        matches!(
            &found[..],
            [ClientEvent::Connected { .. }, ClientEvent::Direct { content }, ClientEvent::Error(_)] if content == "psst"
        ),
        "{found:?}"
    );
    // To itself, which is nobody else.
    let other = world.connect();
    other.send(id, "from the other").unwrap();
    let found = world.events(&mut events);
    assert_eq!(found, [ClientEvent::Direct { content: "from the other".into() }]);
}

#[test]
fn joins_that_wait_while_a_session_is_lost_are_answered() {
    let is_stuck = Arc::new(AtomicBool::new(true));
    let stuck = is_stuck.clone();
    let router = Router::new().with(move |ctx, next: Next| {
        let stuck = stuck.clone();
        async move {
            if stuck.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            next.run(ctx).await
        }
    });
    let config = Config::new().session_ttl(Duration::from_secs(5));
    let world = World::of(Service::new(router).with_config(config));
    let client = world.connect();
    let (first, second) = (client.join("news"), client.join("news"));
    drop(client.join("sport"));
    world.runtime.run();
    world.set_down(true);
    world.cut();
    world.runtime.advance(Duration::from_secs(10));
    let third = client.join("sport");
    is_stuck.store(false, Ordering::Relaxed);
    world.set_down(false);
    world.runtime.advance(Duration::from_secs(20));
    let channels = [first, second, third].map(|join| world.now(join).unwrap());
    for (channel, name) in channels.iter().zip(["news", "news", "sport"]) {
        assert_eq!(channel.name(), name);
        assert_eq!(world.service.hub().channel(name).len(), 1);
    }
}
