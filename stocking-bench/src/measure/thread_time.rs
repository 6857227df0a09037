//! What this thread has cost.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time that it has spent on a processor, whatever else ran meanwhile.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Never before its beginning.
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
