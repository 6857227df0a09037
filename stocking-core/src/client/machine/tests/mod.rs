//! A client against a server that is written by hand, on a virtual clock.

mod acknowledging;
mod closing;
mod connecting;
mod offline;
mod resetting;
mod resuming;
mod told;
mod vectors;

use std::time::{Duration, Instant};

use tungstenite::handshake::derive_accept_key;

use crate::{
    Config, Payload,
    client::{ClientConfig, ClientEvent, ClientMachine},
    websocket::{Decoder, Step, close_frame, text_frame},
};

const OPENED: &str = r#"0,0,{"id":"@1AAAAAAAAAAAAAAAAAAAAA","key":"secret","ttl":120,"ping":25,"max":1000}"#;
const OPENED_AGAIN: &str =
    r#"0,0,{"id":"@1AAAAAAAAAAAAAAAAAAAAB","key":"another","ttl":120,"ping":25,"max":1000}"#;
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client, and what a server has seen of it.
struct World {
    client: ClientMachine,
    now: Instant,
    decoder: Decoder,
    unread: Vec<u8>,
}

impl World {
    fn new() -> Self {
        Self::with(ClientConfig::new())
    }

    #[expect(clippy::disallowed_methods, reason = "some moment: nothing depends on which")]
    fn with(config: ClientConfig) -> Self {
        let now = Instant::now();
        let client = ClientMachine::new("ws://localhost/ws", config, now).unwrap();
        let mut last = 0_u8;
        let client = client.with_random(move |bytes| {
            for byte in bytes {
                last = last.wrapping_mul(5).wrapping_add(77);
                *byte = last;
            }
        });
        Self { client, now, decoder: Decoder::default(), unread: Vec::new() }
    }

    /// A client whose first session is open.
    fn open() -> Self {
        let mut world = Self::new();
        world.upgrade();
        assert_eq!(world.sent(), ["0,0,"]);
        world.say(OPENED);
        assert!(matches!(world.events()[..], [ClientEvent::Connected { .. }]));
        world
    }

    /// Accepts the next connection, whenever that is, and confirms it.
    fn upgrade(&mut self) {
        self.accept();
        self.say("0");
    }

    /// Accepts the next connection, whenever that is.
    fn accept(&mut self) {
        self.connect();
        let request = self.output();
        let request = String::from_utf8(request).unwrap();
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        self.decoder = Decoder::default();
        self.unread.clear();
        self.client.handle_input(answer.as_bytes(), self.now);
    }

    /// Waits until the client wants a connection, and makes one.
    #[track_caller]
    fn connect(&mut self) {
        for _ in 0..10 {
            if self.client.poll_connect(self.now) {
                return self.client.handle_connected(self.now);
            }
            self.now = self.client.poll_timeout().unwrap();
            self.client.handle_timeout(self.now);
        }
        panic!("no connection is wanted");
    }

    fn output(&mut self) -> Vec<u8> {
        let mut output = Vec::new();
        loop {
            let before = output.len();
            self.client.poll_transmit(&mut output);
            if output.len() == before {
                return output;
            }
        }
    }

    /// The server says a text.
    fn say(&mut self, text: &str) {
        let mut bytes = Vec::new();
        text_frame(&mut bytes, |bytes| bytes.extend_from_slice(text.as_bytes()));
        self.client.handle_input(&bytes, self.now);
    }

    /// The server closes the WebSocket, and then the transport.
    fn close(&mut self, code: u16) {
        let mut bytes = Vec::new();
        close_frame(code, "why", &mut bytes);
        self.client.handle_input(&bytes, self.now);
        self.client.handle_eof(self.now);
    }

    fn cut(&mut self) {
        self.client.handle_eof(self.now);
    }

    /// Comes back by resuming, with the server's answer.
    #[track_caller]
    fn resume(&mut self, attempt: &str, answer: &str) {
        self.upgrade();
        assert_eq!(self.sent(), [attempt]);
        self.say(answer);
    }

    /// What the client has written since, closes as `close 1000`.
    fn sent(&mut self) -> Vec<String> {
        let bytes = self.output();
        self.unread.extend(bytes);
        let mut sent = Vec::new();
        let mut input = &mut self.unread[..];
        let config = Config::new().max_message_size(1024 * 1024);
        loop {
            match self.decoder.next(&mut input, &config, self.now, &mut Vec::new()) {
                Step::Text(text) => sent.push(text.to_owned()),
                Step::Control => sent.push("control".into()),
                Step::Close(code) => sent.push(format!("close {}", code.unwrap_or(1005))),
                Step::Incomplete => break,
                Step::Assembled(_) => panic!("a client has no need of fragments"),
                Step::Violation(violation) => panic!("{violation:?}"),
            }
        }
        assert!(input.is_empty());
        self.unread.clear();
        sent
    }

    fn events(&mut self) -> Vec<ClientEvent> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    /// Lets time pass, timers firing when they are due.
    fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.client.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            if self.client.poll_connect(self.now) {
                break;
            }
            self.client.handle_timeout(self.now);
        }
        self.now = end;
    }

    fn emit(&mut self, event: &str) {
        self.client.emit(event, &Payload::null()).unwrap();
    }

    fn call(&mut self, event: &str) -> u64 {
        self.client.call(event, &Payload::null(), TIMEOUT, self.now).unwrap().get()
    }
}

fn emitted(event: &str) -> String {
    format!(r#"4,0,{{"e":"{event}","p":null}}"#)
}

fn called(id: u64, event: &str) -> String {
    format!(r#"4,{id},{{"e":"{event}","p":null}}"#)
}

fn attempt(got: u64, attempt: u64) -> String {
    format!(r#"0,1,{{"id":"@1AAAAAAAAAAAAAAAAAAAAA","key":"secret","got":{got},"try":{attempt}}}"#)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
