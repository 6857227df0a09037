//! The gate: whether the application lets a client in.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use stocking_proto::ServerFrame;

use super::{Connection, Phase, timeouts::after};
use crate::{
    encode,
    service::{Accept, Answer, ConnectRequest, Rejection},
    session::Values,
    websocket::{Refusal, UpgradeRequest, accept},
};

/// A client whose upgrade request is in order, while the application thinks about it.
pub(super) struct Admitting {
    request: UpgradeRequest,
    answer: Answer,
    pub(super) until: Instant,
}

impl Connection {
    /// Asks the application, which may answer later.
    pub(super) fn admit(
        &mut self,
        request: UpgradeRequest,
        peer_address: Option<SocketAddr>,
        until: Instant,
        now: Instant,
        output: &mut Vec<u8>,
    ) {
        if self.place.is_none() || self.service.registry.is_draining() {
            return self.refuse(Refusal::Unavailable, now, output);
        }
        match self.service.hooks.connect(|| ConnectRequest::new(request.clone(), peer_address)) {
            None => self.let_in(&request, Accept::new(), now, output),
            Some(answer) => {
                self.phase = Phase::Admitting(Box::new(Admitting { request, answer, until }));
                self.poll_gate(now, output, Waker::noop());
            }
        }
    }

    /// Looks whether the application has answered.
    pub(super) fn poll_gate(&mut self, now: Instant, output: &mut Vec<u8>, waker: &Waker) {
        let Phase::Admitting(admitting) = &mut self.phase else { return };
        let polled = Pin::new(&mut admitting.answer).poll(&mut Context::from_waker(waker));
        let Poll::Ready(answer) = polled else { return };
        let request = admitting.request.clone();
        match answer {
            Ok(accept) => self.let_in(&request, accept, now, output),
            Err(rejection) => self.turn_away(&request, rejection, now, output),
        }
    }

    fn let_in(&mut self, request: &UpgradeRequest, admission: Accept, now: Instant, output: &mut Vec<u8>) {
        accept(request, admission.subprotocol_for(request), output);
        self.confirm(admission.values, now, output);
    }

    /// The upgrade is answered: the first frame of every connection is the server's.
    pub(super) fn confirm(&mut self, values: Values, now: Instant, output: &mut Vec<u8>) {
        encode::put(&ServerFrame::Connected, output);
        let until = after(now, self.service.config().first_frame_timeout);
        self.phase = Phase::upgraded(until, values);
    }

    fn turn_away(
        &mut self,
        request: &UpgradeRequest,
        rejection: Rejection,
        now: Instant,
        output: &mut Vec<u8>,
    ) {
        if rejection.close_code().is_some() {
            // A browser cannot read a status: the upgrade is answered, and what is refused is what comes after.
            accept(request, request.any_subprotocol(), output);
            self.phase = Phase::upgraded(now, Values::default());
        }
        self.refuse(Refusal::Rejected(rejection), now, output);
    }
}
