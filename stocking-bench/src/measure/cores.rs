//! Which processor runs what: the server on one, the load on another, where the operating system allows it.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A processor for the server, and one for the load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    pinned: Option<(usize, usize)>,
}

impl Cores {
    /// The first two that this process may use; says so, and pins nothing, where that cannot be.
    pub(crate) fn choose() -> Self {
        let allowed: Vec<usize> = sched_getaffinity(None)
            .map(|set| (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
            .unwrap_or_default();
        let pinned = match allowed[..] {
            [server, load, ..] if pin(load) => Some((server, load)),
            _ => None,
        };
        if pinned.is_none() {
            eprintln!(
                "note: nothing is pinned to a processor of its own: there is one only, or it is not allowed"
            );
        }
        Self { pinned }
    }

    /// Nothing is pinned, where time is not what is measured.
    pub(crate) const fn unpinned() -> Self {
        Self { pinned: None }
    }

    pub(crate) const fn are_pinned(self) -> bool {
        self.pinned.is_some()
    }

    /// Runs what starts a server on the server's core, which a child inherits.
    pub(crate) fn for_server<T>(self, start: impl FnOnce() -> T) -> T {
        let Some((server, load)) = self.pinned else { return start() };
        pin(server);
        let started = start();
        pin(load);
        started
    }
}

fn pin(core: usize) -> bool {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).is_ok()
}
