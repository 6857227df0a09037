//! The time that a request may take.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use stocking_proto::ErrorCode;

use super::Session;
use crate::{
    executor::Task,
    router::{
        Error, Reply,
        guard::{Guarded, catch},
    },
};

/// A request that ends when its time is up, answered or not.
pub(super) struct Deadline {
    work: Guarded,
    /// `None`: no limit is set, or no runtime has lent a clock.
    expiry: Option<Task>,
}

impl Deadline {
    pub(super) fn new(work: Guarded, session: &Session) -> Self {
        let service = session.service();
        let expiry = service
            .config()
            .handler_timeout
            .and_then(|limit| service.hub().executor().map(|executor| (executor.sleep)(limit)));
        Self { work, expiry }
    }
}

impl Future for Deadline {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        if let Poll::Ready(reply) = Pin::new(&mut self.work).poll(cx) {
            return Poll::Ready(reply);
        }
        let Some(expiry) = &mut self.expiry else { return Poll::Pending };
        match catch(|| expiry.as_mut().poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => {
                Poll::Ready(Err(Error::framework(ErrorCode::TIMED_OUT, "the request took too long")))
            }
            // The clock belongs to a runtime that has ended. The next driver lends another.
            Err(_) => {
                tracing::warn!("a request has no time limit any more: the runtime that was lent has ended");
                self.expiry = None;
                Poll::Pending
            }
        }
    }
}
