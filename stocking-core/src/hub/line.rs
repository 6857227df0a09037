//! What a channel's members have not all been told, the oldest first.

use std::{collections::VecDeque, sync::Arc};

use crate::{session::Session, websocket::Encoded};

/// Bytes up to which what waits is joined: as long as what is written at once.
const JOINED: usize = 16 * 1024;

/// The first is being told; the others wait. Of those that are for the same members one run is made, so that a hundred
/// messages in a row are few writes to each.
#[derive(Default)]
pub(super) struct Line {
    publications: VecDeque<Publication>,
    bytes: usize,
}

/// A run for all who were members before it, but one.
pub(super) struct Publication {
    /// Of all publications of the channel: who came after it is not told.
    pub(super) number: u64,
    pub(super) run: Encoded,
    /// What came behind it, for the same members.
    joined: Vec<Encoded>,
    bytes: usize,
    pub(super) except: Option<Arc<Session>>,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.publications.is_empty()
    }

    /// Whether one run more may wait, where no more than `max` bytes may.
    pub(super) fn has_room(&self, run: &Encoded, max: usize) -> bool {
        self.is_empty() || self.bytes + run.len() <= max
    }

    /// Takes out the first, to tell the next slice: all of it in one run.
    pub(super) fn take_first(&mut self) -> Option<Publication> {
        let mut first = self.publications.pop_front()?;
        self.bytes -= first.bytes;
        if !first.joined.is_empty() {
            let joined = std::mem::take(&mut first.joined);
            let runs: Vec<&[u8]> = std::iter::once(&first.run).chain(&joined).map(|run| &run[..]).collect();
            first.run = Encoded::from(runs.concat());
        }
        Some(first)
    }

    /// Puts one first, since not all have been told.
    pub(super) fn put_first(&mut self, publication: Publication) {
        self.bytes += publication.bytes;
        self.publications.push_front(publication);
    }

    /// Lets one wait behind the first. `newest` is how many publications there were when the last member came: whom one
    /// joins, that one is not to be told what came before.
    pub(super) fn queue(&mut self, publication: Publication, newest: u64) {
        self.bytes += publication.bytes;
        let is_first = self.publications.len() == 1;
        if let Some(last) = self.publications.back_mut()
            && !is_first
            && newest < last.number
            && last.bytes + publication.bytes <= JOINED
            && last.except.as_ref().map(Arc::as_ptr) == publication.except.as_ref().map(Arc::as_ptr)
        {
            last.bytes += publication.bytes;
            last.joined.push(publication.run);
        } else {
            self.publications.push_back(publication);
        }
    }
}

impl Publication {
    pub(super) fn new(number: u64, run: &Encoded, except: Option<&Arc<Session>>) -> Self {
        Self { number, run: run.clone(), joined: Vec::new(), bytes: run.len(), except: except.cloned() }
    }
}
