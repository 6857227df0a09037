//! The server, and what it has done.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use stocking_core::{
    Accept, ClientId, CloseReason, Config, ConnectRequest, Context, Error, Hub, Next, Payload, Rejection,
    Reply, Request, Result, Router, Service, Session,
    driver::Runtime,
    testing::{Chance, TestRuntime, TestServer},
};

/// What one server has done.
#[derive(Default)]
pub(crate) struct Log {
    /// Which person's request or, where all is logged, broadcast, from which session and of which number, was handled, in order.
    pub(crate) handled: Vec<(usize, ClientId, u64)>,
    /// What was published in a channel, and by whom if that was a client.
    pub(crate) published: BTreeMap<String, Vec<(Option<ClientId>, String)>>,
    /// How much had been published in a channel when a session became a member.
    pub(crate) entered: BTreeMap<(ClientId, String), VecDeque<usize>>,
    /// How many direct messages were sent to a session.
    pub(crate) sent: BTreeMap<ClientId, u64>,
    pub(crate) opened: BTreeMap<ClientId, usize>,
    pub(crate) closed: BTreeMap<ClientId, Vec<(CloseReason, Instant)>>,
}

pub(crate) type Shared = Arc<Mutex<Log>>;

impl Log {
    pub(crate) fn published(&self, channel: &str) -> &[(Option<ClientId>, String)] {
        self.published.get(channel).map_or(&[], |published| published)
    }

    fn enter(&mut self, session: &Session, channel: &str) {
        let published = self.published(channel).len();
        self.entered.entry((session.id(), channel.to_owned())).or_default().push_back(published);
    }
}

/// What a person broadcasts.
pub(crate) fn write_broadcast(person: usize, number: u64) -> String {
    format!("c{person}:{number}")
}

/// Whose broadcast it is, if it is a person's, and of which number.
pub(crate) fn read_broadcast(content: &str) -> Option<(usize, u64)> {
    let (person, number) = content.strip_prefix('c')?.split_once(':')?;
    Some((person.parse().ok()?, number.parse().ok()?))
}

/// Puts a session into a channel, from outside of its requests.
pub(crate) fn put_in(log: &Shared, session: &Arc<Session>, channel: &str) {
    if !session.is_in(channel) && session.join(channel).is_ok() {
        log.lock().enter(session, channel);
    }
}

/// Publishes, if there is anybody, as the server.
pub(crate) fn publish(log: &Shared, hub: &Hub, channel: &str) {
    let mut log = log.lock();
    let published = log.published.entry(channel.to_owned()).or_default();
    let content = format!("s{}", published.len());
    hub.broadcast(channel, &content).unwrap();
    published.push((None, content));
}

/// Sends to one session, if it lives.
pub(crate) fn send(log: &Shared, hub: &Hub, id: ClientId, filling: usize) {
    let mut log = log.lock();
    let sent = log.sent.entry(id).or_default();
    if hub.to(id).send(&format!("{sent} {}", "x".repeat(filling))).is_ok() {
        *sent += 1;
    }
}

/// A server of which everything is settled by chance.
pub(crate) fn serve(
    runtime: &TestRuntime,
    log: &Shared,
    is_strict: bool,
    is_flooded: bool,
    chance: &mut Chance,
) -> TestServer {
    let config = if is_flooded {
        Config::new().max_kept_frames(512).max_kept_bytes(256 * 1024)
    } else {
        Config::new()
    };
    let config = config
        .max_parked([1, 100, 100, 100][chance.below(4) as usize])
        .session_ttl(Duration::from_secs([5, 30, 120][chance.below(3) as usize]))
        .ping_interval(Duration::from_secs([5, 25][chance.below(2) as usize]))
        .max_in_flight([1, 4, 32][chance.below(3) as usize]);
    let (random, gate) = (Mutex::new(chance.fork()), Mutex::new(chance.fork()));
    let (opened, closed, clock) = (log.clone(), log.clone(), runtime.clone());
    let refuses = chance.one_in(3);
    let service = Service::new(router(runtime, log, is_strict))
        .with_config(config)
        .with_random(move |buffer| random.lock().fill(buffer))
        .on_connect(move |_: ConnectRequest| {
            let refused = refuses && gate.lock().one_in(6);
            async move {
                match refused {
                    true => Err(Rejection::status(503, "not now")),
                    false => Ok(Accept::new()),
                }
            }
        })
        .on_open(move |session| *opened.lock().opened.entry(session.id()).or_default() += 1)
        .on_close(move |session, reason| {
            closed.lock().closed.entry(session.id()).or_default().push((reason.clone(), clock.now()));
        });
    TestServer::on(runtime, service)
}

/// With a middleware, every change is logged where it happens; without one, requests take the shorter ways of the server.
fn router(runtime: &TestRuntime, log: &Shared, has_middleware: bool) -> Router {
    let (put_log, nap_log, enter_log, around_log) = (log.clone(), log.clone(), log.clone(), log.clone());
    let clock = runtime.clone();
    let router = Router::new()
        .on("put", move |ctx: Context, (person, number): (usize, u64)| {
            put_log.lock().handled.push((person, ctx.session().id(), number));
            async move { Ok::<_, Error>(number) }
        })
        .on("nap", move |ctx: Context, (person, number, time): (usize, u64, u64)| {
            nap_log.lock().handled.push((person, ctx.session().id(), number));
            let nap = clock.sleep(Duration::from_millis(time));
            async move {
                nap.await;
                Ok::<_, Error>(number)
            }
        })
        .on("enter", move |ctx: Context, channel: String| {
            put_in(&enter_log, ctx.session(), &channel);
            async { Ok::<_, Error>(()) }
        })
        .on("exit", exit);
    if !has_middleware {
        return router;
    }
    router.with(move |ctx: Context, next: Next| {
        let log = around_log.clone();
        async move { around(&log, ctx, next).await }
    })
}

async fn exit(ctx: Context, channel: String) -> Result<()> {
    ctx.session().leave(&channel);
    Ok(())
}

async fn around(log: &Shared, ctx: Context, next: Next) -> Reply {
    let session = ctx.session().clone();
    let request = next.request();
    match request {
        Request::Join { channel } if channel == "secret" => Err(Error::new("members only").with_code(403)),
        Request::Leave { channel } if channel == "club" => Err(Error::new("members stay").with_code(403)),
        // Neither refused nor done.
        Request::Join { channel } if channel == "void" => Ok(Payload::null()),
        Request::Join { channel } => {
            let channel = channel.clone();
            let was_in = session.is_in(&channel);
            let reply = next.run(ctx).await;
            if reply.is_ok() && !was_in {
                log.lock().enter(&session, &channel);
            }
            reply
        }
        Request::Broadcast { to, content } => {
            let (to, content) = (to.clone(), content.to_string());
            if let Some((person, number)) = read_broadcast(&content) {
                log.lock().handled.push((person, session.id(), number));
            }
            let reply = next.run(ctx).await;
            if reply.is_ok() {
                log.lock().published.entry(to).or_default().push((Some(session.id()), content));
            }
            reply
        }
        _ => next.run(ctx).await,
    }
}
