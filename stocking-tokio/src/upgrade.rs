//! Stocking at a path of a server that speaks HTTP already: axum's, hyper's, or any of tower's.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, request::Parts};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use stocking_core::{
    ConnectRequest, Service,
    websocket::{Refusal, UpgradeRequest},
};
use tokio::time;

use crate::serve::serve_upgraded;

/// Answers upgrade requests that an HTTP server has routed here, and serves what they open.
///
/// A tower service for axum's `route_service` and whatever else takes one. The path is the router's affair; origin and
/// connect hook are asked as anywhere, and refusals answered in the same words. The hook sees the client's address where
/// [`with_peer_address`](Self::with_peer_address) says how it is found.
///
/// ```
/// use stocking_tokio::{Router, UpgradeService};
///
/// let app: axum::Router = axum::Router::new().route_service("/ws", UpgradeService::new(Router::new()));
/// ```
///
/// What the layers before it put into a request, the hook finds among its [extensions](ConnectRequest::extensions): who somebody
/// is, by the word of one that knows, or axum's `OriginalUri` beneath `nest`. An upgrade that does not follow the answer within
/// [`handshake_timeout`](crate::Config#structfield.handshake_timeout) is given up.
///
/// The server's own shutdown does not know of these connections: [`drain`](crate::drain) ends them.
#[derive(Clone)]
pub struct UpgradeService {
    service: Arc<Service>,
    peer_address: PeerAddress,
}

/// Where a request's other end is.
type PeerAddress = Arc<dyn Fn(&Parts) -> Option<SocketAddr> + Send + Sync>;

impl UpgradeService {
    /// Serves a [`Router`](crate::Router), or a [`Service`] made of one.
    #[must_use]
    pub fn new(service: impl Into<Arc<Service>>) -> Self {
        Self { service: service.into(), peer_address: Arc::new(|request| request.extensions.get().copied()) }
    }

    /// Says where in a request the connect hook finds [its client's address](ConnectRequest::peer_address). By default that is
    /// a bare [`SocketAddr`] among the extensions, where something has put one: axum does not, and there is none unless this is
    /// said. A closure may know which proxies to believe. This is axum's:
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use axum::{extract::ConnectInfo, http::request::Parts};
    /// use stocking_tokio::{Router, UpgradeService};
    ///
    /// fn peer_address(request: &Parts) -> Option<SocketAddr> {
    ///     request.extensions.get().map(|ConnectInfo(address)| *address)
    /// }
    ///
    /// let chat = UpgradeService::new(Router::new()).with_peer_address(peer_address);
    /// let app: axum::Router = axum::Router::new().route_service("/ws", chat);
    /// let app = app.into_make_service_with_connect_info::<SocketAddr>(); // for `axum::serve`
    /// ```
    #[must_use]
    pub fn with_peer_address(
        mut self,
        find: impl Fn(&Parts) -> Option<SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        self.peer_address = Arc::new(find);
        self
    }
}

impl<B> tower_service::Service<Request<B>> for UpgradeService {
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>>;
    type Response = Response<String>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Where the server does not offer it, no upgrade can follow.
        let is_offered = request.extensions().get::<OnUpgrade>().is_some();
        let upgrade = is_offered.then(|| hyper::upgrade::on(&mut request));
        let (parts, _) = request.into_parts();
        let service = self.service.clone();
        let peer_address = (self.peer_address)(&parts);
        Box::pin(async move {
            Ok(answer(service, &parts, peer_address, upgrade)
                .await
                .unwrap_or_else(|refusal| refusal.response()))
        })
    }
}

/// The response that opens the WebSocket; what it opens is served by a task of its own.
async fn answer(
    service: Arc<Service>,
    parts: &Parts,
    peer_address: Option<SocketAddr>,
    upgrade: Option<OnUpgrade>,
) -> Result<Response<String>, Refusal> {
    let request = UpgradeRequest::from_http(parts, service.config())?;
    let Some(upgrade) = upgrade else {
        tracing::warn!("a WebSocket was asked for, and the HTTP server offers no upgrade");
        return Err(Refusal::NotAnUpgrade);
    };
    let limit = service.config().handshake_timeout;
    let expiry = time::sleep(limit);
    let (response, admission) = service.admit(ConnectRequest::new(request, peer_address), expiry).await?;
    tokio::spawn(async move {
        // For ever, where something between here and the client says something else: a place is kept meanwhile.
        match time::timeout(limit, upgrade).await {
            Ok(Ok(stream)) => serve_upgraded(TokioIo::new(stream), [], admission).await,
            Ok(Err(error)) if error.is_user() => {
                tracing::warn!(%error, "a WebSocket was promised, and the HTTP server does not upgrade connections");
            }
            Ok(Err(error)) => tracing::debug!(%error, "a client has gone before its upgrade"),
            Err(_) => {
                tracing::debug!("an upgrade did not follow: its answer was another, or is still under way")
            }
        }
    });
    Ok(response)
}

impl fmt::Debug for UpgradeService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeService").field("service", &self.service).finish()
    }
}
