//! What several tests need.

use std::{panic, sync::Once};

/// Keeps the panics that a test makes on purpose out of its output: those that say so, and those that say nothing. A
/// test that fails says something else.
pub(crate) fn silence_panics() {
    static SILENCED: Once = Once::new();
    SILENCED.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload_as_str().is_some_and(|text| !text.contains("on purpose")) {
                report(info);
            }
        }));
    });
}
