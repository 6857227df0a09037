//! A frame that is written is read back, and what is read is written back.

mod support;

use proptest::prelude::*;
use stocking_proto::{AckId, ClientFrame, ClientId, Count, ErrorCode, ServerFrame};
use support::{frames, written};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_client_frame_is_read_back(parts in frames::ingredients()) {
        let frame = parts.client_frame();
        let text = written(|out| frame.encode(out));
        prop_assert_eq!(ClientFrame::parse(&text), Ok(frame));
        prop_assert_eq!(frame.to_string(), text);
    }

    #[test]
    fn a_server_frame_is_read_back_and_as_long_as_it_said(parts in frames::ingredients()) {
        let frame = parts.server_frame();
        let text = written(|out| frame.encode(out));
        prop_assert_eq!(ServerFrame::parse(&text), Ok(frame));
        prop_assert_eq!(frame.encoded_len(), text.len());
        prop_assert_eq!(frame.to_string(), text);
    }

    #[test]
    fn what_a_text_means_is_kept_when_it_is_written_again(text in frames::text()) {
        if let Ok(frame) = ClientFrame::parse(&text) {
            let canonical = frame.to_string();
            prop_assert_eq!(ClientFrame::parse(&canonical), Ok(frame));
        }
        if let Ok(frame) = ServerFrame::parse(&text) {
            let canonical = frame.to_string();
            prop_assert_eq!(ServerFrame::parse(&canonical), Ok(frame));
        }
    }

    #[test]
    fn numbers_and_ids_are_read_back(value in frames::integer(), code: i32, bits: u128) {
        if let Some(id) = AckId::new(value) {
            prop_assert_eq!(AckId::parse(&written(|out| id.write_to(out))), Some(id));
            prop_assert_eq!(id.to_string(), value.to_string());
        }
        if let Some(code) = ErrorCode::new(code) {
            prop_assert_eq!(ErrorCode::parse(&written(|out| code.write_to(out))), Some(code));
        }
        let count = Count::new(value).unwrap();
        prop_assert_eq!(Count::parse(&written(|out| count.write_to(out))), Some(count));
        let id = ClientId::from_bits(bits);
        prop_assert_eq!(ClientId::parse(&written(|out| id.write_to(out))), Ok(id));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }
}
