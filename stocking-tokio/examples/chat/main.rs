//! A chat to open in two tabs: `cargo run --release -p stocking-tokio --example chat [ADDRESS]`
//!
//! A page, and the socket at `/ws`, from one port. Who comes says a name in the address, so that the gate knows it. Rooms are
//! channels: a middleware sees everybody come and go and tells the others, and lets nobody speak in them but by the event
//! `say`, where the server says whose words they are. The files of the page are embedded here; `stocking.js` among
//! them is what `stocking-js` builds to.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Router as Site, http::header, routing::get};
use serde::Deserialize;
use stocking_tokio::{
    Accept, ClientId, ConnectRequest, Context, Error, Next, Rejection, Reply, Request, Result, Router,
    Service, UpgradeService,
};
use tokio::{net::TcpListener, signal};

mod people;

use people::{News, People, Person};

/// Characters that one may say at once.
const MAX_TEXT: usize = 2000;

/// Nothing foreign is loaded or asked, whatever somebody says.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Deserialize)]
struct Said {
    room: String,
    text: String,
}

#[derive(Deserialize)]
struct Whispered {
    to: ClientId,
    text: String,
}

/// What somebody wants to be called. The name itself is given once, when the session begins; this comes with every connection.
struct Wish(String);

async fn gate(request: ConnectRequest) -> Result<Accept, Rejection> {
    let name = request.parameter("name").unwrap_or_default();
    if people::is_name(&name) {
        Ok(Accept::new().with(Wish(name.into_owned())))
    } else {
        Err(Rejection::close_forbidden(
            "A name is up to 24 letters and digits, with spaces and - between them.",
        ))
    }
}

/// Stands at the door of every room.
async fn porter(ctx: Context, next: Next) -> Reply {
    let session = ctx.session().clone();
    let people = ctx.state::<Arc<People>>().clone();
    match next.request() {
        Request::Join { channel } if people::is_room(channel) => {
            let room = channel.clone();
            let reply = next.run(ctx).await?;
            people.come(&session, &room);
            Ok(reply)
        }
        Request::Join { .. } => Err(Error::new("a room's name is up to 24 small letters, digits and -")),
        Request::Leave { channel } => {
            let room = channel.clone();
            let reply = next.run(ctx).await?;
            people.go(&session, &room);
            Ok(reply)
        }
        Request::Broadcast { .. } => Err(Error::not_allowed("only `say` and `whisper` show who speaks")),
        _ => next.run(ctx).await,
    }
}

/// Tells a room: the speaker too, so that all read one order.
async fn say(ctx: Context, Said { room, text }: Said) -> Result<()> {
    if !ctx.session().is_in(&room) {
        return Err(Error::not_allowed("join first"));
    }
    let news = News::Said { from: Person::of(ctx.session()), text: proper(&text)?, at: now() };
    Ok(ctx.hub().broadcast(&room, news.to_payload()?.as_str())?)
}

/// Tells one client.
async fn whisper(ctx: Context, Whispered { to, text }: Whispered) -> Result<()> {
    let news = News::Whispered { from: Person::of(ctx.session()), text: proper(&text)?, at: now() };
    ctx.hub()
        .to(to)
        .send(news.to_payload()?.as_str())
        .map_err(|_| Error::new("nobody is there any more").with_code(404))
}

/// The server's time. Its answer comes behind whatever a client has missed.
async fn time(_: Context, (): ()) -> Result<u64> {
    Ok(now())
}

fn proper(text: &str) -> Result<&str> {
    match text.trim() {
        "" => Err(Error::new("nothing was said")),
        text if text.chars().count() > MAX_TEXT => Err(Error::new("that is too long").with_code(413)),
        text => Ok(text),
    }
}

/// Milliseconds since 1970, as JavaScript has it.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

fn chat() -> Service {
    let people = Arc::new(People::default());
    let router = Router::new()
        .with(porter)
        .on("say", say)
        .on("whisper", whisper)
        .on("time", time)
        .with_state(people.clone());
    let names = people.clone();
    Service::new(router)
        .on_connect(gate)
        .on_open(move |session| {
            if let Some(wish) = session.get::<Wish>() {
                names.name(session, &wish.0);
            }
        })
        .on_close(move |session, _| people.forget(session))
}

/// One file of the page, and what kind it is.
fn file<S: Clone + Send + Sync + 'static>(
    kind: &'static str,
    text: &'static str,
) -> axum::routing::MethodRouter<S> {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    get(move || async move { (headers, text) })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let service = Arc::new(chat());
    let site = Site::new()
        .route("/", file("text/html; charset=utf-8", include_str!("page/index.html")))
        .route("/chat.css", file("text/css; charset=utf-8", include_str!("page/chat.css")))
        .route("/chat.js", file("text/javascript; charset=utf-8", include_str!("page/chat.js")))
        .route("/elements.js", file("text/javascript; charset=utf-8", include_str!("page/elements.js")))
        .route("/line.js", file("text/javascript; charset=utf-8", include_str!("page/line.js")))
        .route("/stocking.js", file("text/javascript; charset=utf-8", include_str!("page/stocking.js")))
        .route_service("/ws", UpgradeService::new(service.clone()));
    let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/\nopen it in two tabs", listener.local_addr()?);
    axum::serve(listener, site)
        .with_graceful_shutdown(async move {
            signal::ctrl_c().await.unwrap_or_default();
            stocking_tokio::drain(&service).await;
        })
        .await
}
