//! The transport in the hands of others: while a connection has nothing to write, whoever has something for its client may.

use super::{Connection, Phase};
use crate::outbox::SharedWriter;

impl Connection {
    /// A way to write past the driver.
    pub(crate) fn set_writer(&mut self, writer: Option<SharedWriter>) {
        self.direct = writer.map(SharedWriter::into_inner);
    }

    /// The driver rests, and has written its output. Where the transport has taken all of that, others may write.
    #[inline]
    pub(crate) fn lend(&mut self) {
        if !self.is_lent
            && self.unsent() == 0
            && matches!(self.phase, Phase::Open(_))
            && let Some(direct) = &self.direct
        {
            direct.lend();
            self.is_lent = true;
        }
    }

    /// Before anything is written here.
    #[inline]
    pub(super) fn take_back(&mut self, output: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_lent)
            && let Some(direct) = &self.direct
        {
            direct.take_back(output);
        }
    }
}
