//! The scripts in `vectors/sessions.json` are made of frames, and of the steps that their description names.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use serde::Deserialize;
use stocking_proto::{
    ClientFrame, CloseCode, Event, ResumeRequest, ServerFrame, SessionOpened, SessionResumed,
};

#[derive(Deserialize)]
struct Scripts {
    application: Vec<String>,
    scripts: Vec<Script>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    name: String,
    part: u8,
    rules: String,
    #[serde(default = "yes")]
    otherwise: bool,
    steps: Vec<Step>,
}

/// One step, with what can be beside it.
#[derive(Deserialize)]
struct Step {
    #[serde(flatten)]
    action: Action,
    #[serde(default)]
    on: Option<String>,
    #[serde(default)]
    invalid: bool,
    #[serde(default)]
    by: Option<By>,
    #[serde(default = "once")]
    times: u32,
    #[serde(default)]
    refused: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Client(String),
    Close(u16),
    Connect(String),
    Cut(bool),
    Mute(bool),
    Restart(bool),
    Server(String),
    Silence(u64),
    Wait(u64),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Client,
    Server,
}

#[test]
fn every_text_of_every_script_is_what_it_says() {
    for script in scripts().scripts {
        for step in &script.steps {
            assert!(step.times > 0, "{}", script.name);
            match &step.action {
                Action::Client(text) => {
                    let text = with_values(text);
                    assert_eq!(is_valid(&text), !step.invalid, "{}: {text:?}", script.name);
                }
                Action::Server(text) => check_server_text(&script.name, &with_values(text)),
                Action::Close(code) => {
                    assert!(CloseCode::new(*code).is_some() && step.by.is_some(), "{}: {code}", script.name);
                }
                Action::Cut(flag) | Action::Mute(flag) | Action::Restart(flag) => {
                    assert!(flag, "{}", script.name)
                }
                Action::Silence(seconds) | Action::Wait(seconds) => assert!(*seconds > 0, "{}", script.name),
                Action::Connect(_) => {}
            }
        }
    }
}

#[test]
fn every_script_opens_a_connection_before_it_uses_it_and_is_greeted() {
    for script in scripts().scripts {
        let mut open = Vec::new();
        let mut steps = script.steps.iter().peekable();
        while let Some(step) = steps.next() {
            match &step.action {
                Action::Connect(_) if step.refused.is_some() => {}
                Action::Connect(name) => {
                    assert!(!open.contains(name), "{}: {name} is new", script.name);
                    open.push(name.clone());
                    let greeting = steps.peek().map(|step| &step.action);
                    assert!(matches!(greeting, Some(Action::Server(text)) if text == "0"), "{}", script.name);
                }
                Action::Wait(_) | Action::Restart(_) => {
                    assert!(step.on.is_none(), "{}: that is everybody's", script.name);
                }
                _ => {
                    let on = step.on.clone().unwrap_or_else(|| "a".into());
                    assert!(open.contains(&on), "{}: {on} is open", script.name);
                }
            }
        }
    }
}

#[test]
fn every_script_has_a_name_of_its_own_and_says_what_it_shows() {
    let Scripts { application, scripts } = scripts();
    let mut names: Vec<_> = scripts.iter().map(|script| &script.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), scripts.len());
    assert!(scripts.iter().all(|script| matches!(script.part, 1 | 2) && !script.rules.is_empty()));
    assert!(scripts.iter().any(|script| !script.otherwise) && !application.is_empty());
}

#[test]
fn events_of_scripts_are_events_of_the_application() {
    let Scripts { application, scripts } = scripts();
    let known =
        |name: &str| name == "nobody" || application.iter().any(|line| line.starts_with(&format!("{name}:")));
    for script in scripts {
        for step in script.steps {
            let Action::Client(text) = step.action else { continue };
            let Ok(ClientFrame::Message { content, .. }) = ClientFrame::parse(&text) else { continue };
            if let Ok(event) = Event::parse(content) {
                assert!(known(&event.name), "{}: {}", script.name, event.name);
            }
        }
    }
}

#[test]
fn every_text_of_every_script_of_a_client_is_a_frame() {
    let scripts: serde_json::Value = serde_json::from_str(include_str!("../vectors/clients.json")).unwrap();
    let mut names = Vec::new();
    for script in scripts["scripts"].as_array().unwrap() {
        let name = script["name"].as_str().unwrap();
        assert!(!names.contains(&name) && script["part"] == 2 && script["rules"].is_string(), "{name}");
        names.push(name);
        for step in script["steps"].as_array().unwrap() {
            if let Some(text) = step["client"].as_str() {
                assert!(is_valid(&text.replace("${one}", "1").replace("${two}", "2")), "{name}: {text:?}");
            }
            if let Some(text) = step["server"].as_str() {
                check_server_text(name, &text.replace("${one}", "1").replace("${two}", "2"));
            }
        }
    }
}

/// Whether it is a frame, and a resume what a resume is. An event may be malformed: a reply can say so.
fn is_valid(text: &str) -> bool {
    match ClientFrame::parse(text) {
        Ok(ClientFrame::Resume(content)) => content == "{}" || ResumeRequest::parse(content).is_ok(),
        Ok(_) => true,
        Err(_) => false,
    }
}

fn check_server_text(script: &str, text: &str) {
    let frame = ServerFrame::parse(text).unwrap_or_else(|error| panic!("{script}: {text:?}: {error}"));
    let content = match frame {
        ServerFrame::Opened(content) => SessionOpened::parse(content).map(drop),
        ServerFrame::Resumed(content) => SessionResumed::parse(content).map(drop),
        ServerFrame::Reply { content, .. } => stocking_proto::Reply::parse(content).map(drop),
        _ => Ok(()),
    };
    content.unwrap_or_else(|error| panic!("{script}: {text:?}: {error}"));
}

/// The text with a client id for every placeholder: it fits wherever a string is.
fn with_values(text: &str) -> String {
    let mut pieces = text.split("${");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (_name, rest) = piece.split_once('}').expect("a placeholder ends");
        // In `@${name}` the `@` is there already.
        out.push_str(if out.ends_with('@') { "0000000000000000000001" } else { "@0000000000000000000001" });
        out.push_str(rest);
    }
    out
}

fn scripts() -> Scripts {
    serde_json::from_str(include_str!("../vectors/sessions.json")).unwrap()
}

fn yes() -> bool {
    true
}

fn once() -> u32 {
    1
}
