//! A client and a server that says anything, at any time, over connections that break.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use stocking_core::{
    Payload,
    client::{ClientConfig, ClientEvent, ClientMachine},
};

/// The answer to an upgrade whose key is made of zeroes.
const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n\x81\x010";

const OPENED: &str = r#"0,0,{"id":"@1AAAAAAAAAAAAAAAAAAAAA","key":"secret","ttl":120,"ping":25,"max":100}"#;

const MAX_KEPT: usize = 1000;

struct World {
    client: ClientMachine,
    now: Instant,
    calls: BTreeSet<u64>,
    has_ended: bool,
}

/// What a client promises whatever its server does: it does not panic, each call ends once, nothing follows its end, and it
/// always says when it is to be looked at again.
pub fn client(data: &[u8]) {
    let now = Instant::now();
    let config = ClientConfig::new().max_kept_bytes(MAX_KEPT).max_message_size(1000).max_events(8);
    let client = ClientMachine::new("ws://localhost/ws", config, now).expect("a URL");
    let client = client.with_random(|bytes| bytes.fill(0));
    let mut world = World { client, now, calls: BTreeSet::new(), has_ended: false };
    let mut rest = data;
    while let [act, length, following @ ..] = rest {
        let (argument, following) = following.split_at(usize::from(*length).min(following.len()));
        rest = following;
        world.act(*act, argument, *length);
        world.settle();
    }
    // Whatever has happened, it ends when it is told to.
    world.client.close(world.now);
    world.now += Duration::from_secs(20);
    world.client.handle_timeout(world.now);
    world.settle();
    world.now += Duration::from_secs(20);
    world.client.handle_timeout(world.now);
    world.settle();
    assert!(world.client.is_ended());
    assert!(world.calls.is_empty(), "calls that never ended: {:?}", world.calls);
}

impl World {
    fn act(&mut self, act: u8, argument: &[u8], length: u8) {
        let text = String::from_utf8_lossy(argument);
        match act % 12 {
            0 | 1 => self.say(argument),
            2 => self.client.handle_input(argument, self.now),
            3 => self.client.handle_eof(self.now),
            4 => {
                self.now += Duration::from_secs(u64::from(length));
                self.client.handle_timeout(self.now);
            }
            5 => self.connect(),
            6 => self.say(OPENED.as_bytes()),
            7 => {
                let timeout = Duration::from_secs(u64::from(length));
                if let Ok(call) = self.client.call(&text, &Payload::null(), timeout, self.now) {
                    assert!(self.calls.insert(call.get()), "an id is used twice");
                }
            }
            8 => drop(self.client.join(&text)),
            9 => drop(self.client.leave(&text)),
            10 => drop(self.client.broadcast("news", &text)),
            _ => {
                self.client.poll_transmit(&mut Vec::new());
            }
        }
    }

    fn say(&mut self, text: &[u8]) {
        let mut frame = vec![0x81, text.len().min(125) as u8];
        frame.extend(text.iter().take(125));
        self.client.handle_input(&frame, self.now);
    }

    fn connect(&mut self) {
        if let Some(at) = self.client.poll_timeout() {
            self.now = self.now.max(at);
        }
        self.client.handle_timeout(self.now);
        if self.client.poll_connect(self.now) {
            self.client.handle_connected(self.now);
            self.client.handle_input(ACCEPTED, self.now);
        }
    }

    fn settle(&mut self) {
        while let Some(event) = self.client.poll_event() {
            assert!(!self.has_ended, "after the end: {event:?}");
            match event {
                ClientEvent::Reply { call, .. } => {
                    assert!(self.calls.remove(&call.get()), "a call ends twice");
                }
                ClientEvent::Ended { unknown, unsent, .. } => {
                    self.has_ended = true;
                    let kept: usize = unknown.iter().chain(&unsent).map(|frame| frame.as_str().len()).sum();
                    // Channels that are joined again come on top.
                    assert!(kept <= 2 * MAX_KEPT, "{kept}");
                }
                _ => {}
            }
        }
        assert_eq!(self.client.poll_timeout().is_none(), self.client.is_ended());
    }
}
