//! One text, as a frame of either side and as what frames carry.

use serde_json::value::RawValue;
use stocking_proto::{
    ClientFrame, Event, FrameError, Reply, ResumeRequest, ServerFrame, SessionOpened, SessionResumed,
    UncheckedEvent, counts_from_client, counts_from_server,
};

use crate::reference;

/// Reads `data` as a frame from both sides: it means what the naive reference says, is read back as it is written, and
/// whatever it carries is read without a panic.
pub fn parse_frame(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    client(text);
    server(text);
    content(text);
}

fn client(text: &str) {
    let parsed = ClientFrame::parse(text);
    assert_eq!(parsed.map_err(|error| code(text, error)), reference::client(text));
    assert_eq!(counts_from_client(text), reference::counts(text, &["4", "5", "6"]));
    let Ok(frame) = parsed else { return };
    assert_eq!(frame.is_counted(), counts_from_client(text));
    let written = frame.to_string();
    assert_eq!(ClientFrame::parse(&written), Ok(frame));
    match frame {
        ClientFrame::Message { content: inner, .. } | ClientFrame::Resume(inner) => content(inner),
        ClientFrame::Ping(code) => drop(code.count()),
        ClientFrame::Open
        | ClientFrame::Close
        | ClientFrame::Broadcast { .. }
        | ClientFrame::Join(_)
        | ClientFrame::Leave(_) => {}
    }
}

fn server(text: &str) {
    let parsed = ServerFrame::parse(text);
    assert_eq!(parsed.map_err(|error| code(text, error)), reference::server(text));
    assert_eq!(counts_from_server(text), reference::counts(text, &["1", "4", "5", "6"]));
    let Ok(frame) = parsed else { return };
    assert_eq!(frame.is_counted(), counts_from_server(text));
    let written = frame.to_string();
    assert_eq!(frame.encoded_len(), written.len());
    assert_eq!(ServerFrame::parse(&written), Ok(frame));
    if let ServerFrame::Reply { content: inner, .. }
    | ServerFrame::Opened(inner)
    | ServerFrame::Resumed(inner) = frame
    {
        content(inner);
    }
}

fn content(text: &str) {
    let event = Event::parse(text);
    if let Ok(event) = &event {
        let written = written(|out| event.encode(out));
        let again = Event::parse(&written).expect("a written event is an event");
        assert_eq!((&again.name, again.payload.get()), (&event.name, event.payload.get()));
    }
    if let Some(short) = UncheckedEvent::sniff(text)
        && let Ok(payload) = serde_json::from_str::<&RawValue>(short.payload)
    {
        let event = event.expect("the short scan finds what the parser finds");
        assert_eq!((short.name, payload.get()), (&*event.name, event.payload.get()));
    }
    if let Ok(reply) = Reply::parse(text) {
        let written = written(|out| reply.encode(out));
        let again = Reply::parse(&written).expect("a written reply is a reply");
        // Payloads have no equality, but the same text.
        assert_eq!(format!("{again:?}"), format!("{reply:?}"));
    }
    if let Ok(request) = ResumeRequest::parse(text) {
        assert_eq!(ResumeRequest::parse(&written(|out| request.encode(out))).as_ref(), Ok(&request));
    }
    if let Ok(opened) = SessionOpened::parse(text) {
        assert_eq!(SessionOpened::parse(&written(|out| opened.encode(out))).as_ref(), Ok(&opened));
    }
    if let Ok(resumed) = SessionResumed::parse(text) {
        assert_eq!(SessionResumed::parse(&written(|out| resumed.encode(out))), Ok(resumed));
    }
}

/// The code of an error, whose place must be in the text.
fn code(text: &str, error: FrameError) -> i32 {
    assert!(text.is_char_boundary(error.at()), "{error}");
    error.code().get()
}

fn written(encode: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    encode(&mut out);
    String::from_utf8(out).expect("what is written is text")
}
