//! The cases in `vectors/`, which every implementation of the protocol passes.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use serde_json::{Value, json};
use stocking_proto::{
    ClientFrame, ContentError, ContentErrorKind, Count, Event, FrameError, FrameErrorKind, MembershipChange,
    NameError, Reply, ResumeRequest, ServerFrame, SessionOpened, SessionResumed,
};

#[test]
fn every_frame_means_what_its_case_says_and_is_written_so() {
    for case in array(include_str!("../vectors/frames.json")) {
        let text = string(&case, "text");
        let outcome = match string(&case, "direction") {
            "client" => ClientFrame::parse(text).map(|frame| (client_frame(&frame), frame.to_string())),
            "server" => ServerFrame::parse(text).map(|frame| (server_frame(&frame), frame.to_string())),
            other => panic!("a direction is not {other:?}"),
        };
        check(&case, text, "frame", outcome.map_err(|error| frame_error(&error)));
    }
}

#[test]
fn every_content_says_what_its_case_says_and_is_written_so() {
    for case in array(include_str!("../vectors/contents.json")) {
        let content = string(&case, "content");
        let mut out = Vec::new();
        let value = match string(&case, "of") {
            "event" => Event::parse(content).map(|event| {
                event.encode(&mut out);
                json!({"name": event.name, "payload": event.payload.get()})
            }),
            "reply" => Reply::parse(content).map(|reply| {
                reply.encode(&mut out);
                match reply {
                    Reply::Success(payload) => json!({"success": payload.get()}),
                    Reply::Failure { code, reason } => json!({"code": code.get(), "reason": reason}),
                }
            }),
            "opened" => SessionOpened::parse(content).map(|opened| {
                opened.encode(&mut out);
                let SessionOpened { id, key, ttl, ping, max } = opened;
                json!({"id": id, "key": key, "ttl": ttl, "ping": ping, "max": max})
            }),
            "resume" => ResumeRequest::parse(content).map(|request| {
                request.encode(&mut out);
                let ResumeRequest { id, key, got, attempt } = request;
                json!({"id": id, "key": key, "got": got, "try": attempt})
            }),
            "resumed" => SessionResumed::parse(content).map(|resumed| {
                resumed.encode(&mut out);
                json!({"got": resumed.got})
            }),
            other => panic!("a content is not of {other:?}"),
        };
        let written = String::from_utf8(out).unwrap();
        check(
            &case,
            content,
            "value",
            value.map(|value| (value, written)).map_err(|error| content_error(&error)),
        );
    }
}

/// Holds an outcome, what was read and how it is written or what is wrong, against what the case says.
fn check(case: &Value, text: &str, member: &str, outcome: Result<(Value, String), Value>) {
    let name = string(case, "name");
    match outcome {
        Ok((read, written)) => {
            assert_eq!(read, case[member], "{name}: {text:?}");
            assert_eq!(written, case["canonical"].as_str().unwrap_or(text), "{name}: written again");
        }
        Err(error) => assert_eq!(error, case["error"], "{name}: {text:?}"),
    }
}

fn client_frame(frame: &ClientFrame<'_>) -> Value {
    match frame {
        ClientFrame::Open => json!({"type": "open"}),
        ClientFrame::Resume(content) => json!({"type": "resume", "content": content}),
        ClientFrame::Close => json!({"type": "close"}),
        ClientFrame::Ping(code) => {
            let count = match code.count() {
                Ok(count) => json!(count),
                Err(error) => {
                    assert_eq!((error.kind(), error.at()), (FrameErrorKind::InvalidCount, 2));
                    json!("invalid")
                }
            };
            json!({"type": "ping", "code": code.as_str(), "count": count})
        }
        ClientFrame::Message { id, content } => {
            json!({"type": "message", "id": id.map(|id| id.get()), "content": content})
        }
        ClientFrame::Broadcast { to, content } => {
            json!({"type": "broadcast", "to": to.as_str(), "content": content})
        }
        ClientFrame::Join(channel) => json!({"type": "join", "channel": channel.as_str()}),
        ClientFrame::Leave(channel) => json!({"type": "leave", "channel": channel.as_str()}),
    }
}

fn server_frame(frame: &ServerFrame<'_>) -> Value {
    match frame {
        ServerFrame::Connected => json!({"type": "connected"}),
        ServerFrame::Opened(content) => json!({"type": "opened", "content": content}),
        ServerFrame::Resumed(content) => json!({"type": "resumed", "content": content}),
        ServerFrame::Error { code, text } => json!({"type": "error", "code": code.get(), "text": text}),
        ServerFrame::Close => json!({"type": "close"}),
        ServerFrame::Pong(count) => json!({"type": "pong", "count": count.map(Count::get)}),
        ServerFrame::Reply { id, content } => json!({"type": "reply", "id": id.get(), "content": content}),
        ServerFrame::Broadcast { to, content } => {
            json!({"type": "broadcast", "to": to.as_str(), "content": content})
        }
        ServerFrame::Membership { channel, change } => {
            let change = match change {
                MembershipChange::Left => "left",
                MembershipChange::Joined => "joined",
                MembershipChange::TakenOut => "taken-out",
                MembershipChange::PutIn => "put-in",
            };
            json!({"type": "membership", "channel": channel.as_str(), "change": change})
        }
    }
}

fn frame_error(error: &FrameError) -> Value {
    let kind = match error.kind() {
        FrameErrorKind::MissingType => "missing-type",
        FrameErrorKind::UnknownType(_) => "unknown-type",
        FrameErrorKind::LongType => "long-type",
        FrameErrorKind::WrongDirection => "wrong-direction",
        FrameErrorKind::InvalidConnectCode => "connect-code",
        FrameErrorKind::InvalidErrorCode => "error-code",
        FrameErrorKind::InvalidCount => "count",
        FrameErrorKind::InvalidMessageCode => "message-code",
        FrameErrorKind::InvalidReplyCode => "reply-code",
        FrameErrorKind::InvalidJoinCode => "join-code",
        FrameErrorKind::InvalidMembershipCode => "membership-code",
        FrameErrorKind::Name(NameError::Empty) => "name-empty",
        FrameErrorKind::Name(NameError::TooLong { .. }) => "name-too-long",
        FrameErrorKind::Name(NameError::Forbidden { .. }) => "name-forbidden",
        FrameErrorKind::Name(NameError::ClientId) => "name-client-id",
        _ => "unknown to the vectors",
    };
    json!({"kind": kind, "at": error.at(), "code": error.code().get()})
}

fn content_error(error: &ContentError) -> Value {
    let kind = match error.kind() {
        ContentErrorKind::NotJson => "not-json",
        ContentErrorKind::InvalidEnvelope => "envelope",
    };
    json!({"kind": kind, "code": error.code().get()})
}

fn array(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}

fn string<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap_or_else(|| panic!("{case} has no {member}"))
}
