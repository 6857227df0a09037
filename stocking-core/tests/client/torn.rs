//! A client machine and a server of ours, over connections that break anywhere.

use std::{
    collections::BTreeSet,
    sync::Arc,
    task::Waker,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use stocking_core::{
    Connection, Context, Payload, Result, Router, Service,
    client::{CallError, ChannelChange, ClientConfig, ClientEvent, ClientMachine},
    driver::lend,
    testing::TestRuntime,
};

/// What the handlers have seen, in order.
type Log = Arc<Mutex<Vec<u32>>>;

fn router(log: Log) -> Router {
    Router::new()
        .on("note", async |ctx: Context, number: u32| -> Result<()> {
            ctx.state::<Log>().lock().push(number);
            ctx.hub().to(ctx.session().id()).send(&number.to_string())?;
            Ok(())
        })
        .on("double", async |_: Context, number: u32| -> Result<u32> { Ok(2 * number) })
        .with_state(log)
}

/// One connection: the server's end, and the bytes under way.
struct Link {
    server: Connection,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
}

struct World {
    service: Arc<Service>,
    log: Log,
    client: ClientMachine,
    link: Option<Link>,
    /// The server has not noticed that these are gone.
    forgotten: Vec<Link>,
    now: Instant,
    seed: u64,
    messages: Vec<u32>,
    answers: Vec<(u64, u32)>,
    /// Calls that ended with the session.
    lost: Vec<u64>,
    /// Frames that were named when a session was lost.
    unknown: BTreeSet<String>,
    inside: BTreeSet<String>,
    resumed: usize,
    resets: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = start();
        let log = Log::default();
        let service = serve(log.clone());
        let config = ClientConfig::new().backoff_max(Duration::from_secs(2));
        let client = ClientMachine::new("ws://localhost/ws", config, now).unwrap();
        let mut bytes = seed;
        let client = client.with_random(move |buffer| {
            buffer.fill_with(|| {
                bytes = bytes.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (bytes >> 56) as u8
            });
        });
        Self {
            service,
            log,
            client,
            link: None,
            forgotten: Vec::new(),
            now,
            seed: seed ^ 0x9e37_79b9_7f4a_7c15,
            messages: Vec::new(),
            answers: Vec::new(),
            lost: Vec::new(),
            unknown: BTreeSet::new(),
            inside: BTreeSet::new(),
            resumed: 0,
            resets: 0,
        }
    }

    fn random(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) as usize % below
    }

    /// Everything that needs no time: connecting, writing, reading at most `limit` bytes each way.
    fn turn(&mut self, limit: usize) {
        if self.client.poll_connect(self.now) {
            let server = Connection::new(self.service.clone(), self.now);
            self.link = Some(Link { server, to_server: Vec::new(), to_client: Vec::new() });
            self.client.handle_connected(self.now);
        }
        if let Some(link) = &mut self.link {
            self.client.poll_transmit(&mut link.to_server);
            let length = link.to_server.len().min(limit);
            let mut bytes: Vec<u8> = link.to_server.drain(..length).collect();
            link.server.handle_input(&mut bytes, self.now, &mut link.to_client);
            link.server.poll_transmit(self.now, &mut link.to_client, Waker::noop());
            assert!(link.server.poll_task().is_none(), "every handler answers at once");
            let length = link.to_client.len().min(limit);
            let bytes: Vec<u8> = link.to_client.drain(..length).collect();
            if !bytes.is_empty() {
                self.client.handle_input(&bytes, self.now);
            }
            if link.server.wants_shutdown() && link.to_client.is_empty() {
                self.client.handle_eof(self.now);
            }
        }
        self.client.handle_timeout(self.now);
        if !self.client.wants_transport() {
            self.forgotten.extend(self.link.take());
        }
        while let Some(event) = self.client.poll_event() {
            self.note(event);
        }
    }

    fn note(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Direct { content } => self.messages.push(content.parse().unwrap()),
            ClientEvent::Reply { call, outcome: Err(CallError::SessionLost) } => self.lost.push(call.get()),
            ClientEvent::Reply { call, outcome } => {
                self.answers.push((call.get(), outcome.unwrap().parse().unwrap()));
            }
            ClientEvent::Reset(reset) => {
                self.resets += 1;
                self.unknown.extend(reset.unknown.iter().map(|frame| frame.as_str().to_owned()));
                self.inside.clear();
            }
            ClientEvent::Channel { channel, change: ChannelChange::Joined } => {
                self.inside.insert(channel);
            }
            ClientEvent::Channel { channel, change: ChannelChange::Left } => {
                self.inside.remove(&channel);
            }
            ClientEvent::Resumed => self.resumed += 1,
            ClientEvent::Connected { .. }
            | ClientEvent::Disconnected { .. }
            | ClientEvent::ConnectFailed { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    /// The connection breaks. What was under way may arrive in part, and the server may notice later, or never.
    fn cut(&mut self) {
        let Some(mut link) = self.link.take() else { return };
        let length = self.random(link.to_client.len() + 1);
        self.client.handle_input(&link.to_client[..length], self.now);
        self.client.handle_eof(self.now);
        let length = self.random(link.to_server.len() + 1);
        link.to_server.truncate(length);
        if self.random(2) == 0 {
            link.server.handle_input(&mut link.to_server, self.now, &mut link.to_client);
            link.server.handle_eof();
        } else {
            self.forgotten.push(link);
        }
    }

    /// A server that has not noticed yet reads what was under way, or notices.
    fn wake_one_forgotten(&mut self) {
        if self.forgotten.is_empty() {
            return;
        }
        let at = self.random(self.forgotten.len());
        let mut link = self.forgotten.swap_remove(at);
        link.server.handle_input(&mut link.to_server, self.now, &mut link.to_client);
        link.server.poll_transmit(self.now, &mut link.to_client, Waker::noop());
        if self.random(2) == 0 {
            link.server.handle_eof();
        }
    }

    fn settle(&mut self) {
        for _ in 0..1000 {
            self.turn(usize::MAX);
            if !self.client.is_open() {
                self.now = self.now.max(self.client.poll_timeout().unwrap());
            }
        }
        assert!(self.client.is_open());
    }
}

fn serve(log: Log) -> Arc<Service> {
    let service: Arc<Service> = router(log).into();
    // A session that outlives its connection needs a clock.
    lend(&TestRuntime::default(), &service);
    service
}

#[expect(clippy::disallowed_methods, reason = "some moment: nothing depends on which")]
fn start() -> Instant {
    Instant::now()
}

/// What an application has asked for.
#[derive(Default)]
struct Asked {
    noted: u32,
    called: Vec<(u64, u32)>,
    inside: BTreeSet<String>,
}

impl World {
    /// Something happens. Of `restarts` many things one is that the server dies, if any.
    fn step(&mut self, asked: &mut Asked, restarts: Option<usize>) {
        match self.random(16) {
            0 | 1 => {
                self.client.emit("note", &Payload::new(&asked.noted).unwrap()).unwrap();
                asked.noted += 1;
            }
            2 => {
                let payload = Payload::new(&asked.noted).unwrap();
                let call = self.client.call("double", &payload, Duration::MAX, self.now).unwrap();
                asked.called.push((call.get(), 2 * asked.noted));
            }
            3 => {
                let channel = format!("channel {}", self.random(3));
                if self.random(2) == 0 {
                    self.client.join(&channel).unwrap();
                    asked.inside.insert(channel);
                } else {
                    self.client.leave(&channel).unwrap();
                    asked.inside.remove(&channel);
                }
            }
            4 if self.random(3) == 0 => self.cut(),
            5 => self.wake_one_forgotten(),
            6 => {
                let pause = self.random(1000);
                self.now += Duration::from_millis(pause as u64);
            }
            7 if restarts.is_some_and(|restarts| self.random(restarts) == 0) => {
                self.cut();
                self.forgotten.clear();
                self.service = serve(self.log.clone());
            }
            _ => {
                let limit = 1 + self.random(200);
                self.turn(limit);
            }
        }
    }

    #[track_caller]
    fn assert_inside(&self, asked: &Asked) {
        assert_eq!(self.inside, asked.inside);
        for channel in ["channel 0", "channel 1", "channel 2"] {
            let is_member = self.service.hub().channel(channel).len() == 1;
            assert_eq!(is_member, asked.inside.contains(channel), "{channel}");
        }
    }
}

#[test]
fn over_connections_that_break_anywhere_everything_is_taken_in_once_and_in_order() {
    let mut resumed = 0;
    for seed in 1..=300 {
        let mut world = World::new(seed);
        let mut asked = Asked::default();
        for _ in 0..400 {
            world.step(&mut asked, None);
        }
        world.settle();
        let expected: Vec<u32> = (0..asked.noted).collect();
        assert_eq!(*world.log.lock(), expected, "client to server, seed {seed}");
        assert_eq!(world.messages, expected, "server to client, seed {seed}");
        assert_eq!(world.answers, asked.called, "seed {seed}");
        world.assert_inside(&asked);
        assert_eq!(world.resets, 0, "seed {seed}");
        resumed += world.resumed;
    }
    assert!(resumed > 500, "{resumed} resumes are too few to show anything");
}

#[test]
fn over_servers_that_die_nothing_is_handled_twice_and_all_that_was_not_is_named() {
    let (mut resets, mut unknown) = (0, 0);
    for seed in 1..=300 {
        let mut world = World::new(seed);
        let mut asked = Asked::default();
        for _ in 0..400 {
            world.step(&mut asked, Some(4));
        }
        world.settle();
        let log = world.log.lock().clone();
        assert!(log.is_sorted_by(|one, next| one < next), "twice, or out of order: {log:?}, seed {seed}");
        for number in 0..asked.noted {
            let frame = format!(r#"4,0,{{"e":"note","p":{number}}}"#);
            let is_known = log.binary_search(&number).is_ok();
            assert!(is_known || world.unknown.contains(&frame), "{frame} has vanished, seed {seed}");
        }
        let mut ended: Vec<_> = world.answers.iter().map(|(call, _)| *call).collect();
        ended.extend(&world.lost);
        ended.sort_unstable();
        let called: Vec<_> = asked.called.iter().map(|(call, _)| *call).collect();
        assert_eq!(ended, called, "every call ends once, seed {seed}");
        assert!(world.answers.iter().all(|answer| asked.called.contains(answer)), "seed {seed}");
        world.assert_inside(&asked);
        resets += world.resets;
        unknown += world.unknown.len();
    }
    assert!(resets > 300 && unknown > 300, "{resets} resets with {unknown} frames are too few");
}
