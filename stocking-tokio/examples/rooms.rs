//! Who hears what: `cargo run -p stocking-tokio --example rooms [ADDRESS]`
//!
//! Clients join channels and tell each other by themselves: that takes no code. This server also speaks of its own accord,
//! every five seconds to the channel `clock`, and has an event for what clients cannot see: who else is there.

use std::time::Duration;

use serde::Deserialize;
use stocking_tokio::{ClientId, Context, Hub, Result, Router, Service};
use tokio::{net::TcpListener, time::interval};

const TRY: &str = r#"in two clients:
6,1,news                                         join a channel
5,news,hello                                     tell everybody else in it
6,1,clock                                        join the channel that the server speaks to
4,1,{"e":"whoami"}                               your id
5,<id>,psst                                      tell one client alone, by its id
4,2,{"e":"count","p":"news"}                     how many are in a channel
4,3,{"e":"ring","p":{"whom":"<id>"}}             let the server tell one client
6,0,news                                         leave
"#;

#[derive(Deserialize)]
struct Ring {
    whom: ClientId,
}

async fn whoami(ctx: Context, (): ()) -> Result<ClientId> {
    Ok(ctx.session().id())
}

async fn count(ctx: Context, channel: String) -> Result<usize> {
    Ok(ctx.hub().channel(&channel).len())
}

async fn ring(ctx: Context, ring: Ring) -> Result<()> {
    Ok(ctx.hub().to(ring.whom).send(&format!("{} is at the door", ctx.session().id()))?)
}

/// The hub needs no request at hand: any part of the program may hold a clone of it.
async fn tick(hub: Hub) {
    let mut timer = interval(Duration::from_secs(5));
    for ticks in 1_u64.. {
        timer.tick().await;
        if let Err(error) = hub.broadcast("clock", &ticks.to_string()) {
            println!("nobody hears the clock: {error}");
        }
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let router = Router::new().on("whoami", whoami).on("count", count).on("ring", ring);
    let service = Service::new(router);
    tokio::spawn(tick(service.hub().clone()));
    let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address).await?;
    println!("ws://{}/ws\n{TRY}", listener.local_addr()?);
    stocking_tokio::serve(listener, service).await
}
