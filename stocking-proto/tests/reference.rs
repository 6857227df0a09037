//! The parser agrees with the most naive one, on whatever text.

mod support;

use proptest::prelude::*;
use stocking_proto::{ClientFrame, FrameError, ServerFrame, counts_from_client, counts_from_server};
use support::{frames, reference};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_text_from_a_client_means_what_the_reference_says(text in frames::text()) {
        let parsed = ClientFrame::parse(&text);
        prop_assert_eq!(parsed.map_err(code), reference::client(&text));
        prop_assert_eq!(counts_from_client(&text), reference::counts(&text, &["4", "5", "6"]));
        if let Ok(frame) = parsed {
            prop_assert_eq!(frame.is_counted(), counts_from_client(&text));
        }
    }

    #[test]
    fn a_text_from_a_server_means_what_the_reference_says(text in frames::text()) {
        let parsed = ServerFrame::parse(&text);
        prop_assert_eq!(parsed.map_err(code), reference::server(&text));
        prop_assert_eq!(counts_from_server(&text), reference::counts(&text, &["1", "4", "5", "6"]));
        if let Ok(frame) = parsed {
            prop_assert_eq!(frame.is_counted(), counts_from_server(&text));
        }
    }

    #[test]
    fn a_fault_is_inside_the_text_and_between_two_characters(text in frames::text()) {
        let faults = [ClientFrame::parse(&text).err(), ServerFrame::parse(&text).err()];
        for fault in faults.into_iter().flatten() {
            prop_assert!(text.is_char_boundary(fault.at()), "{}", fault);
        }
    }
}

fn code(error: FrameError) -> i32 {
    error.code().get()
}
