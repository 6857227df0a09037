//! `wss`: `cargo run --release -p stocking-tokio --features tls --example tls [ADDRESS]`
//!
//! It makes its certificate itself, which nobody has a reason to trust; a real one comes from two files.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;
use stocking_tokio::{Context, Result, Router, TlsConfig, serve_tls};
use tokio::{net::TcpListener, signal};

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // A server of yours: TlsConfig::from_pem_files("certificate.pem", "key.pem")?
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(names).map_err(std::io::Error::other)?;
    let tls = TlsConfig::from_pem(cert.pem(), signing_key.serialize_pem())?;

    let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address).await?;
    let url = format!("wss://{}/ws", listener.local_addr()?);
    println!("{url}");
    println!("npx wscat --no-check --connect {url}");
    println!(r#"try  4,1,{{"e":"echo","p":"doge"}}"#);
    serve_tls(listener, tls, Router::new().on("echo", echo))
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await
}
