//! Routers: what is merged, what is there twice, and what every handler finds.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, Once},
};

use stocking_core::{
    Context, Error, Next, Payload, Reply, Result, Router,
    router::Middleware,
    testing::{TestClient, TestServer},
};

async fn nothing(_: Context, (): ()) -> Result<()> {
    Ok(())
}

async fn event(ctx: Context, (): ()) -> Result<String> {
    Ok(ctx.event().to_owned())
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn layer(&self, name: &'static str) -> impl Middleware + use<> {
        let log = self.clone();
        move |ctx: Context, next: Next| {
            log.0.lock().unwrap().push(name);
            next.run(ctx)
        }
    }

    fn of(&self, client: &TestClient, frame: &str) -> Vec<&'static str> {
        client.send(frame);
        let _ = client.texts();
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[test]
fn the_layers_of_a_merged_router_wrap_its_own_events_inside_of_the_roots() {
    let log = Log::default();
    let innermost = Router::new().on("innermost", nothing).with(log.layer("3"));
    let inner = Router::new()
        .with(log.layer("2a"))
        .on("inner", nothing)
        .merge(innermost)
        .otherwise(nothing)
        .with(log.layer("2b"));
    let beside = Router::new().on("beside", nothing).with(log.layer("beside"));
    let root = Router::new()
        .on("root", nothing)
        .with(log.layer("1a"))
        .merge(inner)
        .merge(beside)
        .merge(Router::new().on("bare", nothing))
        .with(log.layer("1b"));
    let client = TestServer::new(root).connect();
    let cases: [(&str, &[&str]); 9] = [
        (r#"4,0,{"e":"root"}"#, &["1a", "1b"]),
        (r#"4,0,{"e":"inner"}"#, &["1a", "1b", "2a", "2b"]),
        (r#"4,0,{"e":"innermost"}"#, &["1a", "1b", "2a", "2b", "3"]),
        (r#"4,0,{"e":"beside"}"#, &["1a", "1b", "beside"]),
        (r#"4,0,{"e":"bare"}"#, &["1a", "1b"]),
        (r#"4,0,{"e":"nobody"}"#, &["1a", "1b", "2a", "2b"]),
        ("6,1,news", &["1a", "1b"]),
        ("6,0,news", &["1a", "1b"]),
        ("5,news,hi", &["1a", "1b"]),
    ];
    for (frame, expected) in cases {
        assert_eq!(log.of(&client, frame), expected, "{frame}");
    }
}

#[test]
fn an_unknown_event_walks_the_roots_layers_where_nobody_takes_it() {
    let log = Log::default();
    let inner = Router::new().on("inner", nothing).with(log.layer("2"));
    let client = TestServer::new(Router::new().merge(inner).with(log.layer("1"))).connect();
    assert_eq!(log.of(&client, r#"4,0,{"e":"nobody"}"#), ["1"]);
}

#[test]
fn a_merged_otherwise_takes_every_event_without_a_handler_and_knows_its_name() {
    let merged = Router::new().on("known", nothing).otherwise(event);
    let client = TestServer::new(Router::new().on("root", event).merge(merged)).connect();
    for (sent, reply) in [("known", "null"), ("root", "\"root\""), ("nobody", "\"nobody\""), ("", "\"\"")] {
        let texts = client.ask(&format!(r#"4,1,{{"e":"{sent}"}}"#));
        assert_eq!(texts, [format!(r#"4,1,{{"c":-1,"p":{reply}}}"#)], "{sent:?}");
    }
}

#[test]
fn a_merged_concurrent_route_stays_concurrent_and_routes_keep_their_handlers() {
    let numbered = |number: u32| move |_: Context, (): ()| async move { Ok::<_, Error>(number) };
    let merged = Router::new().on("b", numbered(2)).on_concurrent("c", numbered(3));
    let client =
        TestServer::new(Router::new().on("a", numbered(1)).merge(merged).on("d", numbered(4))).connect();
    for (event, number) in [("d", 4), ("a", 1), ("c", 3), ("b", 2), ("b", 2), ("a", 1)] {
        let texts = client.ask(&format!(r#"4,1,{{"e":"{event}"}}"#));
        assert_eq!(texts, [format!(r#"4,1,{{"c":-1,"p":{number}}}"#)], "{event}");
    }
}

thread_local! {
    /// Where this thread has panicked: file and line.
    static PANICKED_AT: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
}

/// What `build` panics with, and in which line of this file.
fn panic_of(build: impl FnOnce()) -> (String, u32) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let at = info.location().map(|location| (location.file().to_owned(), location.line()));
            if !info.payload_as_str().is_some_and(|text| text.starts_with("two ")) {
                report(info);
            }
            PANICKED_AT.set(at);
        }));
    });
    let outcome = panic::catch_unwind(AssertUnwindSafe(build));
    let payload = outcome.expect_err("it panics");
    let text = match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().expect("it says why").to_string(),
    };
    let (file, line) = PANICKED_AT.take().expect("the hook has run");
    assert_eq!(file, file!(), "{text}");
    (text, line)
}

#[test]
fn what_is_there_twice_panics_where_it_is_added() {
    let twice = "two handlers for event \"twice\"";
    let otherwise = "two handlers for otherwise";
    let state = "two states of type `u8`";
    let router = || Router::new().on("twice", nothing).otherwise(nothing).with_state(1_u8);
    let merged = Router::new;
    // Each `line!()` stands in the line that is to be blamed.
    type Case = (&'static str, Box<dyn FnOnce()>, u32);
    let cases: [Case; 7] = [
        (twice, Box::new(move || drop(router().on("twice", nothing))), line!()),
        (twice, Box::new(move || drop(router().on_concurrent("twice", nothing))), line!()),
        (twice, Box::new(move || drop(router().merge(merged().on("twice", nothing)))), line!()),
        (otherwise, Box::new(move || drop(router().otherwise(nothing))), line!()),
        (otherwise, Box::new(move || drop(router().merge(merged().otherwise(nothing)))), line!()),
        (state, Box::new(move || drop(router().with_state(2_u8))), line!()),
        (state, Box::new(move || drop(router().merge(merged().with_state(2_u8)))), line!()),
    ];
    for (text, build, line) in cases {
        assert_eq!(panic_of(build), (text.to_owned(), line));
    }
}

#[test]
fn every_handler_and_every_layer_finds_the_states() {
    struct Greeting(&'static str);

    async fn greet(ctx: Context, name: String) -> Result<String> {
        Ok(format!("{} {name} {}", ctx.state::<Greeting>().0, ctx.state::<u32>()))
    }
    async fn layer(ctx: Context, next: Next) -> Reply {
        let greeting = ctx.state::<Greeting>().0;
        next.run(ctx).await?;
        Payload::new(greeting)
    }
    let merged = Router::new().on("merged", greet).with_state(7_u32);
    let router = Router::new().on("greet", greet).with_state(Greeting("Hello")).merge(merged);
    let client = TestServer::new(router).connect();
    for event in ["greet", "merged"] {
        let texts = client.ask(&format!(r#"4,1,{{"e":"{event}","p":"doge"}}"#));
        assert_eq!(texts, [r#"4,1,{"c":-1,"p":"Hello doge 7"}"#], "{event}");
    }
    let router = Router::new().on("greet", greet).with_state(Greeting("Hi")).with_state(7_u32).with(layer);
    let client = TestServer::new(router).connect();
    assert_eq!(client.ask(r#"4,1,{"e":"greet","p":"doge"}"#), [r#"4,1,{"c":-1,"p":"Hi"}"#]);
}

#[test]
fn a_missing_state_is_an_internal_error_that_names_its_type_to_the_log_alone() {
    async fn find(ctx: Context, (): ()) -> Result<u32> {
        Ok(*ctx.state::<u32>())
    }
    let client = TestServer::new(Router::new().on("find", find).with_state(7_u64)).connect();
    assert_eq!(client.ask(r#"4,1,{"e":"find"}"#), [r#"4,1,{"c":-32603,"p":"internal error"}"#]);
    assert_eq!(client.ask("3"), ["3"]);
}
