//! What layers and routers have found out about a request reaches the hook.

use std::{future::Future, time::Duration};

use axum::{
    Extension,
    extract::{OriginalUri, Request},
    middleware::{self, Next},
};
use stocking_tokio::{Accept, ConnectRequest, Rejection, Router, Service, UpgradeService};
use tokio::{net::TcpListener, time::timeout};

use super::{Client, fetch, upgrade};

/// Who somebody is, by the word of a layer.
#[derive(Clone)]
struct User(&'static str);

/// Lets in whom a layer knows, if the paths are as they should be.
async fn gate(request: ConnectRequest) -> Result<Accept, Rejection> {
    let before = request.extensions().get::<OriginalUri>().map(|uri| uri.path());
    match (request.path(), before, request.extensions().get::<User>()) {
        ("/socket", Some("/chat/socket"), Some(User("doge"))) => Ok(Accept::new()),
        _ => {
            let challenge = "Basic realm=\"chat\"";
            Err(Rejection::status(401, "who are you?").with_header("WWW-Authenticate", challenge))
        }
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(60), test).await.expect("hung") });
}

#[test]
fn the_hook_sees_what_a_layer_knows_and_the_path_before_a_nest() {
    run(async {
        let service = Service::new(Router::new()).on_connect(gate);
        let chat = axum::Router::new().route_service("/socket", UpgradeService::new(service));
        let known = middleware::from_fn(|mut request: Request, next: Next| {
            if request.headers().contains_key("authorization") {
                request.extensions_mut().insert(User("doge"));
            }
            next.run(request)
        });
        let app = axum::Router::new().nest("/chat", chat).layer(known).layer(Extension(1));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());
        let request = upgrade("/chat/socket", "Authorization: Basic doge\r\n");
        Client::connect(address, request).await.expect("0").await;
        let (status, head, _) = fetch(address, &upgrade("/chat/socket", "")).await;
        assert_eq!(status, 401);
        assert!(head.contains("\r\nwww-authenticate: basic realm=\"chat\"\r\n"), "{head}");
    });
}
