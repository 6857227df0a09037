//! The conversations of `vectors/sessions.json`, but for those that are about time: they are played on a virtual clock.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, de::IgnoredAny};

use stocking_conformance::{Client, Received, application::application};

use crate::backends::Backend;

for_every_client![every_script_of_the_base_protocol_is_played_as_written];

#[derive(Deserialize)]
struct Scripts {
    scripts: Vec<Script>,
}

#[derive(Deserialize)]
struct Script {
    name: String,
    part: u8,
    #[serde(default = "yes")]
    otherwise: bool,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(flatten)]
    action: Action,
    #[serde(default = "first")]
    on: String,
    #[serde(default)]
    by: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Client(String),
    Close(u16),
    Connect(String),
    Cut(IgnoredAny),
    Mute(IgnoredAny),
    Restart(IgnoredAny),
    Server(String),
    Silence(IgnoredAny),
    Wait(IgnoredAny),
}

fn yes() -> bool {
    true
}

fn first() -> String {
    "a".into()
}

async fn every_script_of_the_base_protocol_is_played_as_written<C: Client>(on: Backend) {
    let text = include_str!("../../../stocking-proto/vectors/sessions.json");
    let Scripts { scripts } = serde_json::from_str(text).unwrap();
    let mut played = 0;
    for script in scripts {
        let takes_time = |step: &Step| matches!(step.action, Action::Wait(_) | Action::Mute(_));
        if script.part == 1 && !script.steps.iter().any(takes_time) {
            play::<C>(on, &script).await;
            played += 1;
        }
    }
    assert!(played > 40, "only {played} scripts");
}

/// A connection, and what has come on it before its step.
struct Line<C> {
    client: C,
    early: VecDeque<Received>,
}

impl<C: Client> Line<C> {
    async fn next(&mut self) -> Received {
        match self.early.pop_front() {
            Some(received) => received,
            None => self.client.receive().await,
        }
    }

    /// Reads up to the answer to a ping: all that was sent before has come then.
    async fn settle(&mut self) {
        self.client.send("3").await;
        loop {
            match self.client.receive().await {
                Received::Text(text) if text == "3" => break,
                other => self.early.push_back(other),
            }
        }
    }
}

async fn play<C: Client>(on: Backend, script: &Script) {
    let server = on.start(application(script.otherwise)).await;
    let mut lines: BTreeMap<String, Line<C>> = BTreeMap::new();
    let mut values = BTreeMap::new();
    for (number, step) in script.steps.iter().enumerate() {
        let place = format!("{}: step {number}", script.name);
        if let Action::Connect(name) = &step.action {
            let stream = server.tcp().await;
            let client = C::over(stream, server.address).await;
            lines.insert(name.clone(), Line { client, early: VecDeque::new() });
            continue;
        }
        if matches!(step.action, Action::Silence(_)) {
            // What another client sent may still be on its way here.
            for line in lines.values_mut() {
                line.settle().await;
            }
        }
        let line = lines.get_mut(&step.on).expect("a connection");
        match &step.action {
            Action::Client(text) => line.client.send(&fill(text, &values)).await,
            Action::Server(pattern) => match line.next().await {
                Received::Text(text) => assert_matches(&text, pattern, &mut values, &place),
                other => panic!("{place}: {other:?}"),
            },
            Action::Close(code) if step.by == "server" => {
                assert_eq!(line.next().await, Received::Close(*code), "{place}");
            }
            Action::Silence(_) => {
                line.settle().await;
                assert_eq!(line.early, [], "{place}");
            }
            Action::Close(_) | Action::Cut(_) | Action::Restart(_) => {
                panic!("{place}: no script of part 1 has this step")
            }
            Action::Connect(_) | Action::Mute(_) | Action::Wait(_) => unreachable!("{place}"),
        }
    }
}

/// Puts in the values that are known.
fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

/// Checks `text` against `pattern`, and learns the values that are new in it.
fn assert_matches(text: &str, pattern: &str, values: &mut BTreeMap<String, String>, place: &str) {
    let pattern = fill(pattern, values);
    let mut rest = text;
    let mut pieces = pattern.split("${");
    let literal = pieces.next().unwrap_or_default();
    rest = rest.strip_prefix(literal).unwrap_or_else(|| panic!("{place}: {text:?} is not {pattern:?}"));
    for piece in pieces {
        let (name, literal) = piece.split_once('}').expect("a placeholder ends");
        let length = match name {
            // Any text: up to the literal that ends the pattern.
            "*" => rest.len().checked_sub(literal.len()),
            _ => rest.find(['"', ',']).filter(|length| *length > 0),
        };
        let length = length.unwrap_or_else(|| panic!("{place}: {text:?} is not {pattern:?}"));
        let (value, after) = rest.split_at(length);
        if name != "*" {
            assert!(!values.values().any(|known| known == value), "{place}: {value:?} is not new");
            values.insert(name.to_owned(), value.to_owned());
        }
        rest = after.strip_prefix(literal).unwrap_or_else(|| panic!("{place}: {text:?} is not {pattern:?}"));
    }
    assert_eq!(rest, "", "{place}: {text:?} is not {pattern:?}");
}
