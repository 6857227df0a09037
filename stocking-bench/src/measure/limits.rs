//! How many sockets a process may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files to what is allowed, for this process and its children. Returns it.
pub(crate) fn raise_open_files() -> u64 {
    /// As many as any load here wants.
    const WANTED: u64 = 250_000;
    let limit = getrlimit(Resource::Nofile);
    let higher = Rlimit { current: Some(WANTED), maximum: limit.maximum.map(|maximum| maximum.max(WANTED)) };
    let allowed = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Who may not raise the maximum goes as far as it.
    if limit.current.is_some_and(|current| current < WANTED) && setrlimit(Resource::Nofile, higher).is_err() {
        setrlimit(Resource::Nofile, allowed).ok();
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
