//! Calls that wait for their reply.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use stocking_proto::AckId;

#[derive(Debug, Default)]
pub(super) struct Calls {
    /// The last id that was given: none is given twice, in this session or a later one.
    last: u64,
    waiting: BTreeMap<AckId, Instant>,
    deadlines: BTreeSet<(Instant, AckId)>,
}

impl Calls {
    /// The id of the next call; `None` when there are no more.
    pub(super) fn next_id(&self) -> Option<AckId> {
        AckId::new(self.last + 1)
    }

    pub(super) fn begin(&mut self, id: AckId, deadline: Instant) {
        self.last = id.get();
        self.waiting.insert(id, deadline);
        self.deadlines.insert((deadline, id));
    }

    /// Whether this call was waiting: it is no more.
    pub(super) fn end(&mut self, id: AckId) -> bool {
        let Some(deadline) = self.waiting.remove(&id) else { return false };
        self.deadlines.remove(&(deadline, id));
        true
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Ends a call whose time is over.
    pub(super) fn end_due(&mut self, now: Instant) -> Option<AckId> {
        let &(at, id) = self.deadlines.first()?;
        (now >= at && self.end(id)).then_some(id)
    }

    /// Ends all calls made before this one, or all there are.
    pub(super) fn end_before(&mut self, first: Option<AckId>) -> Vec<AckId> {
        let rest = first.map_or_else(BTreeMap::new, |first| self.waiting.split_off(&first));
        let ended = std::mem::replace(&mut self.waiting, rest);
        for (id, deadline) in &ended {
            self.deadlines.remove(&(*deadline, *id));
        }
        ended.into_keys().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
