//! Every request walks the middleware, whatever it asks for: messages, joins, leaves and broadcasts.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::{
    future::{Future, Ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use stocking_core::{
    ClientId, Context, Error, Next, Payload, Reply, Request, Result, Router, Service,
    router::Middleware,
    testing::{TestClient, TestRuntime, TestServer},
};

use self::common::silence_panics;

/// A request of each kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Call,
    Message,
    Join,
    Leave,
    Broadcast,
}

const KINDS: [Kind; 5] = [Kind::Call, Kind::Message, Kind::Join, Kind::Leave, Kind::Broadcast];

impl Kind {
    fn frame(self) -> &'static str {
        match self {
            Self::Call => r#"4,7,{"e":"echo","p":1}"#,
            Self::Message => r#"4,0,{"e":"echo","p":1}"#,
            Self::Join => "6,1,lobby",
            Self::Leave => "6,0,news",
            Self::Broadcast => "5,news,hi",
        }
    }

    /// What the client is told of an answer: of a success only where it asked for it.
    fn told(self, answer: std::result::Result<&str, (i32, &str)>) -> Vec<String> {
        match (self, answer) {
            (Self::Call, Ok(payload)) => vec![format!(r#"4,7,{{"c":-1,"p":{payload}}}"#)],
            (Self::Call, Err((code, text))) => vec![format!(r#"4,7,{{"c":{code},"p":"{text}"}}"#)],
            (_, Ok(_)) => vec![],
            (_, Err((code, text))) => vec![format!("1,{code},{text}")],
        }
    }

    /// What the framework answers where nothing is wrong.
    fn success(self) -> &'static str {
        if matches!(self, Self::Call | Self::Message) { "1" } else { "null" }
    }
}

/// A client in the channel `news`, another one there too, and a handler that counts.
struct World {
    server: TestServer,
    client: TestClient,
    other: TestClient,
    handled: Arc<AtomicUsize>,
}

impl World {
    fn new(wrap: impl FnOnce(Router) -> Router) -> Self {
        Self::on(&TestRuntime::default(), wrap)
    }

    fn on(runtime: &TestRuntime, wrap: impl FnOnce(Router) -> Router) -> Self {
        silence_panics();
        let handled = Arc::new(AtomicUsize::new(0));
        let count = handled.clone();
        let echo = move |_: Context, number: u32| {
            count.fetch_add(1, Ordering::Relaxed);
            async move { Ok::<_, Error>(number) }
        };
        let next = AtomicU8::new(1);
        let ids = move |bits: &mut [u8]| bits[0] = next.fetch_add(1, Ordering::Relaxed);
        let server =
            TestServer::on(runtime, Service::new(wrap(Router::new().on("echo", echo))).with_random(ids));
        let clients = [server.connect(), server.connect()];
        for (client, id) in clients.iter().zip(1..) {
            assert_eq!(client.ask("3"), ["3"]);
            server.hub().session(ClientId::from_bits(id)).unwrap().join("news").unwrap();
        }
        let [client, other] = clients;
        Self { server, client, other, handled }
    }

    fn channels(&self) -> Vec<String> {
        self.server.hub().session(ClientId::from_bits(1)).unwrap().channels()
    }

    /// Whether what was asked for has been done.
    fn is_done(&self, kind: Kind) -> bool {
        match kind {
            Kind::Call | Kind::Message => self.handled.load(Ordering::Relaxed) > 0,
            Kind::Join => self.channels().contains(&"lobby".to_owned()),
            Kind::Leave => self.channels().is_empty(),
            Kind::Broadcast => self.other.texts() == ["5,news,hi"],
        }
    }

    /// Whether the connections go on as if nothing had been.
    fn assert_alive(&self) {
        for client in [&self.client, &self.other] {
            assert_eq!(client.ask("3").pop().as_deref(), Some("3"));
        }
    }
}

type Log = Arc<Mutex<Vec<String>>>;

fn take(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

/// Logs the request on its way in, and the reply on its way out.
fn logger(log: &Log, name: &'static str) -> impl Middleware + use<> {
    let log = log.clone();
    move |ctx: Context, next: Next| {
        let log = log.clone();
        async move {
            log.lock().unwrap().push(format!("{name} in"));
            let reply = next.run(ctx).await;
            let told = match &reply {
                Ok(payload) => payload.as_str().to_owned(),
                Err(error) => error.to_string(),
            };
            log.lock().unwrap().push(format!("{name} out: {told}"));
            reply
        }
    }
}

async fn refuse(_: Context, _: Next) -> Reply {
    Err(Error::new("members only").with_code(403))
}

async fn invent(_: Context, _: Next) -> Reply {
    Payload::new("invented")
}

async fn panic_before(ctx: Context, next: Next) -> Reply {
    if ctx.event() != "never" {
        panic!("on purpose");
    }
    next.run(ctx).await
}

async fn panic_after(ctx: Context, next: Next) -> Reply {
    let _ = next.run(ctx).await;
    panic!("on purpose");
}

fn panic_at_once(_: Context, _: Next) -> Ready<Reply> {
    panic!("on purpose");
}

#[test]
fn the_layer_added_first_is_the_outermost_wherever_the_handlers_are_added() {
    async fn nothing(_: Context, (): ()) -> Result<()> {
        Ok(())
    }
    for kind in KINDS {
        let log = Log::default();
        let world = World::new(|router| {
            router
                .with(logger(&log, "a"))
                .on("between", nothing)
                .with(logger(&log, "b"))
                .on("behind", nothing)
        });
        assert_eq!(world.client.ask(kind.frame()), kind.told(Ok(kind.success())), "{kind:?}");
        let out = kind.success();
        let expected = ["a in".into(), "b in".into(), format!("b out: {out}"), format!("a out: {out}")];
        assert_eq!(take(&log), expected, "{kind:?}");
        assert!(world.is_done(kind), "{kind:?}");
        for event in ["between", "behind", "nobody"] {
            world.client.send(&format!(r#"4,0,{{"e":"{event}"}}"#));
            let _ = world.client.texts();
            assert_eq!(take(&log).len(), 4, "{event}");
        }
    }
}

#[test]
fn a_layer_sees_what_is_asked_for() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let world = World::new(|router| {
        router.with(move |ctx: Context, next: Next| {
            log.lock().unwrap().push((ctx.event().to_owned(), next.request().clone()));
            next.run(ctx)
        })
    });
    world.client.send_all(KINDS.map(Kind::frame));
    world.client.send(r#"4,0,{"e":"nobody"}"#);
    let _ = world.client.texts();
    let message = |payload: u8| Request::Message { payload: Payload::new(&payload).unwrap() };
    let expected = [
        ("echo", message(1)),
        ("echo", message(1)),
        ("", Request::Join { channel: "lobby".into() }),
        ("", Request::Leave { channel: "news".into() }),
        ("", Request::Broadcast { to: "news".into(), content: "hi".into() }),
        ("nobody", Request::Message { payload: Payload::null() }),
    ];
    assert_eq!(*seen.lock().unwrap(), expected.map(|(event, request)| (event.to_owned(), request)));
}

#[test]
fn a_layer_may_answer_without_those_further_in() {
    for kind in KINDS {
        let (log, inner) = (Log::default(), Log::default());
        let world = World::new(|router| {
            router.with(logger(&log, "outer")).with(refuse).with(logger(&inner, "inner"))
        });
        assert_eq!(world.client.ask(kind.frame()), kind.told(Err((403, "members only"))), "{kind:?}");
        assert_eq!(take(&log), ["outer in", "outer out: members only (code 403)"], "{kind:?}");
        assert!(take(&inner).is_empty() && !world.is_done(kind), "{kind:?}");

        let world = World::new(|router| router.with(invent));
        assert_eq!(world.client.ask(kind.frame()), kind.told(Ok(r#""invented""#)), "{kind:?}");
        assert!(!world.is_done(kind), "{kind:?}");
    }
}

#[test]
fn a_layer_may_change_the_request() {
    async fn change(ctx: Context, mut next: Next) -> Reply {
        match next.request_mut() {
            Request::Message { payload } => *payload = Payload::new(&2)?,
            Request::Join { channel } | Request::Leave { channel } => *channel = "elsewhere".into(),
            Request::Broadcast { content, .. } => *content = "changed".into(),
            _ => {}
        }
        next.run(ctx).await
    }
    let world = World::new(|router| router.with(change));
    assert_eq!(world.client.ask(Kind::Call.frame()), Kind::Call.told(Ok("2")));
    assert!(world.client.ask(Kind::Broadcast.frame()).is_empty());
    assert_eq!(world.other.texts(), ["5,news,changed"]);
    assert!(world.client.ask(Kind::Join.frame()).is_empty());
    assert_eq!(world.channels(), ["news", "elsewhere"]);
    assert!(world.client.ask(Kind::Leave.frame()).is_empty());
    assert_eq!(world.channels(), ["news"]);
}

#[test]
fn a_name_that_a_layer_changed_is_checked_again() {
    async fn spoil(ctx: Context, mut next: Next) -> Reply {
        match next.request_mut() {
            Request::Join { channel } | Request::Leave { channel } => *channel = "@nobody".into(),
            Request::Broadcast { to, .. } => *to = "a\nb".into(),
            _ => {}
        }
        next.run(ctx).await
    }
    for kind in [Kind::Join, Kind::Leave, Kind::Broadcast] {
        let world = World::new(|router| router.with(spoil));
        let texts = world.client.ask(kind.frame());
        assert!(texts.len() == 1 && texts[0].starts_with("1,-32003,"), "{kind:?}: {texts:?}");
        world.assert_alive();
    }
}

#[test]
fn a_layer_may_turn_a_request_into_one_of_another_kind() {
    async fn turn(ctx: Context, mut next: Next) -> Reply {
        let turned = match next.request() {
            Request::Message { .. } => Request::Join { channel: "lobby".into() },
            Request::Join { .. } => Request::Message { payload: Payload::null() },
            other => other.clone(),
        };
        *next.request_mut() = turned;
        next.run(ctx).await
    }
    let world = World::new(|router| router.with(turn));
    assert_eq!(world.client.ask(Kind::Call.frame()), Kind::Call.told(Ok("null")));
    assert_eq!(world.channels(), ["news", "lobby"]);
    // A join has no event, and so a message made of one has no handler.
    assert_eq!(world.client.ask("6,1,lobby"), [r#"1,-32601,no handler for event """#]);
}

#[test]
fn a_layer_may_change_the_reply() {
    async fn succeed(ctx: Context, next: Next) -> Reply {
        let _ = next.run(ctx).await;
        Payload::new("all is well")
    }
    async fn fail(ctx: Context, next: Next) -> Reply {
        next.run(ctx).await?;
        Err(Error::new("on second thoughts"))
    }
    for kind in KINDS {
        let world = World::new(|router| router.with(succeed).with(refuse));
        assert_eq!(world.client.ask(kind.frame()), kind.told(Ok(r#""all is well""#)), "{kind:?}");
        let world = World::new(|router| router.with(fail));
        assert_eq!(world.client.ask(kind.frame()), kind.told(Err((0, "on second thoughts"))), "{kind:?}");
        assert!(world.is_done(kind), "{kind:?}");
    }
}

#[test]
fn every_layer_sees_the_error_of_those_further_in() {
    let log = Log::default();
    let world = World::new(|router| router.with(logger(&log, "a")).with(logger(&log, "b")));
    for (frame, error) in [
        (r#"4,0,{"e":"echo","p":"x"}"#, "(code -32602)"),
        (r#"4,0,{"e":"nobody"}"#, "no handler for event \"nobody\" (code -32601)"),
        ("5,nobody,x", "Channel \"nobody\" not found (code 0)"),
    ] {
        assert_eq!(world.client.ask(frame).len(), 1, "{frame}");
        let seen = take(&log);
        assert_eq!(seen.len(), 4, "{frame}");
        for line in &seen[2..] {
            assert!(line.contains(" out: ") && line.ends_with(error), "{frame}: {line}");
        }
    }
}

#[test]
fn a_panic_in_a_layer_is_an_error_of_this_request_alone() {
    fn check<M: Middleware>(make: impl Fn() -> M, runs: bool) {
        for kind in KINDS {
            let log = Log::default();
            let world = World::new(|router| router.with(logger(&log, "outer")).with(make()));
            let answer = world.client.ask(kind.frame());
            assert_eq!(answer, kind.told(Err((-32603, "internal error"))), "{kind:?}");
            assert_eq!(take(&log), ["outer in", "outer out: internal error (code -32603)"], "{kind:?}");
            assert_eq!(world.is_done(kind), runs, "{kind:?}");
            world.assert_alive();
            // The outermost layer has nobody around it but the framework.
            let world = World::new(|router| router.with(make()));
            assert_eq!(world.client.ask(kind.frame()), answer, "{kind:?}");
            world.assert_alive();
        }
    }
    check(|| panic_before, false);
    check(|| panic_at_once, false);
    check(|| panic_after, true);
}

#[test]
fn a_layer_that_waits_keeps_the_order_and_its_panic_is_caught_too() {
    fn waiting<F: Future<Output = Reply> + Send + 'static>(
        runtime: &TestRuntime,
        then: fn(Context, Next) -> F,
    ) -> impl Middleware + use<F> {
        let runtime = runtime.clone();
        move |ctx: Context, next: Next| {
            let sleep = runtime.sleep(Duration::from_secs(1));
            async move {
                sleep.await;
                then(ctx, next).await
            }
        }
    }
    for kind in KINDS {
        let (runtime, log) = (TestRuntime::default(), Log::default());
        let wait = waiting(&runtime, |ctx, next| next.run(ctx));
        let world = World::on(&runtime, |router| router.with(logger(&log, "outer")).with(wait));
        world.client.send_all([kind.frame(), r#"4,8,{"e":"nobody"}"#]);
        assert!(world.client.texts().is_empty() && !world.is_done(kind), "{kind:?}");
        world.server.advance(Duration::from_secs(1));
        assert!(world.is_done(kind), "{kind:?}");
        assert_eq!(world.client.texts(), kind.told(Ok(kind.success())), "{kind:?}");
        world.server.advance(Duration::from_secs(1));
        assert!(world.client.texts()[0].starts_with(r#"4,8,{"c":-32601,"#), "{kind:?}");

        let runtime = TestRuntime::default();
        let world = World::on(&runtime, |router| router.with(waiting(&runtime, panic_after)));
        world.client.send(kind.frame());
        world.server.advance(Duration::from_secs(1));
        assert_eq!(world.client.texts(), kind.told(Err((-32603, "internal error"))), "{kind:?}");
        world.assert_alive();
    }
}

#[test]
fn a_layer_may_give_up_what_it_has_begun() {
    async fn give_up(ctx: Context, next: Next) -> Reply {
        drop(next.run(ctx));
        Err(Error::new("given up"))
    }
    for kind in KINDS {
        let world = World::new(|router| router.with(give_up));
        assert_eq!(world.client.ask(kind.frame()), kind.told(Err((0, "given up"))), "{kind:?}");
        world.assert_alive();
    }
}
