//! One client's requests are answered in the order sent, whatever they are and however long they take.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{fmt::Write, ops::Range, time::Duration};

use proptest::{collection::vec, prelude::*};
use stocking_core::{
    ClientId, Config, Context, Error, Result, Router, Service,
    testing::{TestClient, TestRuntime, TestServer},
};

async fn echo(_: Context, number: u64) -> Result<u64> {
    Ok(number)
}

async fn id(ctx: Context, (): ()) -> Result<ClientId> {
    Ok(ctx.session().id())
}

async fn fail(_: Context, (): ()) -> Result<()> {
    Err(Error::new("no luck"))
}

/// Tells the whole room, its own client, and only then its caller.
async fn announce(ctx: Context, text: String) -> Result<()> {
    ctx.session().send(&text);
    ctx.hub().broadcast("room", &text)?;
    ctx.session().send("said");
    Ok(())
}

fn server() -> TestServer {
    let runtime = TestRuntime::default();
    let clock = runtime.clone();
    let slow = move |_: Context, seconds: u64| {
        let sleep = clock.sleep(Duration::from_secs(seconds));
        async move {
            sleep.await;
            Ok::<_, Error>(seconds)
        }
    };
    let clock = runtime.clone();
    let slow_failure = move |_: Context, (): ()| {
        let sleep = clock.sleep(Duration::from_secs(1));
        async move {
            sleep.await;
            Err::<(), _>(Error::new("no luck"))
        }
    };
    let clock = runtime.clone();
    let announce_later = move |ctx: Context, text: String| {
        let sleep = clock.sleep(Duration::from_secs(1));
        async move {
            sleep.await;
            announce(ctx, text).await
        }
    };
    let router = Router::new()
        .on("echo", echo)
        .on("id", id)
        .on("fail", fail)
        .on("announce", announce)
        .on("announce later", announce_later)
        .on("slow failure", slow_failure)
        .on("slow", slow.clone())
        .on_concurrent("beside", slow);
    // Without pings: they would only be in the way of what is looked at.
    let config = Config::new().ping_interval(Duration::MAX).max_malformed(u32::MAX);
    TestServer::on(&runtime, Service::new(router).with_config(config))
}

fn call(id: u64, event: &str, payload: impl std::fmt::Display) -> String {
    format!(r#"4,{id},{{"e":"{event}","p":{payload}}}"#)
}

fn success(id: u64, payload: impl std::fmt::Display) -> String {
    format!(r#"4,{id},{{"c":-1,"p":{payload}}}"#)
}

/// What one client sends, and what comes of it.
#[derive(Clone, Copy, Debug)]
enum Sent {
    Fast,
    Slow,
    Failing,
    SlowFailing,
    /// Without callback: silent.
    Silent,
    /// Without callback: an error frame.
    FailingSilently,
    NotJson,
    NotJsonWithoutCallback,
    Misfit,
    Unknown,
    Join,
    Leave,
    JoinNothing,
    /// The other client is in this channel.
    Broadcast,
    BroadcastToNobody,
    Announce,
    AnnounceLater,
    Ping,
    Malformed,
    Beside,
}

impl Sent {
    const ALL: [Self; 20] = [
        Self::Fast,
        Self::Slow,
        Self::Failing,
        Self::SlowFailing,
        Self::Silent,
        Self::FailingSilently,
        Self::NotJson,
        Self::NotJsonWithoutCallback,
        Self::Misfit,
        Self::Unknown,
        Self::Join,
        Self::Leave,
        Self::JoinNothing,
        Self::Broadcast,
        Self::BroadcastToNobody,
        Self::Announce,
        Self::AnnounceLater,
        Self::Ping,
        Self::Malformed,
        Self::Beside,
    ];

    fn frame(self, id: u64) -> String {
        match self {
            Self::Fast => call(id, "echo", id),
            Self::Slow => call(id, "slow", 1 + id % 3),
            Self::Failing => call(id, "fail", "null"),
            Self::SlowFailing => call(id, "slow failure", "null"),
            Self::Silent => call(0, "slow", 1),
            Self::FailingSilently => call(0, "fail", "null"),
            Self::NotJson => format!("4,{id},{{"),
            Self::NotJsonWithoutCallback => "4,0,{".into(),
            Self::Misfit => call(id, "echo", "\"x\""),
            Self::Unknown => call(id, "nobody", 1),
            Self::Join => "6,1,mine".into(),
            Self::Leave => "6,0,mine".into(),
            Self::JoinNothing => "6,1,".into(),
            Self::Broadcast => format!("5,room,{id}"),
            Self::BroadcastToNobody => format!("5,nobody {id},x"),
            Self::Announce => call(id, "announce", format_args!("\"{id}\"")),
            Self::AnnounceLater => call(id, "announce later", format_args!("\"{id}\"")),
            Self::Ping => "3".into(),
            Self::Malformed => "7".into(),
            Self::Beside => call(id, "beside", 2),
        }
    }

    /// The beginnings of what the client is told, in order.
    fn told(self, id: u64, own: &str) -> Vec<String> {
        let reply = |code: i32| vec![format!(r#"4,{id},{{"c":{code},"p":"#)];
        match self {
            Self::Fast => vec![success(id, id)],
            Self::Slow => vec![success(id, 1 + id % 3)],
            Self::Failing | Self::SlowFailing => reply(0),
            Self::Silent | Self::Join | Self::Leave | Self::Broadcast => vec![],
            Self::FailingSilently => vec!["1,0,no luck".into()],
            Self::NotJson => reply(-32700),
            Self::NotJsonWithoutCallback => vec!["1,-32700,".into()],
            Self::Misfit => reply(-32602),
            Self::Unknown => reply(-32601),
            Self::JoinNothing => vec!["1,-32003,".into()],
            Self::BroadcastToNobody => vec![format!("1,0,Channel \"nobody {id}\" not found")],
            Self::Announce | Self::AnnounceLater => {
                vec![format!("5,{own},{id}"), format!("5,{own},said"), success(id, "null")]
            }
            Self::Ping => vec!["3".into()],
            Self::Malformed => vec!["1,-32600,".into()],
            Self::Beside => vec![success(id, 2)],
        }
    }

    /// Whether its answer may come before those of what was sent earlier.
    fn may_overtake(self) -> bool {
        matches!(self, Self::Ping | Self::Malformed | Self::Beside)
    }
}

/// Takes what `sent` is told out of `texts`, and compares what is left with what those must be told that keep the order.
fn assert_in_order(sent: &[Sent], ids: Range<u64>, own: &str, mut texts: Vec<String>) {
    let mut expected = Vec::new();
    for (sent, id) in sent.iter().zip(ids) {
        for beginning in sent.told(id, own) {
            if sent.may_overtake() {
                let at = texts.iter().position(|text| text.starts_with(&beginning)).expect(&beginning);
                texts.remove(at);
            } else {
                expected.push(beginning);
            }
        }
    }
    let mut difference = String::new();
    for (place, (expected, text)) in expected.iter().zip(&texts).enumerate() {
        if !text.starts_with(expected) {
            writeln!(difference, "{place}: expected {expected}, got {text}").unwrap();
        }
    }
    assert!(difference.is_empty() && expected.len() == texts.len(), "{difference}{texts:#?}\n{expected:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// In bursts of any size, with any time between them.
    #[test]
    fn one_clients_requests_are_answered_in_the_order_sent(
        bursts in vec((vec(prop::sample::select(&Sent::ALL[..]), 0..40), 0_u64..4), 1..6),
    ) {
        let server = server();
        let (client, other) = (server.connect(), server.connect());
        assert_eq!(other.ask("6,1,room"), [""; 0]);
        let own = own_id(&client);
        let (mut all, mut texts) = (Vec::new(), Vec::new());
        for (burst, seconds) in bursts {
            let first = 1 + all.len() as u64;
            client.send_all(burst.iter().zip(first..).map(|(sent, id)| sent.frame(id)));
            all.extend(burst);
            server.advance(Duration::from_secs(seconds));
            texts.extend(client.texts());
        }
        server.advance(Duration::from_secs(3 * all.len() as u64));
        texts.extend(client.texts());
        let ids = 1..1 + all.len() as u64;
        assert_in_order(&all, ids.clone(), &own, texts);
        // What it told the others kept its order too.
        let is_told = |sent: &Sent| matches!(sent, Sent::Broadcast | Sent::Announce | Sent::AnnounceLater);
        let to_others = all.iter().zip(ids).filter(|(sent, _)| is_told(sent));
        assert_eq!(other.texts(), to_others.map(|(_, id)| format!("5,room,{id}")).collect::<Vec<_>>());
        assert_eq!(server.runtime().tasks(), 2);
    }
}

/// The id of a client, as the server tells it.
fn own_id(client: &TestClient) -> String {
    let reply = client.ask(&call(1, "id", "null")).concat();
    reply.split('"').find(|part| ClientId::parse(part).is_ok()).expect("an id").to_owned()
}

#[test]
fn what_a_handler_sends_to_its_own_client_comes_before_its_reply() {
    let server = server();
    let client = server.connect();
    let own = own_id(&client);
    for event in ["announce", "announce later"] {
        client.send_all([call(7, event, "\"hi\""), call(8, "echo", 1)]);
        server.advance(Duration::from_secs(1));
        let told = [format!("5,{own},hi"), format!("5,{own},said"), success(7, "null"), success(8, 1)];
        assert_eq!(client.texts(), told, "{event}");
    }
}

#[test]
fn requests_of_a_concurrent_route_overlap_each_other_and_the_lane() {
    let server = server();
    let client = server.connect();
    client.send_all([
        call(1, "beside", 3),
        call(2, "slow", 2),
        call(3, "beside", 1),
        call(4, "echo", 4),
        call(5, "beside", 0),
        call(6, "beside", 1),
    ]);
    let expected = [
        vec![success(5, 0)],
        vec![success(3, 1), success(6, 1)],
        vec![success(2, 2), success(4, 4)],
        vec![success(1, 3)],
    ];
    for expected in expected {
        assert_eq!(client.texts(), expected);
        server.advance(Duration::from_secs(1));
    }
}

#[test]
fn a_handler_that_waits_delays_nobody_but_its_own_session() {
    let server = server();
    let (slow, other) = (server.connect(), server.connect());
    slow.send_all([call(1, "slow", 5), call(2, "echo", 2)]);
    server.run();
    for second in 0..5 {
        assert_eq!(other.ask(&call(1, "echo", second)), [success(1, second)]);
        assert_eq!(slow.texts(), [""; 0]);
        // What others tell it, and its pings, do not wait either.
        assert_eq!(slow.ask("3"), ["3"]);
        server.advance(Duration::from_secs(1));
    }
    assert_eq!(slow.texts(), [success(1, 5), success(2, 2)]);
}

#[test]
fn what_was_asked_for_is_done_even_if_its_client_has_gone() {
    let server = server();
    let (client, other) = (server.connect(), server.connect());
    assert_eq!(other.ask("6,1,room"), [""; 0]);
    client.send_all([
        call(1, "slow", 2),
        call(2, "announce later", "\"later\""),
        "5,room,waited".into(),
        call(3, "announce", "\"at once\""),
    ]);
    server.run();
    client.disconnect();
    server.advance(Duration::from_secs(1));
    assert_eq!(server.hub().sessions(), 1);
    assert_eq!(other.texts(), [""; 0]);
    server.advance(Duration::from_secs(2));
    assert_eq!(other.texts(), ["5,room,later", "5,room,waited", "5,room,at once"]);
    assert_eq!(server.runtime().tasks(), 1);
}

#[test]
fn a_join_that_waits_behind_a_slow_request_does_nothing_once_its_client_has_gone() {
    let server = server();
    let client = server.connect();
    client.send_all([call(1, "slow", 1), "6,1,ghost".into()]);
    server.run();
    client.disconnect();
    server.advance(Duration::from_secs(1));
    assert_eq!((server.hub().sessions(), server.hub().channels(), server.runtime().tasks()), (0, 0, 0));
}
