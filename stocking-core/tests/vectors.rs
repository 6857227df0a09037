//! The protocol's own scripts of whole conversations, played against a server in memory.

mod common;

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::Path,
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use stocking_core::{
    Accept, ClientId, ConnectRequest, Context, Error, Next, Payload, Rejection, Reply, Request, Result,
    Router, Service,
    testing::{Message, TestClient, TestRuntime, TestServer},
};

use self::common::silence_panics;

#[derive(Deserialize)]
struct Vectors {
    scripts: Vec<Script>,
}

#[derive(Deserialize)]
struct Script {
    name: String,
    part: u32,
    #[serde(default = "yes")]
    otherwise: bool,
    steps: Vec<Step>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    Connect { connect: String, refused: Option<u16> },
    Client { client: String, on: Option<String>, times: Option<usize> },
    Server { server: String, on: Option<String> },
    Close { close: u16, by: String, on: Option<String> },
    Silence { silence: u64, on: Option<String> },
    Wait { wait: u64 },
    Mute { mute: bool, on: Option<String> },
    Cut { cut: bool, on: Option<String> },
    Restart { restart: bool },
}

/// The application that the scripts assume.
fn application(runtime: &TestRuntime, otherwise: bool) -> Service {
    #[derive(Deserialize)]
    struct Person {
        name: String,
    }
    async fn echo(_: Context, payload: Box<RawValue>) -> Result<Box<RawValue>> {
        Ok(payload)
    }
    async fn any(_: Context, _: Value) -> Result<()> {
        Ok(())
    }
    async fn greet(_: Context, person: Person) -> Result<&'static str> {
        Ok(if person.name == "doge" { "Hello doge" } else { "Who are you?" })
    }
    async fn id(ctx: Context, _: Value) -> Result<ClientId> {
        Ok(ctx.session().id())
    }
    async fn error(_: Context, _: Value) -> Result<()> {
        Err(Error::new("no luck"))
    }
    async fn fail(_: Context, _: Value) -> Result<()> {
        Err(Error::new("who are you?").with_code(401))
    }
    async fn panic(_: Context, _: Value) -> Result<()> {
        panic!("on purpose");
    }
    async fn enter(ctx: Context, channel: String) -> Result<()> {
        Ok(ctx.session().join(&channel)?)
    }
    async fn exit(ctx: Context, channel: String) -> Result<()> {
        ctx.session().leave(&channel);
        Ok(())
    }
    async fn oops(_: Context, _: Value) -> Result<&'static str> {
        Ok("oops")
    }
    async fn guard(ctx: Context, next: Next) -> Reply {
        match next.request() {
            Request::Join { channel } if channel == "secret" => {
                Err(Error::new("members only").with_code(403))
            }
            Request::Leave { channel } if channel == "club" => Err(Error::new("members stay").with_code(403)),
            Request::Join { channel } if channel == "void" => Ok(Payload::null()),
            _ => next.run(ctx).await,
        }
    }
    let clock = runtime.clone();
    let slow = move |_: Context, payload: Box<RawValue>| {
        let sleep = clock.sleep(Duration::from_secs(2));
        async move {
            sleep.await;
            Ok::<_, Error>(payload)
        }
    };
    let router = Router::new()
        .on("echo", echo)
        .on("any", any)
        .on("greet", greet)
        .on("id", id)
        .on("nothing", any)
        .on("error", error)
        .on("fail", fail)
        .on("panic", panic)
        .on("slow", slow)
        .on("enter", enter)
        .on("exit", exit)
        .with(guard);
    let router = if otherwise { router.otherwise(oops) } else { router };
    Service::new(router).on_connect(async |request: ConnectRequest| match request.query() {
        Some("refused") => Err(Rejection::status(403, "not today")),
        _ => Ok(Accept::new()),
    })
}

/// A connection as a script sees it.
struct Peer {
    client: TestClient,
    unread: VecDeque<Message>,
    mute: bool,
}

impl Peer {
    /// Answers pings, as every WebSocket client does; whatever else has come waits for its step.
    fn pump(&mut self) {
        for message in self.client.receive() {
            match message {
                Message::Ping(_) if self.mute => {}
                Message::Ping(payload) => self.client.send_bytes(&TestClient::frame(0x8a, &payload)),
                Message::Pong(_) | Message::End => {}
                message => self.unread.push_back(message),
            }
        }
    }
}

struct Play {
    runtime: TestRuntime,
    otherwise: bool,
    server: TestServer,
    peers: BTreeMap<String, Peer>,
    /// What each `${name}` stands for.
    values: BTreeMap<String, String>,
}

impl Play {
    fn new(otherwise: bool) -> Self {
        let runtime = TestRuntime::default();
        let server = TestServer::on(&runtime, application(&runtime, otherwise));
        Self { runtime, otherwise, server, peers: BTreeMap::new(), values: BTreeMap::new() }
    }

    /// Another process in the place of the server's, which ends without a word.
    fn restart(&mut self) {
        for peer in self.peers.values() {
            peer.client.disconnect();
        }
        self.server = TestServer::on(&self.runtime, application(&self.runtime, self.otherwise));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Connect { connect, refused } => {
                let client = self.server.open();
                let path = if refused.is_some() { "/ws?refused" } else { "/ws" };
                client.send_bytes(format!("GET {path} {UPGRADE}").as_bytes());
                let response = read_head(&client);
                let status = refused.unwrap_or(101);
                assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
                let peer = Peer { client, unread: VecDeque::new(), mute: false };
                self.peers.insert(connect.clone(), peer);
            }
            Step::Client { client, on, times } => {
                let text = self.fill(client);
                for _ in 0..times.unwrap_or(1) {
                    self.peer(on).client.send(&text);
                }
            }
            Step::Server { server, on } => match self.next(on) {
                Some(Message::Text(text)) => self.assert_matches(server, &text),
                other => panic!("expected the text {server:?}, got {other:?}"),
            },
            Step::Close { close, by, on } if by == "client" => {
                let frame = TestClient::frame(0x88, &close.to_be_bytes());
                self.peer(on).client.send_bytes(&frame);
            }
            Step::Close { close, on, .. } => match self.next(on) {
                Some(Message::Close(code, _)) if code == *close => {}
                other => panic!("expected close {close}, got {other:?}"),
            },
            Step::Silence { silence, on } => {
                self.wait(*silence);
                assert_eq!(self.next(on), None, "expected silence");
            }
            Step::Wait { wait } => self.wait(*wait),
            Step::Restart { restart } => {
                assert!(restart);
                self.restart();
            }
            Step::Mute { mute, on } => self.peer(on).mute = *mute,
            Step::Cut { cut, on } => {
                assert!(cut);
                self.peer(on).client.disconnect();
            }
        }
    }

    fn peer(&mut self, on: &Option<String>) -> &mut Peer {
        self.peers.get_mut(on.as_deref().unwrap_or("a")).expect("a connection of this name")
    }

    fn next(&mut self, on: &Option<String>) -> Option<Message> {
        let peer = self.peer(on);
        peer.pump();
        peer.unread.pop_front()
    }

    /// Second by second, so that pings are answered in time.
    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.server.advance(Duration::from_secs(1));
            for peer in self.peers.values_mut() {
                peer.pump();
            }
        }
    }

    /// Puts the values that are known in the place of their names, and the letters in the place of their number.
    fn fill(&self, text: &str) -> String {
        let text = self
            .values
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
        let Some((before, rest)) = text.split_once("${") else { return text };
        let (name, after) = rest.split_once('}').expect("a name ends with a brace");
        name.parse().map_or_else(|_| text.clone(), |count| format!("{before}{}{after}", "x".repeat(count)))
    }

    fn assert_matches(&mut self, pattern: &str, text: &str) {
        let pattern = self.fill(pattern);
        assert!(self.fits(&pattern, text), "expected {pattern:?}, got {text:?}");
    }

    /// Whether `text` is what `pattern` says, whose new names are bound from left to right.
    fn fits(&mut self, pattern: &str, text: &str) -> bool {
        let Some((before, rest)) = pattern.split_once("${") else { return pattern == text };
        let (name, after) = rest.split_once('}').expect("a name ends with a brace");
        let Some(text) = text.strip_prefix(before) else { return false };
        if name == "*" {
            return text.ends_with(after);
        }
        let end = text.find(['"', ',']).unwrap_or(text.len());
        let (value, text) = text.split_at(end);
        self.bind(name, value) && self.fits(after, text)
    }

    fn bind(&mut self, name: &str, value: &str) -> bool {
        let fits = !value.is_empty()
            && !value.contains(['"', ','])
            && !self.values.values().any(|known| known == value);
        self.values.insert(name.to_owned(), value.to_owned());
        fits
    }
}

const UPGRADE: &str = "HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The response to the upgrade; the frames behind it stay unread.
fn read_head(client: &TestClient) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let byte = client.receive_bytes(1);
        assert!(!byte.is_empty(), "{head}");
        head.extend(byte.iter().map(|byte| char::from(*byte)));
    }
    head
}

#[test]
fn every_script() {
    silence_panics();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stocking-proto/vectors/sessions.json");
    let vectors: Vectors = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    for script in &vectors.scripts {
        let mut play = Play::new(script.otherwise);
        for (number, step) in script.steps.iter().enumerate() {
            // Shown where a step fails, and nowhere else.
            println!("{:?}, step {number}", script.name);
            play.step(step);
        }
    }
    let of_part = |part| vectors.scripts.iter().filter(|script| script.part == part).count();
    assert!(of_part(1) >= 51 && of_part(2) >= 39, "scripts have been lost");
}

#[test]
fn every_script_of_sessions_is_named_beside_its_rule() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/README.md");
    let tests = fs::read_to_string(tests).unwrap();
    for file in ["sessions", "clients"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stocking-proto/vectors").join(file);
        let vectors = fs::read_to_string(path.with_extension("json")).unwrap();
        let vectors: Value = serde_json::from_str(&vectors).unwrap();
        for script in vectors["scripts"].as_array().unwrap() {
            assert!(script["part"] == 1 || tests.contains(&script["name"].to_string()), "{}", script["name"]);
        }
    }
}
