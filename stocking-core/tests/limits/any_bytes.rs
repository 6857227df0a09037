//! Whatever comes, in whatever order: a connection ends or lives, and never panics.

use proptest::{collection::vec, prelude::*};
use stocking_core::testing::TestClient;

use crate::torment::{Step, Torment, UPGRADE};

/// Texts that mean something.
const TEXTS: [&str; 20] = [
    "0,0,",
    "2",
    "3",
    "3,1,",
    "5,a,x",
    "5,b,x",
    "5,@x,x",
    "6,1,a",
    "6,0,a",
    "6,1,@",
    "6,1,",
    "",
    r#"4,1,{"e":"echo","p":[1]}"#,
    r#"4,0,{"e":"echo"}"#,
    r#"4,2,{"e":"long"}"#,
    r#"4,3,{"e":"later","p":"a"}"#,
    r#"4,4,{"e":"beside","p":"b"}"#,
    r#"4,5,{"e":"kick"}"#,
    r#"4,6,{"e":"#,
    r#"0,1,{"id":"@0000000000000000000000","key":"0000000000000000000000","got":0,"try":1}"#,
];

fn step() -> impl Strategy<Value = Step> {
    let frame = (
        prop_oneof![Just(0x81), Just(0x01), Just(0x00), Just(0x80), Just(0x89), Just(0x88), any::<u8>()],
        vec(any::<u8>(), 0..200),
    );
    prop_oneof![
        2 => vec(any::<u8>(), 0..300).prop_map(Step::Bytes),
        2 => frame.prop_map(|(first, payload)| Step::Frame(first, payload)),
        10 => proptest::sample::select(&TEXTS[..]).prop_map(|text| Step::Text(text.into())),
        2 => (proptest::sample::select(&TEXTS[..]), any::<bool>()).prop_map(|(text, is_last)| {
            Step::Frame(if is_last { 0x80 } else { 0x01 }, text.into())
        }),
        1 => proptest::sample::select(&TEXTS[..]).prop_map(|text| Step::Bytes(TestClient::text(text).split_off(4))),
        3 => (0..50_000_u32).prop_map(Step::Wait),
        4 => Just(Step::HandleTimeout),
        6 => Just(Step::PollTransmit),
        4 => any::<u16>().prop_map(Step::Taken),
        3 => Just(Step::RunTasks),
        1 => any::<u16>().prop_map(Step::Push),
        1 => Just(Step::Eof),
    ]
}

proptest! {
    #[test]
    fn no_bytes_in_no_order_make_it_panic(is_upgraded: bool, steps in vec(step(), 0..120)) {
        let mut torment = Torment::new(is_upgraded);
        if !is_upgraded {
            torment.take(Step::Bytes(UPGRADE.into()));
        }
        for step in steps {
            torment.take(step);
        }
        torment.finish();
    }

    #[test]
    fn a_conversation_may_be_cut_anywhere(texts in vec(proptest::sample::select(&TEXTS[..]), 0..40), cuts in vec(1..200_usize, 1..40)) {
        let mut bytes = UPGRADE.as_bytes().to_vec();
        bytes.extend(texts.iter().flat_map(|text| TestClient::text(text)));
        let mut torment = Torment::new(false);
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at(*cut.min(&rest.len()));
            torment.take(Step::Bytes(piece.to_vec()));
            torment.take(Step::PollTransmit);
            torment.take(Step::RunTasks);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        torment.finish();
    }
}
