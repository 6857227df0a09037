//! The protocol's own scripts of what a client says and what its application is told.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::Path,
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{TIMEOUT, World, seconds};
use crate::{
    Payload,
    client::{CallError, ChannelChange, ClientEvent, End, RequestError, event::Frame},
};

#[derive(Deserialize)]
struct Vectors {
    scripts: Vec<Script>,
}

#[derive(Deserialize)]
struct Script {
    name: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(flatten)]
    action: Action,
    #[serde(default)]
    by: String,
    refused: Option<u16>,
    times: Option<usize>,
    /// What an `asks` or a `told` has beside its word.
    #[serde(flatten)]
    members: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Asks(String),
    Client(String),
    Close(u16),
    Connect(IgnoredAny),
    Cut(bool),
    Server(String),
    Silence(u64),
    Sleep(u64),
    Told(String),
    Wait(u64),
}

struct Play {
    world: World,
    /// What was sent, and what was told, before its step.
    sent: VecDeque<String>,
    told: VecDeque<Value>,
    /// The event of each call.
    calls: BTreeMap<u64, String>,
    values: BTreeMap<String, String>,
}

impl Play {
    fn step(&mut self, step: &Step) {
        match &step.action {
            Action::Connect(_) => self.connect(step.refused),
            Action::Server(text) => {
                let text = self.fill(text);
                for _ in 0..step.times.unwrap_or(1) {
                    self.world.say(&text);
                }
            }
            Action::Client(pattern) => {
                let text = self.next_sent().expect("a text");
                let pattern = self.fill(pattern);
                assert!(self.fits(&pattern, &text), "expected {pattern:?}, got {text:?}");
            }
            Action::Close(code) if step.by == "client" => {
                assert_eq!(self.next_sent(), Some(format!("close {code}")));
            }
            Action::Close(code) => {
                self.pump();
                self.world.close(*code);
            }
            Action::Cut(cut) => {
                assert!(cut);
                self.pump();
                self.world.cut();
            }
            Action::Silence(time) => {
                assert_eq!(self.next_sent(), None);
                self.wait(*time);
                assert_eq!(self.next_sent(), None);
            }
            Action::Wait(time) => self.wait(*time),
            Action::Sleep(time) => {
                self.world.now += seconds(*time);
                self.world.client.handle_timeout(self.world.now);
            }
            Action::Asks(what) => self.ask(what, &step.members),
            Action::Told(what) => {
                let mut expected = json!(step.members);
                expected["told"] = what.as_str().into();
                let expected: Value = serde_json::from_str(&self.fill(&expected.to_string())).unwrap();
                for _ in 0..step.times.unwrap_or(1) {
                    self.pump();
                    assert_eq!(self.told.pop_front(), Some(expected.clone()));
                }
            }
        }
    }

    /// The client opens a connection, however long that takes.
    fn connect(&mut self, refused: Option<u16>) {
        self.pump();
        assert_eq!(self.sent, [""; 0], "on the connection before");
        match refused {
            None => self.world.accept(),
            Some(status) => {
                self.world.connect();
                let answer = format!("HTTP/1.1 {status} No\r\n\r\n");
                self.world.client.handle_input(answer.as_bytes(), self.world.now);
                self.world.cut();
            }
        }
    }

    /// Lets time pass, timers firing when they are due. Nobody dials meanwhile.
    fn wait(&mut self, time: u64) {
        let end = self.world.now + seconds(time);
        let (client, now) = (&mut self.world.client, &mut self.world.now);
        while let Some(at) = client.poll_timeout().filter(|at| *at > *now && *at <= end) {
            *now = at;
            client.handle_timeout(at);
        }
        *now = end;
        client.handle_timeout(end);
    }

    fn ask(&mut self, what: &str, members: &BTreeMap<String, Value>) {
        let text = |name: &str| fill(&self.values, members[name].as_str().unwrap());
        let payload = Payload::new(members.get("payload").unwrap_or(&Value::Null)).unwrap();
        let (client, now) = (&mut self.world.client, self.world.now);
        let outcome = match what {
            "call" => {
                let timeout = members.get("timeout").map_or(TIMEOUT, |time| seconds(time.as_u64().unwrap()));
                let event = text("event");
                let call = client.call(&event, &payload, timeout, now);
                call.map(|call| drop(self.calls.insert(call.get(), event)))
            }
            "emit" => client.emit(&text("event"), &payload),
            "join" => client.join(&text("channel")),
            "leave" => client.leave(&text("channel")),
            "broadcast" => client.broadcast(&text("channel"), &text("content")),
            "close" => {
                client.close(now);
                Ok(())
            }
            _ => panic!("asks {what}?"),
        };
        let rejected = outcome.err().map(|error| match error {
            RequestError::TooLong { .. } => "too long",
            error => panic!("{error}"),
        });
        assert_eq!(rejected, members.get("rejected").map(|why| why.as_str().unwrap()));
    }

    fn next_sent(&mut self) -> Option<String> {
        self.pump();
        self.sent.pop_front()
    }

    fn pump(&mut self) {
        self.sent.extend(self.world.sent());
        for event in self.world.events() {
            let told = told(event, &mut self.calls);
            self.told.push_back(told);
        }
    }

    fn fill(&self, text: &str) -> String {
        fill(&self.values, text)
    }

    /// Whether `text` is what `pattern` says, whose new names are bound from left to right.
    fn fits(&mut self, pattern: &str, text: &str) -> bool {
        let Some((before, rest)) = pattern.split_once("${") else { return pattern == text };
        let (name, after) = rest.split_once('}').expect("a name ends with a brace");
        let Some(text) = text.strip_prefix(before) else { return false };
        let (value, text) = text.split_at(text.find(['"', ',']).unwrap_or(text.len()));
        let is_new = !value.is_empty() && !self.values.values().any(|known| known == value);
        self.values.insert(name.to_owned(), value.to_owned());
        is_new && self.fits(after, text)
    }
}

/// Puts the values that are known in the place of their names, and letters in the place of their number.
fn fill(values: &BTreeMap<String, String>, text: &str) -> String {
    let text = values
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
    let Some((before, rest)) = text.split_once("${") else { return text };
    let (name, after) = rest.split_once('}').expect("a name ends with a brace");
    name.parse().map_or_else(|_| text.clone(), |count| format!("{before}{}{after}", "x".repeat(count)))
}

/// An event in the words of the scripts.
fn told(event: ClientEvent, calls: &mut BTreeMap<u64, String>) -> Value {
    let texts = |frames: Vec<Frame>| frames.iter().map(|frame| frame.as_str().to_owned()).collect::<Vec<_>>();
    match event {
        ClientEvent::Connected { id } => json!({"told": "connected", "id": id.to_string()}),
        ClientEvent::Disconnected { .. } => json!({"told": "disconnected"}),
        ClientEvent::ConnectFailed { .. } => json!({"told": "not connected"}),
        ClientEvent::Resumed => json!({"told": "resumed"}),
        ClientEvent::Reset(reset) => json!({
            "told": "reset", "unknown": texts(reset.unknown), "rejoined": reset.rejoined, "left": reset.left,
        }),
        ClientEvent::Reply { call, outcome } => {
            let to = calls.remove(&call.get()).expect("each call ends once");
            match outcome {
                Ok(payload) => {
                    let payload: Value = serde_json::from_str(payload.as_str()).unwrap();
                    json!({"told": "answer", "to": to, "payload": payload})
                }
                Err(CallError::Failed(error)) => {
                    json!({"told": "failure", "to": to, "code": error.code().get(), "text": error.message()})
                }
                Err(CallError::TimedOut { sent: true }) => json!({"told": "timed out", "to": to}),
                Err(CallError::SessionLost) => json!({"told": "lost", "to": to}),
                Err(error) => panic!("{error}"),
            }
        }
        ClientEvent::Message { channel, content } => {
            json!({"told": "message", "channel": channel, "content": content})
        }
        ClientEvent::Direct { content } => json!({"told": "direct", "content": content}),
        ClientEvent::Channel { channel, change } => match change {
            ChannelChange::Joined => json!({"told": "joined", "channel": channel}),
            ChannelChange::Refused(error) => {
                json!({"told": "refused", "channel": channel, "code": error.code().get()})
            }
            ChannelChange::Left => json!({"told": "left", "channel": channel}),
            ChannelChange::Kept(error) => {
                json!({"told": "kept", "channel": channel, "code": error.code().get()})
            }
            ChannelChange::PutIn => json!({"told": "put in", "channel": channel}),
            ChannelChange::TakenOut => json!({"told": "taken out", "channel": channel}),
        },
        ClientEvent::Error(error) => {
            json!({"told": "error", "code": error.code().get(), "text": error.message()})
        }
        ClientEvent::TooLong { frame, .. } => json!({"told": "too long", "frame": frame.as_str()}),
        ClientEvent::Closing => json!({"told": "closing"}),
        ClientEvent::NotAFrame(error) => panic!("{error}"),
        ClientEvent::Missed(count) => panic!("missed {count}"),
        ClientEvent::Ended { end, unknown, unsent } => {
            let why = match end {
                End::Left => "left",
                End::LeftUnheard => "unheard",
                End::Dismissed(_) => "dismissed",
                End::GaveUp(_) => "gave up",
            };
            json!({"told": "ended", "why": why, "unknown": texts(unknown), "unsent": texts(unsent)})
        }
    }
}

#[test]
fn every_script_of_a_client() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stocking-proto/vectors/clients.json");
    let vectors: Vectors = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    for script in &vectors.scripts {
        let mut play = Play {
            world: World::new(),
            sent: VecDeque::new(),
            told: VecDeque::new(),
            calls: BTreeMap::new(),
            values: BTreeMap::new(),
        };
        for (number, step) in script.steps.iter().enumerate() {
            // Shown where a step fails, and nowhere else.
            println!("{:?}, step {number}", script.name);
            play.step(step);
        }
        play.pump();
        assert!(play.told.is_empty() && play.sent.is_empty(), "{:?}, {:?}", play.told, play.sent);
    }
    assert!(vectors.scripts.len() >= 35, "scripts have been lost");
}
