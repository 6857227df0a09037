//! Clients of ours over TLS, on every runtime.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use stocking_async_std::AsyncIo;
use stocking_conformance::on_one_thread;
use stocking_core::{
    Client, ClientConfig, Context, Result, Router,
    client::{ClientBuilder, Disconnect, End, UrlError},
};
use stocking_tokio::TlsConfig;
use tokio::net::TcpListener;
use tokio_rustls::rustls::{self, RootCertStore, crypto::ring};

type Connect = fn(ClientBuilder) -> Result<Client, UrlError>;

/// Trusts the server's certificate, which is for `localhost`, and no other.
fn trusting(certificate: &rcgen::Certificate) -> rustls::ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn echo(_: Context, text: String) -> Result<String> {
    Ok(text)
}

fn a_client_trusts_whom_it_is_told_to_and_nobody_else(connect: Connect) {
    on_one_thread(async || {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let tls = TlsConfig::from_pem(cert.pem(), signing_key.serialize_pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = stocking_tokio::serve_tls(listener, tls, Router::new().on("echo", echo));
        tokio::spawn(serve.into_future());

        let to = Client::builder(format!("wss://localhost:{port}/ws"));
        let client = connect(to.tls(trusting(&cert))).unwrap();
        let long = "x".repeat(60_000);
        assert_eq!(client.call::<String>("echo", &long).await.unwrap(), long);
        assert_eq!(client.close().await, End::Left);

        let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert;
        for (host, trusted) in [("localhost", &other), ("127.0.0.1", &cert)] {
            let to = Client::builder(format!("wss://{host}:{port}/ws"))
                .tls(trusting(trusted))
                .config(ClientConfig::new().max_attempts(1));
            let ended = connect(to).unwrap().connected().await.unwrap_err();
            let End::GaveUp(Disconnect::Transport(reason)) = &ended else { panic!("{ended:?}") };
            assert!(reason.contains("certificate"), "{reason}");
        }
    });
}

#[test]
fn a_client_trusts_whom_it_is_told_to_and_nobody_else_on_tokio() {
    a_client_trusts_whom_it_is_told_to_and_nobody_else(stocking_tokio::connect);
}

#[test]
fn a_client_trusts_whom_it_is_told_to_and_nobody_else_on_async_std() {
    a_client_trusts_whom_it_is_told_to_and_nobody_else(stocking_async_std::connect);
}

#[test]
fn a_client_trusts_whom_it_is_told_to_and_nobody_else_on_smol() {
    a_client_trusts_whom_it_is_told_to_and_nobody_else(|to| {
        stocking_async_std::connect_on(AsyncIo::smol(), to)
    });
}
