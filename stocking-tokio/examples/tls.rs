//! `wss`: `cargo run --release -p stocking-tokio --features tls --example tls [ADDRESS] [CERTIFICATE.pem KEY.pem]`
//!
//! Without files it makes a certificate itself, which nobody has a reason to trust.

use std::{env, io};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;
use stocking_tokio::{Context, Result, Router, TlsConfig, serve_tls};
use tokio::{net::TcpListener, signal};

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

fn self_signed() -> io::Result<TlsConfig> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).map_err(io::Error::other)?;
    Ok(TlsConfig::from_pem(cert.pem(), signing_key.serialize_pem())?)
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address).await?;
    let url = format!("wss://{}/ws", listener.local_addr()?);
    println!("{url}");
    println!("npx wscat --no-check --connect {url}");
    println!(r#"try  4,1,{{"e":"echo","p":"doge"}}"#);
    let tls = match (arguments.next(), arguments.next()) {
        (Some(certificate), Some(key)) => TlsConfig::from_pem_files(certificate, key)?,
        _ => self_signed()?,
    };
    serve_tls(listener, tls, Router::new().on("echo", echo))
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await
}
