//! Stocking on tokio, with every default on: limits, heartbeat, panics caught, JSON read and written.

use std::net::TcpListener;

use serde_json::value::RawValue;
use stocking_tokio::{Config, Context, Result, Router, Service, TlsConfig, serve, serve_tls};
use tokio::runtime::{Builder, Runtime};

use super::Options;

/// Checked to be JSON, and passed on.
async fn echo(_: Context, payload: Box<RawValue>) -> Result<Box<RawValue>> {
    Ok(payload)
}

/// The one default that is not on: so many connections are a load, and not an attack.
pub(crate) fn service() -> Service {
    Service::new(Router::new().on("echo", echo)).with_config(Config::new().max_connections(1_000_000))
}

pub(super) fn current_thread(listener: TcpListener, options: Options) -> crate::Result<()> {
    run(&Builder::new_current_thread().enable_all().build()?, listener, options)
}

/// Two workers, however many processors there are, so that its cost is comparable everywhere.
pub(super) fn multi_thread(listener: TcpListener, options: Options) -> crate::Result<()> {
    let workers = options.workers.unwrap_or(2);
    run(&Builder::new_multi_thread().worker_threads(workers).enable_all().build()?, listener, options)
}

fn run(runtime: &Runtime, listener: TcpListener, options: Options) -> crate::Result<()> {
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let serving = match options.tls {
            None => tokio::spawn(serve(listener, service()).into_future()),
            Some((certificate, key)) => {
                let tls = TlsConfig::from_pem_files(certificate, key)?;
                tokio::spawn(serve_tls(listener, tls, service()).into_future())
            }
        };
        Ok(serving.await??)
    })
}
