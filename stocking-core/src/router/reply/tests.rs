//! Replies, and what they may say.

use std::{collections::BTreeMap, panic::catch_unwind};

use serde::ser::{Error as _, Serialize, Serializer};
use stocking_proto::ErrorCode;

use super::{Error, Payload, Text};

#[test]
fn an_application_gives_its_errors_any_code_but_the_frameworks() {
    for code in [0, 1, -2, 401, -31_999, -32_769, i32::MAX, i32::MIN] {
        assert_eq!(Error::new("no").with_code(code).code().get(), code);
    }
    for code in [-1, -32_000, -32_001, -32_600, -32_603, -32_700, -32_768] {
        let panic =
            catch_unwind(|| Error::new("no").with_code(code)).expect_err("it is not the application's");
        let text = panic.downcast::<String>().expect("it says why");
        assert!(text.contains(&code.to_string()), "{code}: {text}");
    }
}

#[test]
fn a_plain_error_has_code_0_and_says_what_it_was_given() {
    for error in [Error::new("no luck"), "no luck".into(), "no luck".to_owned().into()] {
        assert_eq!((error.code(), error.message()), (ErrorCode::PLAIN, "no luck"));
        assert_eq!(error.to_string(), "no luck (code 0)");
    }
}

#[test]
fn a_payload_is_the_json_of_its_value() {
    assert_eq!(Payload::new(&("doge", 7, None::<()>)).expect("it has one").as_str(), r#"["doge",7,null]"#);
    assert_eq!(Payload::new("a \"b\"\n").expect("it has one").as_str(), r#""a \"b\"\n""#);
    assert_eq!(Payload::new(&()).expect("it has one"), Payload::null());
}

#[test]
fn a_value_without_a_json_form_is_an_internal_error_that_says_no_more() {
    struct Wordy;
    impl Serialize for Wordy {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("the password is 1234"))
        }
    }
    let errors = [Payload::new(&BTreeMap::from([((1, 2), 3)])), Payload::new(&("begun", Wordy))];
    for error in errors {
        let error = error.expect_err("it has none");
        assert_eq!((error.code(), error.message()), (ErrorCode::INTERNAL, "internal error"));
    }
    // What was written of it is in nobody else's payload.
    assert_eq!(Payload::new(&1).expect("it has one").as_str(), "1");
}

#[test]
fn a_payload_is_read_as_what_it_is_or_says_why_not() {
    let payload = Payload::from_json(r#"{"a":[1,2]}"#);
    assert_eq!(payload.parse::<BTreeMap<String, Vec<u8>>>().expect("it fits")["a"], [1, 2]);
    let error = payload.parse::<u8>().expect_err("it does not fit");
    assert_eq!(error.code(), ErrorCode::PAYLOAD_MISMATCH);
    assert!(error.message().starts_with("the payload does not fit: "), "{error}");

    let deep = |levels: usize| Payload::from_json(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    assert!(deep(127).parse::<serde_json::Value>().is_ok());
    let error = deep(128).parse::<serde_json::Value>().expect_err("it is too deep");
    assert_eq!(error.code(), ErrorCode::NOT_JSON);
}

#[test]
fn a_payload_that_was_written_lends_its_buffer_to_the_next_unless_it_is_large() {
    let short = Payload::new("x".repeat(100).as_str()).expect("it has one");
    let buffer = short.as_str().as_ptr();
    short.recycle();
    let next = Payload::new(&1).expect("it has one");
    assert_eq!((next.as_str(), next.as_str().as_ptr()), ("1", buffer));

    let long = Payload::new("x".repeat(100_000).as_str()).expect("it has one");
    long.recycle();
    let next = Payload::new(&1).expect("it has one");
    let Text::Written(buffer) = next.0 else { panic!("it was written") };
    assert!(buffer.capacity() < 100_000);
}

#[test]
fn a_failure_of_ours_is_for_the_log_and_a_refusal_for_the_client() {
    let error = Error::internal("the disk is full");
    assert_eq!((error.code().get(), error.message()), (-32603, "internal error"));
    let error = Error::not_allowed("members only");
    assert_eq!((error.code().get(), error.message()), (-32002, "members only"));
}
