//! How long a load lasts, and what of it is measured.

use std::time::{Duration, Instant};

use super::{Meter, Outcome};
use crate::Result;

/// A server that answers nothing for so long has lost something.
const SILENCE: Duration = Duration::from_secs(20);

/// How much is asked of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// Measured for so long, after a fifth of it unmeasured.
    Time(Duration),
    /// So many messages in all.
    Messages(u64),
}

/// Follows a load.
pub(crate) struct Watch<'a> {
    length: Length,
    meter: &'a dyn Meter,
    began: Instant,
    start: Option<Reading>,
    end: Option<Reading>,
    /// How far it was when it last got on.
    progress: (u64, Instant),
}

struct Reading {
    at: Instant,
    messages: u64,
    cpu: Duration,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(length: Length, meter: &'a dyn Meter) -> Result<Self> {
        let began = Instant::now();
        let mut watch = Self { length, meter, began, start: None, end: None, progress: (0, began) };
        if matches!(length, Length::Messages(_)) {
            watch.start = Some(watch.read(0)?);
        }
        Ok(watch)
    }

    fn read(&self, messages: u64) -> Result<Reading> {
        Ok(Reading { at: Instant::now(), messages, cpu: self.meter.cpu()? })
    }

    /// So many messages have come, and more have to.
    pub(crate) fn progress(&mut self, messages: u64) -> Result<Instant> {
        let now = Instant::now();
        if messages > self.progress.0 {
            self.progress = (messages, now);
        } else if now - self.progress.1 > SILENCE {
            return Err(format!("nothing has come for {SILENCE:?}, after {messages} messages").into());
        }
        Ok(now)
    }

    /// So many messages have come. Says whether more are wanted.
    pub(crate) fn wants_more(&mut self, messages: u64) -> Result<bool> {
        let now = self.progress(messages)?;
        match self.length {
            Length::Messages(all) => Ok(messages < all),
            Length::Time(time) => {
                let age = now - self.began;
                if self.start.is_none() && age >= time / 5 {
                    self.start = Some(self.read(messages)?);
                }
                // One burst at the least, however slow the server is.
                let some = self.start.as_ref().is_some_and(|start| messages > start.messages);
                if self.end.is_none() && some && age >= time + time / 5 {
                    self.end = Some(self.read(messages)?);
                }
                Ok(self.end.is_none())
            }
        }
    }

    /// All has come.
    pub(crate) fn outcome(mut self, messages: u64) -> Result<Outcome> {
        let end = match self.end.take() {
            Some(end) => end,
            None => self.read(messages)?,
        };
        let start = self.start.ok_or("it ended before it was warm")?;
        Ok(Outcome {
            messages: end.messages - start.messages,
            elapsed: end.at - start.at,
            cpu: end.cpu.saturating_sub(start.cpu),
            ..Outcome::default()
        })
    }
}
