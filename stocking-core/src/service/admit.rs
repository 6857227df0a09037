//! Whom an HTTP server lets in, and the place that is kept for them meanwhile.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use http::Response;

use super::{Accept, Answer, ConnectRequest, Rejection, Service};
use crate::{registry::Place, websocket::Refusal};

/// A connection that is to come of an upgrade which was answered elsewhere: let in, or turned away by a close.
///
/// It holds one of the places that [`max_connections`](crate::Config#structfield.max_connections) counts, and a shutdown waits
/// for it, until the connection that is made of it ends, or it is dropped.
#[must_use = "a place is kept for it until it is dropped"]
pub struct Admission {
    pub(crate) service: Arc<Service>,
    pub(crate) verdict: Verdict,
}

/// Nobody is let in without a place. Who is turned away has one too, where there was one.
pub(crate) type Verdict = Result<(Accept, Place), (Refusal, Option<Place>)>;

impl Admission {
    /// For a transport on which nobody asks by HTTP: what [`Service::admit`] does not ask was decided elsewhere. Where there
    /// are as many connections as there may be, or the service shuts down, this one is closed with 1013.
    pub fn new(service: impl Into<Arc<Service>>, decision: Result<Accept, Rejection>) -> Self {
        let service = service.into();
        let verdict = match (decision, service.take_place()) {
            (_, None) => Err((Refusal::Unavailable, None)),
            (Ok(accept), Some(place)) => Ok((accept, place)),
            (Err(rejection), place) => Err((Refusal::Rejected(rejection), place)),
        };
        Self { service, verdict }
    }
}

impl Service {
    /// Asks the gate, for an HTTP server that answers upgrades itself: gives the answer, and what is to be served on the
    /// stream after it. Where there is no connect hook, everybody is let in.
    ///
    /// A place is taken before the hook is asked. The hook has until `expiry`, since the clock is a runtime's: it should be
    /// [`handshake_timeout`](crate::Config#structfield.handshake_timeout) away.
    ///
    /// # Errors
    ///
    /// What is to be answered instead ([`Refusal::response`]): the hook's no; 500 where it has panicked; 503 where it has
    /// taken too long, there are as many connections as there may be, or the service shuts down.
    pub async fn admit(
        self: &Arc<Self>,
        request: ConnectRequest,
        expiry: impl Future<Output = ()>,
    ) -> Result<(Response<String>, Admission), Refusal> {
        let admitted = self.judge(request, expiry).await;
        if let Err(refusal) = &admitted {
            refusal.log();
        }
        admitted
    }

    async fn judge(
        self: &Arc<Self>,
        request: ConnectRequest,
        expiry: impl Future<Output = ()>,
    ) -> Result<(Response<String>, Admission), Refusal> {
        let place = self.take_place().ok_or(Refusal::Unavailable)?;
        let upgrade = request.request.clone();
        let decision = match self.hooks.connect(|| request) {
            Some(answer) => self.wait(&place, answer, expiry).await?,
            None => Ok(Accept::new()),
        };
        let response;
        let verdict = match decision {
            Ok(accept) => {
                response = upgrade.response(accept.subprotocol_for(&upgrade));
                Ok((accept, place))
            }
            Err(rejection) if rejection.close_code().is_some() => {
                response = upgrade.response(upgrade.any_subprotocol());
                Err((Refusal::Rejected(rejection), Some(place)))
            }
            Err(rejection) => return Err(Refusal::Rejected(rejection)),
        };
        Ok((response, Admission { service: self.clone(), verdict }))
    }

    /// Waits for the hook, for as long as the service is there for whom it lets in.
    async fn wait(
        &self,
        place: &Place,
        mut answer: Answer,
        expiry: impl Future<Output = ()>,
    ) -> Result<Result<Accept, Rejection>, Refusal> {
        let mut expiry = pin!(expiry);
        poll_fn(|cx| {
            place.set_waker(cx.waker());
            let polled = Pin::new(&mut answer).poll(cx);
            // After the hook: it may have taken its time, or shut the service down itself.
            if self.registry.is_draining() {
                return Poll::Ready(Err(Refusal::Unavailable));
            }
            match polled {
                Poll::Ready(decision) => Poll::Ready(Ok(decision)),
                Poll::Pending => expiry.as_mut().poll(cx).map(|()| Err(Refusal::Undecided)),
            }
        })
        .await
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refusal = self.verdict.as_ref().err().map(|(refusal, _)| refusal);
        f.debug_struct("Admission").field("refusal", &refusal).finish_non_exhaustive()
    }
}
