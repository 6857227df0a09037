//! Everything that happens, by chance.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use stocking_core::{
    ClientId,
    client::{ClientConfig, ClientMachine},
    driver::{self, Runtime},
    testing::{Chance, Network, Simulation, TestRuntime},
};

use crate::{
    application::{Log, Shared, publish, put_in, send, serve},
    person::Person,
};

const CHANNELS: [&str; 3] = ["news", "chat", "games"];

/// With those from which the server keeps its people out, or in.
const ALL_CHANNELS: usize = CHANNELS.len() + 3;

pub(crate) struct World {
    chance: Chance,
    runtime: TestRuntime,
    log: Shared,
    /// The logs of servers before this one.
    past: Vec<Shared>,
    simulation: Simulation,
    people: Vec<Person>,
    is_strict: bool,
    /// Whether its people are sent more than others.
    is_flooded: bool,
    start: Instant,
    /// When its people were listened to for the last time.
    heard_at: Instant,
    /// Whether to print what happens.
    is_told: bool,
}

impl World {
    pub(crate) fn new(seed: u64, is_told: bool) -> Self {
        let mut chance = Chance::new(seed);
        let runtime = TestRuntime::default();
        let log = Shared::default();
        let is_strict = chance.one_in(2);
        let is_flooded = chance.one_in(4);
        let server = serve(&runtime, &log, is_strict, is_flooded, &mut chance);
        let network = bad_network(is_flooded, &mut chance);
        let mut simulation = Simulation::new(server, network, chance.fork());
        let people = (0..1 + chance.below(3) as usize)
            .map(|number| {
                let mut random = chance.fork();
                let config = ClientConfig::new()
                    .backoff_max(Duration::from_millis(500 + chance.below(5000)))
                    .max_kept_frames([40, 4096, 4096][chance.below(3) as usize]);
                let machine = ClientMachine::new("ws://localhost/ws", config, simulation.now())
                    .unwrap()
                    .with_random(move |buffer| random.fill(buffer));
                assert_eq!(simulation.add(machine), number);
                Person::new(number, is_strict, is_flooded, runtime.now())
            })
            .collect();
        let start = runtime.now();
        Self {
            chance,
            runtime,
            log,
            past: Vec::new(),
            simulation,
            people,
            is_strict,
            is_flooded,
            start,
            heard_at: start,
            is_told,
        }
    }

    /// Plays to the end. Returns how many resumes, resets, handled requests, received messages and ended calls there were.
    pub(crate) fn play(mut self) -> [u64; 5] {
        for _ in 0..20 + self.chance.below(60) {
            self.act();
            let longest = if self.chance.one_in(12) { 40_000 } else { 600 };
            let time = Duration::from_millis(self.chance.below(longest));
            self.run_for(time);
        }
        self.simulation.set_network(Network::default());
        self.run_for(Duration::from_secs(300));
        self.rest();
        self.shut_down();
        let sum = |count: fn(&Person) -> u64| self.people.iter().map(count).sum();
        [
            sum(|person| person.resumed),
            sum(|person| person.reset),
            self.log.lock().handled.len() as u64,
            sum(|person| person.received),
            sum(|person| person.replies),
        ]
    }

    fn act(&mut self) {
        let channel = CHANNELS[self.chance.below(3) as usize];
        let number = self.chance.below(self.people.len() as u64) as usize;
        let now = self.simulation.now();
        let hub = self.simulation.server().hub().clone();
        match if self.is_flooded && self.chance.one_in(3) { 15 } else { self.chance.below(20) } {
            0..=9 => {
                let machine = self.simulation.client(number);
                self.people[number].act(machine, channel, &mut self.chance, now);
            }
            10..=12 => publish(&self.log, &hub, channel),
            13 | 14 => {
                if let Some(id) = self.somebody(number) {
                    send(&self.log, &hub, id, 0);
                }
            }
            15 if self.is_flooded => {
                if let Some(id) = self.somebody(number) {
                    // Too many bytes for one who is slow, or too many frames.
                    let filling = [250, 700][self.chance.below(2) as usize];
                    for _ in 0..self.chance.below(400) {
                        send(&self.log, &hub, id, filling);
                    }
                }
            }
            16 | 17 => {
                if let Some(session) = self.somebody(number).and_then(|id| hub.session(id)) {
                    if self.chance.one_in(2) {
                        put_in(&self.log, &session, channel);
                    } else {
                        session.leave(channel);
                    }
                }
            }
            18 if self.chance.one_in(3) => {
                let time = Duration::from_millis(self.chance.below(90_000));
                self.simulation.put_to_sleep(number, time);
            }
            19 if self.chance.one_in(10) => {
                self.hear();
                self.people.iter_mut().for_each(Person::excuse);
                // What the old one still does, nobody sees: it is dead.
                let handled = self.log.lock().handled.clone();
                let log = Shared::new(Mutex::new(Log { handled, ..Log::default() }));
                self.past.push(std::mem::replace(&mut self.log, log));
                let server =
                    serve(&self.runtime, &self.log, self.is_strict, self.is_flooded, &mut self.chance);
                self.simulation.replace_server(server);
            }
            _ => self.simulation.set_network(bad_network(self.is_flooded, &mut self.chance)),
        }
    }

    /// The session that a person is in, as far as it knows.
    fn somebody(&self, number: usize) -> Option<ClientId> {
        self.people[number].id
    }

    fn run_for(&mut self, time: Duration) {
        self.simulation.run_for(time);
        self.hear();
        self.check_memory();
    }

    /// Both sides keep what they may, and no more.
    fn check_memory(&mut self) {
        let service = self.simulation.server().service();
        let (parked, max_parked) = (service.parked_sessions(), service.config().max_parked);
        assert!(parked <= max_parked, "{parked} are parked, of at most {max_parked}");
        let (max_frames, max_bytes) = (service.config().max_kept_frames, service.config().max_kept_bytes);
        for number in 0..self.people.len() {
            let (frames, bytes) = self.simulation.kept_by_server(number);
            assert!(
                frames <= max_frames.max(512) && bytes <= max_bytes.max(256 * 1024),
                "the server keeps {frames} frames, {bytes} bytes"
            );
            let (frames, bytes) = self.simulation.kept(number);
            let machine = self.simulation.client(number);
            // In another session channels are joined again, whatever waits.
            let max = machine.config().max_kept_frames + ALL_CHANNELS;
            assert!(
                frames <= max && bytes <= machine.config().max_kept_bytes,
                "{frames} frames, {bytes} bytes"
            );
        }
    }

    fn hear(&mut self) {
        while let Some((number, event)) = self.simulation.poll_event() {
            if self.is_told {
                println!("{:?} {number}: {event:?}", self.simulation.now().duration_since(self.start));
            }
            let config = self.simulation.server().service().config();
            self.people[number].hear(event, self.heard_at, &mut self.log.lock(), config);
        }
        self.heard_at = self.simulation.now();
        for number in 0..self.people.len() {
            for (channel, from, late) in self.people[number].take_late() {
                assert!(
                    self.people[from].may_be_late(late),
                    "{number} heard {from}'s {late} in {channel} late"
                );
            }
        }
    }

    fn rest(&mut self) {
        for (number, person) in self.people.iter().enumerate() {
            let session = person.id.and_then(|id| self.simulation.server().hub().session(id));
            let members = session.expect("a living session at rest").channels();
            person.rest(self.simulation.client(number), &self.log.lock(), &members);
            for (channel, from, before, after) in person.steps() {
                let lost = self.people[*from].lost(channel, *before, *after, person);
                assert_eq!(lost, None, "{number} did not hear {from} in {channel}, where it was");
            }
        }
        let server = self.simulation.server();
        assert_eq!(server.hub().sessions(), self.people.len() + server.service().parked_sessions());
    }

    /// Every session that has begun has ended, once.
    fn shut_down(&mut self) {
        let service = self.simulation.server().service().clone();
        let (runtime, draining) = (self.runtime.clone(), service.clone());
        let done = Arc::new(Mutex::new(false));
        let is_done = done.clone();
        self.runtime.spawn(async move {
            driver::drain(&runtime, &draining).await;
            *is_done.lock() = true;
        });
        self.simulation.run_for(Duration::from_secs(30));
        assert!(*done.lock());
        assert_eq!(
            (service.hub().sessions(), service.hub().channels(), service.parked_sessions()),
            (0, 0, 0)
        );
        self.runtime.shut_down();
        for log in self.past.iter().chain([&self.log]) {
            let log = log.lock();
            for (id, opened) in &log.opened {
                let closed = log.closed.get(id).map_or(0, Vec::len);
                assert_eq!((*opened, closed), (1, 1), "{id}: {:?}", log.closed.get(id));
            }
        }
    }
}

fn bad_network(is_flooded: bool, chance: &mut Chance) -> Network {
    let mut network = Network::default();
    network.delay = Duration::from_millis([0, 20, 400][chance.below(3) as usize]);
    network.breaks_after = Some(Duration::from_millis([300, 3000, 20_000][chance.below(3) as usize]));
    network.notices_after = Duration::from_millis([0, 1000, 60_000][chance.below(3) as usize]);
    network.connects_in = Duration::from_millis([0, 300][chance.below(2) as usize]);
    network.refuses_one_in = [0, 2, 10][chance.below(3) as usize];
    network.slow_one_in = [0, 5][chance.below(2) as usize];
    if is_flooded {
        network.bytes_per_second = [0, 30_000, 100_000][chance.below(3) as usize];
    }
    network.capacity = [0, 300, 8000][chance.below(3) as usize];
    network
}
