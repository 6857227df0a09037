//! Functions around every request: `cargo run -p stocking-tokio --example middleware [ADDRESS]`
//!
//! A logger, a watch for slow requests, and a gate: channels whose names begin with `admin` are for those who have shown a
//! token. Each sees joins, leaves and broadcasts as well as messages.

use std::time::{Duration, Instant};

use stocking_tokio::{Context, Error, Next, Reply, Request, Result, Router};
use tokio::{net::TcpListener, time::sleep};

const TRY: &str = r#"
6,1,admin/alerts                   refused
4,1,{"e":"auth","p":"wrong"}       refused
4,2,{"e":"auth","p":"sesame"}      lets this connection in
6,1,admin/alerts                   joined
4,3,{"e":"slow"}                   is reported to the log
"#;

/// What goes in and what comes out.
async fn log(ctx: Context, next: Next) -> Reply {
    let what = format!("{} {} {}", ctx.session().id(), next.request(), ctx.event());
    let reply = next.run(ctx).await;
    match &reply {
        Ok(_) => println!("{what}: done"),
        Err(error) => println!("{what}: {error}"),
    }
    reply
}

/// Reports what takes longer than `limit`.
async fn report_slower_than(limit: Duration, ctx: Context, next: Next) -> Reply {
    let (what, begin) = (next.request().to_string(), Instant::now());
    let reply = next.run(ctx).await;
    if begin.elapsed() > limit {
        println!("{what} took {:?}", begin.elapsed());
    }
    reply
}

/// Lets nobody join or tell `admin/…` who is not in `admin`, and nobody join that: [`auth`] puts them there. Being in a
/// channel ends with the connection, so there is nothing to forget.
async fn gate(ctx: Context, next: Next) -> Reply {
    let (Request::Join { channel: to } | Request::Broadcast { to, .. }) = next.request() else {
        return next.run(ctx).await;
    };
    let is_admin = || ctx.session().channels().iter().any(|channel| channel == "admin");
    if to.starts_with("admin") && !is_admin() {
        return Err(Error::new("admins only").with_code(403));
    }
    next.run(ctx).await
}

async fn auth(ctx: Context, token: String) -> Result<()> {
    // Yours comes from a file or the environment, and is compared in constant time.
    if token != "sesame" {
        return Err(Error::new("who are you?").with_code(401));
    }
    Ok(ctx.session().join("admin")?)
}

async fn slow(_: Context, (): ()) -> Result<()> {
    sleep(Duration::from_secs(2)).await;
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let router = Router::new()
        .with(log) // the outermost: sees what the others refuse
        .with(|ctx, next| report_slower_than(Duration::from_secs(1), ctx, next))
        .with(gate)
        .on("auth", auth)
        .on("slow", slow);
    let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address).await?;
    println!("ws://{}/ws\n{TRY}", listener.local_addr()?);
    stocking_tokio::serve(listener, router).await
}
