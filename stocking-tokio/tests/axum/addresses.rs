//! The address of a client of axum's reaches the hook.

use std::{net::SocketAddr, time::Duration};

use axum::{extract::ConnectInfo, http::request::Parts};
use stocking_tokio::UpgradeService;
use tokio::{net::TcpListener, time::timeout};

use super::{Client, service, upgrade};

/// What the hook saw of its client, where the address is looked for in this way.
async fn asked(find: impl Fn(&Parts) -> Option<SocketAddr> + Send + Sync + 'static) -> String {
    let upgrades = UpgradeService::new(service()).with_peer_address(find);
    let app = axum::Router::new().route_service("/ws", upgrades);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, app).into_future());
    let mut client = Client::connect(address, upgrade("/ws", "X-Forwarded-For: 192.0.2.7\r\n")).await;
    client.expect("0").await;
    client.send(r#"4,1,{"e":"asked"}"#).await;
    let super::Received::Text(answer) = client.receive().await else { panic!("no text") };
    answer
}

#[test]
fn the_hook_sees_the_address_that_axum_knows_or_the_one_that_a_trusted_proxy_names() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = async {
        let seen = asked(|request| request.extensions.get().map(|ConnectInfo(address)| *address)).await;
        assert_eq!(seen, r#"4,1,{"c":-1,"p":"/ws None None 127.0.0.1"}"#);
        let proxies = [std::net::IpAddr::from([127, 0, 0, 1])];
        let seen = asked(move |request| {
            let ConnectInfo(proxy) = request.extensions.get::<ConnectInfo<SocketAddr>>()?;
            let forwarded = request.headers.get("x-forwarded-for")?.to_str().ok()?;
            let forwarded = (forwarded.parse::<std::net::IpAddr>().ok()?, 0).into();
            Some(if proxies.contains(&proxy.ip()) { forwarded } else { *proxy })
        })
        .await;
        assert_eq!(seen, r#"4,1,{"c":-1,"p":"/ws None None 192.0.2.7"}"#);
    };
    runtime.block_on(async { timeout(Duration::from_secs(60), test).await.expect("hung") });
}
