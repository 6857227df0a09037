//! Stocking on async-std and on smol: the same source, another executor.

use std::net::TcpListener;

use stocking_async_std::serve;

use super::{Options, stocking_tokio::service};
use crate::Result;

pub(super) fn run_async_std(listener: TcpListener, _: Options) -> Result<()> {
    Ok(async_std::task::block_on(async {
        serve(async_std::net::TcpListener::from(listener), service()).await
    })?)
}

pub(super) fn run_smol(listener: TcpListener, _: Options) -> Result<()> {
    Ok(smol::block_on(async { serve(async_net::TcpListener::try_from(listener)?, service()).await })?)
}
