//! What an application is asked and told beside its requests.

use std::{future::Future, sync::Arc};

use super::admission::{Accept, ConnectRequest, Rejection};
use crate::{
    connection::CloseReason,
    router::guard::{BoxFuture, Guarded, catch},
    session::Session,
};

/// The answer of a connect hook, when it comes.
pub(crate) type Answer = Guarded<Accept, Rejection>;

type ConnectHook = dyn Fn(ConnectRequest) -> BoxFuture<Result<Accept, Rejection>> + Send + Sync;
type OpenHook = dyn Fn(&Arc<Session>) + Send + Sync;
type CloseHook = dyn Fn(&Arc<Session>, &CloseReason) + Send + Sync;

#[derive(Default)]
pub(crate) struct Hooks {
    connect: Option<Box<ConnectHook>>,
    open: Option<Box<OpenHook>>,
    close: Option<Box<CloseHook>>,
}

impl Hooks {
    pub(super) fn set_connect<F, Fut>(&mut self, hook: F)
    where
        F: Fn(ConnectRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Accept, Rejection>> + Send + 'static,
    {
        self.connect = Some(Box::new(move |request| Box::pin(hook(request))));
    }

    pub(super) fn set_open(&mut self, hook: impl Fn(&Arc<Session>) + Send + Sync + 'static) {
        self.open = Some(Box::new(hook));
    }

    pub(super) fn set_close(&mut self, hook: impl Fn(&Arc<Session>, &CloseReason) + Send + Sync + 'static) {
        self.close = Some(Box::new(hook));
    }

    /// Asks the connect hook, if there is one.
    pub(crate) fn connect(&self, request: impl FnOnce() -> ConnectRequest) -> Option<Answer> {
        let hook = self.connect.as_ref()?;
        Some(Guarded::make(|| hook(request())))
    }

    /// Tells that a session begins. A panic is logged, and that is all.
    pub(crate) fn open(&self, session: &Arc<Session>) {
        if let Some(hook) = &self.open {
            catch(|| hook(session)).ok();
        }
    }

    /// Tells that a session has ended. A panic is logged, and that is all.
    pub(crate) fn close(&self, session: &Arc<Session>, reason: &CloseReason) {
        if let Some(hook) = &self.close {
            catch(|| hook(session, reason)).ok();
        }
    }
}
