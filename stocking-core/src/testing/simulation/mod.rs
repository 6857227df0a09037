//! Clients and a server over a bad network, all of it from one seed.

mod chance;
mod link;

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

pub use self::chance::Chance;
use self::link::{Link, Moved};
use super::{TestRuntime, TestServer};
use crate::{
    client::{ClientEvent, ClientMachine},
    driver::Runtime,
};

/// How bad a network is.
///
/// The default is a good one.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Network {
    /// What bytes take to arrive, at most. Default: no time.
    pub delay: Duration,
    /// What a connection lasts, on average; it breaks in one direction or both, at any byte. Default: for ever.
    pub breaks_after: Option<Duration>,
    /// The time in which an end hears of a break, at most, where it ever does. Default: no time.
    pub notices_after: Duration,
    /// What it takes to make a connection, at most. Default: no time.
    pub connects_in: Duration,
    /// Of how many attempts to connect one fails. Default, 0: none.
    pub refuses_one_in: u64,
    /// Of how many writes one takes up to twenty times as long: what a later connection says overtakes it. Default, 0: none.
    pub slow_one_in: u64,
    /// How many bytes a connection carries to its client in a second: below what the server has to say, that is a slow reader.
    /// Default, 0: any number.
    pub bytes_per_second: u64,
    /// What the server's end of a connection takes ahead of its reader, in bytes. Default, 0: 64 KiB.
    pub capacity: usize,
}

impl Network {
    /// How much of what the server has written gets on its way in one go.
    fn bytes_at_once(&self) -> usize {
        match self.bytes_per_second {
            0 => usize::MAX,
            rate => usize::try_from(rate / 10).unwrap_or(usize::MAX).max(1),
        }
    }

    /// How long the next bytes have to wait for so many.
    fn time_for(&self, bytes: usize) -> Option<Duration> {
        (bytes as u64).saturating_mul(1_000_000).checked_div(self.bytes_per_second).map(Duration::from_micros)
    }
}

/// Clients and a server over a [`Network`], on the server's virtual clock. The same seed is the same course of things, to
/// the byte.
///
/// It takes machines, not handles: an application on a [`Client`](crate::Client) is tested
/// [on a `TestServer`](super#an-application-on-a-client), whose network is a good one.
///
/// ```
/// use std::time::Duration;
/// use stocking_core::{
///     Context, Payload, Result, Router, Service,
///     client::{ClientConfig, ClientEvent, ClientMachine},
///     testing::{Chance, Network, Simulation, TestServer},
/// };
///
/// async fn echo(_: Context, number: u64) -> Result<u64> {
///     Ok(number)
/// }
///
/// let mut chance = Chance::new(7);
/// let server = TestServer::new(Service::new(Router::new().on("echo", echo)));
/// let mut network = Network::default();
/// network.delay = Duration::from_millis(200);
/// network.breaks_after = Some(Duration::from_secs(3));
/// network.notices_after = Duration::from_secs(1);
/// let mut simulation = Simulation::new(server, network, chance.fork());
///
/// let mut random = chance.fork();
/// let machine = ClientMachine::new("ws://localhost/ws", ClientConfig::new(), simulation.now())
///     .unwrap()
///     .with_random(move |buffer| random.fill(buffer));
/// let client = simulation.add(machine);
/// let calls = 20;
/// for number in 0..calls {
///     let now = simulation.now();
///     let payload = Payload::new(&number).unwrap();
///     simulation.client(client).call("echo", &payload, Duration::from_secs(600), now).unwrap();
///     simulation.run_for(Duration::from_secs(1));
/// }
/// simulation.run_for(Duration::from_secs(300));
///
/// let events = std::iter::from_fn(|| simulation.poll_event());
/// let answers = events.filter(|(_, event)| matches!(event, ClientEvent::Reply { outcome: Ok(_), .. }));
/// assert_eq!(answers.count(), calls);
/// ```
pub struct Simulation {
    server: TestServer,
    network: Network,
    chance: Chance,
    clients: Vec<Client>,
    events: VecDeque<(usize, ClientEvent)>,
}

struct Client {
    machine: ClientMachine,
    link: Option<Link>,
    /// Connections that it has let go of, of which the server may not know yet.
    old: Vec<Link>,
    /// When the connection that it waits for is made, or not.
    connects_at: Option<(Instant, bool)>,
    /// Until when it does nothing at all.
    asleep_until: Option<Instant>,
}

impl Simulation {
    /// A server without clients.
    #[must_use]
    pub fn new(server: TestServer, network: Network, chance: Chance) -> Self {
        Self { server, network, chance, clients: Vec::new(), events: VecDeque::new() }
    }

    /// Adds a client, and says which it is: they are counted from 0. To repeat itself it needs a source of random bytes that
    /// does: [`ClientMachine::with_random`].
    pub fn add(&mut self, machine: ClientMachine) -> usize {
        let client = Client { machine, link: None, old: Vec::new(), connects_at: None, asleep_until: None };
        self.clients.push(client);
        self.clients.len() - 1
    }

    /// A client, to make requests.
    ///
    /// # Panics
    ///
    /// Where there is none of this number.
    pub fn client(&mut self, client: usize) -> &mut ClientMachine {
        &mut self.clients[client].machine
    }

    /// Lets a client do nothing for a while, as a machine does that sleeps: what arrives meanwhile waits.
    ///
    /// # Panics
    ///
    /// Where there is none of this number.
    pub fn put_to_sleep(&mut self, client: usize, time: Duration) {
        self.clients[client].asleep_until = Some(self.now() + time);
    }

    /// What a client has told its application, in order.
    pub fn poll_event(&mut self) -> Option<(usize, ClientEvent)> {
        self.events.pop_front()
    }

    /// What a client keeps until the server has taken it in: frames, and their bytes.
    ///
    /// # Panics
    ///
    /// Where there is none of this number.
    #[must_use]
    pub fn kept(&self, client: usize) -> (usize, usize) {
        self.clients[client].machine.kept()
    }

    /// What the server keeps and queues for the session in which a client believes to be: frames, and their bytes.
    ///
    /// # Panics
    ///
    /// Where there is none of this number.
    #[must_use]
    pub fn kept_by_server(&self, client: usize) -> (usize, usize) {
        let id = self.clients[client].machine.id();
        id.and_then(|id| self.server.hub().session(id)).map_or((0, 0), |session| session.outbox.kept())
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &TestServer {
        &self.server
    }

    /// Cuts a client's connection, or the one that it is making: it hears of that at once, the server when what is under way
    /// has arrived.
    ///
    /// # Panics
    ///
    /// Where there is none of this number.
    pub fn cut(&mut self, client: usize) {
        let now = self.now();
        let client = &mut self.clients[client];
        if client.link.is_some() || client.connects_at.is_some() {
            client.machine.handle_eof(now);
            client.let_go(now);
        }
    }

    /// Replaces the server, as after a crash: every connection breaks, and whoever comes back finds the other one. It has to be
    /// on the same runtime, `TestServer::on(simulation.server().runtime(), …)`: another one is another clock, on which the
    /// time of the clients would go back.
    ///
    /// # Panics
    ///
    /// Where it is on another runtime.
    #[track_caller]
    pub fn replace_server(&mut self, server: TestServer) {
        assert!(
            self.runtime().is(server.runtime()),
            "another runtime is another clock: make the server by `TestServer::on(simulation.server().runtime(), …)`"
        );
        let now = self.now();
        for client in &mut self.clients {
            client.old.clear();
            if client.link.take().is_some() {
                client.machine.handle_eof(now);
            }
        }
        self.server = server;
    }

    /// Changes the network, for connections that exist too, but when they break: that was settled when they were made.
    pub fn set_network(&mut self, network: Network) {
        self.network = network;
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.runtime().now()
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now() + time;
        loop {
            self.settle();
            let now = self.now();
            let next = self.next().map_or(end, |at| at.min(end));
            if next >= end && now >= end {
                return;
            }
            self.runtime().advance(next.saturating_duration_since(now).max(Duration::from_micros(1)));
        }
    }

    fn runtime(&self) -> &TestRuntime {
        self.server.runtime()
    }

    /// Does what is due, on both sides, until nothing is.
    fn settle(&mut self) {
        loop {
            self.runtime().run();
            let now = self.now();
            let mut is_settled = true;
            for number in 0..self.clients.len() {
                let Self { server, network, chance, clients, events } = self;
                is_settled &= !clients[number].advance(server, network, chance, now);
                while let Some(event) = clients[number].machine.poll_event() {
                    events.push_back((number, event));
                }
            }
            if is_settled {
                return self.runtime().run();
            }
        }
    }

    fn next(&self) -> Option<Instant> {
        let clients = self.clients.iter().filter_map(Client::next);
        clients.chain(self.runtime().next_timer()).min()
    }
}

impl Client {
    /// Does what is due. True where it did anything.
    fn advance(&mut self, server: &TestServer, network: &Network, chance: &mut Chance, now: Instant) -> bool {
        let mut did = false;
        for link in &mut self.old {
            did |= link.advance(now, network, chance).anything;
        }
        self.old.retain(|link| !link.is_over());
        if self.asleep_until.is_some_and(|until| now < until) {
            return did;
        }
        self.asleep_until = None;
        if self.machine.poll_timeout().is_some_and(|at| at <= now) {
            self.machine.handle_timeout(now);
        }
        if !self.machine.wants_transport() {
            self.let_go(now);
        }
        if self.machine.poll_connect(now) {
            let fails = network.refuses_one_in > 0 && chance.one_in(network.refuses_one_in);
            self.connects_at = Some((now + chance.time(network.connects_in), fails));
        }
        if let Some((at, fails)) = self.connects_at
            && at <= now
        {
            did = true;
            self.connects_at = None;
            if fails {
                self.machine.handle_failed(&"the network is down", now);
            } else {
                let capacity = if network.capacity == 0 { 64 * 1024 } else { network.capacity };
                self.link = Some(Link::new(server.accept(capacity), now, network, chance));
                self.machine.handle_connected(now);
            }
        }
        if let Some(link) = &mut self.link {
            let Moved { arrived, has_ended, anything } = link.advance(now, network, chance);
            did |= anything;
            for piece in arrived {
                if self.machine.wants_transport() {
                    self.machine.handle_input(&piece, now);
                }
            }
            if has_ended {
                self.machine.handle_eof(now);
            }
            let mut output = Vec::new();
            self.machine.poll_transmit(&mut output);
            if !output.is_empty() {
                did = true;
                link.send(output, now, network, chance);
            }
            if has_ended || !self.machine.wants_transport() {
                self.let_go(now);
            }
        }
        did
    }

    fn let_go(&mut self, now: Instant) {
        self.connects_at = None;
        if let Some(mut link) = self.link.take() {
            link.abandon(now);
            self.old.push(link);
        }
    }

    fn next(&self) -> Option<Instant> {
        let own = [
            self.machine.poll_timeout(),
            self.connects_at.map(|(at, _)| at),
            self.link.as_ref().and_then(Link::next),
        ];
        let own = match self.asleep_until {
            Some(until) => Some(until),
            None => own.into_iter().flatten().min(),
        };
        self.old.iter().filter_map(Link::next).chain(own).min()
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("network", &self.network).finish_non_exhaustive()
    }
}
