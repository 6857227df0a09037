//! A content that is written is read back, and the short scan of an event finds what its parser finds.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::value::RawValue;
use stocking_proto::{
    AckId, ClientFrame, ClientId, Count, ErrorCode, Event, Reply, ResumeRequest, ServerFrame, SessionOpened,
    SessionResumed, SuccessFrame, UncheckedEvent,
};
use support::{frames, written};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn an_event_is_read_back(name: String, payload in json()) {
        let payload = raw(&payload);
        let content = written(|out| Event { name: Cow::Borrowed(&name), payload }.encode(out));
        let event = Event::parse(&content).unwrap();
        prop_assert_eq!(event.name, name.as_str());
        prop_assert_eq!(event.payload.get(), payload.get());
    }

    #[test]
    fn a_success_is_read_back_and_written_at_once_the_same(id in frames::integer(), payload in json()) {
        let payload = raw(&payload);
        let content = written(|out| Reply::Success(payload).encode(out));
        let Ok(Reply::Success(read)) = Reply::parse(&content) else { panic!("{content}") };
        prop_assert_eq!(read.get(), payload.get());
        if let Some(id) = AckId::new(id) {
            let frame = SuccessFrame { id, payload: payload.get() };
            let text = written(|out| frame.encode(out));
            prop_assert_eq!(frame.encoded_len(), text.len());
            prop_assert_eq!(ServerFrame::parse(&text), Ok(ServerFrame::Reply { id, content: &content }));
            let head = written(|out| ClientFrame::Message { id: Some(id), content: "" }.encode(out));
            let echoed = written(|out| SuccessFrame::encode_after(&head, payload.get().as_bytes(), out));
            prop_assert_eq!(echoed, text);
        }
    }

    #[test]
    fn a_failure_is_read_back(code in any::<i32>(), text: String) {
        let code = ErrorCode::new(code).unwrap_or(ErrorCode::PLAIN);
        let content = written(|out| Reply::Failure { code, reason: Cow::Borrowed(&text) }.encode(out));
        let Ok(Reply::Failure { code: read, reason }) = Reply::parse(&content) else { panic!("{content}") };
        prop_assert_eq!((read, &*reason), (code, text.as_str()));
    }

    #[test]
    fn what_opens_and_resumes_a_session_is_read_back(bits: u128, key: String, n in frames::integer(), k: u64) {
        let (id, key, got) = (ClientId::from_bits(bits), Cow::Borrowed(&*key), Count::new(n).unwrap());
        let opened = SessionOpened { id, key: key.clone(), ttl: k, ping: n, max: k };
        let content = written(|out| opened.encode(out));
        prop_assert_eq!(SessionOpened::parse(&content).unwrap(), opened);
        let request = ResumeRequest { id, key, got, attempt: got };
        let content = written(|out| request.encode(out));
        prop_assert_eq!(ResumeRequest::parse(&content).unwrap(), request);
        let resumed = SessionResumed { got };
        let content = written(|out| resumed.encode(out));
        prop_assert_eq!(SessionResumed::parse(&content).unwrap(), resumed);
    }

    #[test]
    fn no_content_makes_a_parser_panic(content in prop_oneof![any::<String>(), near_event()]) {
        let _ = (Event::parse(&content), Reply::parse(&content), ResumeRequest::parse(&content));
    }

    /// The promise that lets a server deserialize before it validates.
    #[test]
    fn the_short_scan_finds_what_the_parser_finds(content in near_event()) {
        let Some(short) = UncheckedEvent::sniff(&content) else { return Ok(()) };
        match (serde_json::from_str::<&RawValue>(short.payload), Event::parse(&content)) {
            (Ok(payload), Ok(event)) => {
                prop_assert_eq!(short.name, event.name);
                prop_assert_eq!(payload.get(), event.payload.get());
            }
            (Ok(_), Err(error)) => panic!("{error}"),
            // `{"e":"x","p":1,"p":2}` and the like: the parser has the last word.
            (Err(_), _) => {}
        }
    }

    #[test]
    fn the_short_scan_finds_what_a_client_writes(name in "[^\"\\\\\\p{Cc}]{0,9}", payload in json()) {
        let content = written(|out| Event { name: Cow::Borrowed(&name), payload: raw(&payload) }.encode(out));
        let expected = UncheckedEvent { name: &name, payload: &payload };
        prop_assert_eq!(UncheckedEvent::sniff(&content), Some(expected));
    }
}

/// JSON texts without space around them.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "null|true|false|-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?",
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(inner, 0..4).prop_map(|items| {
                let members: Vec<_> = items.iter().map(|item| format!("\"e\":{item}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// Events as clients write them, and what is nearly one.
fn near_event() -> impl Strategy<Value = String> {
    let payload = prop_oneof![json(), "[1\"{}\\[\\],:ep ]{0,12}", any::<String>()];
    let name = prop_oneof!["[a-z]{0,3}", "[\\\\a\"\n\u{1f}é]{0,3}", any::<String>()];
    let tail =
        prop_oneof![9 => Just("}"), 1 => Just("} "), 1 => Just(""), 1 => Just("}}"), 1 => Just(",\"x\":1}")];
    (name, payload, tail)
        .prop_map(|(name, payload, tail)| format!("{{\"e\":\"{name}\",\"p\":{payload}{tail}"))
}

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).unwrap()
}
