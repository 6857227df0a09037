//! A connection that a test drives by hand, on whichever thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
    time::Instant,
};

use stocking_core::{Connection, Service, testing::TestClient};

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[derive(Default)]
pub(crate) struct Flag(pub(crate) AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct Peer {
    pub(crate) connection: Connection,
    pub(crate) woken: Arc<Flag>,
}

impl Peer {
    pub(crate) fn new(service: &Arc<Service>, now: Instant) -> Self {
        let mut peer = Self { connection: Connection::new(service.clone(), now), woken: Arc::default() };
        assert!(peer.send(UPGRADE.as_bytes().to_vec(), now).ends_with("\u{1}0"));
        peer
    }

    /// What is answered, headers of frames and all.
    pub(crate) fn send(&mut self, mut bytes: Vec<u8>, now: Instant) -> String {
        let mut output = Vec::new();
        self.connection.handle_input(&mut bytes, now, &mut output);
        self.transmit(now, output)
    }

    pub(crate) fn transmit(&mut self, now: Instant, mut output: Vec<u8>) -> String {
        self.connection.poll_transmit(now, &mut output, &Waker::from(self.woken.clone()));
        String::from_utf8_lossy(&output).into_owned()
    }
}

/// A session, its id and its key.
pub(crate) fn open(service: &Arc<Service>, now: Instant) -> (Peer, String, String) {
    let mut peer = Peer::new(service, now);
    let opened = peer.send(TestClient::text("0,0,"), now);
    let parts: Vec<&str> = opened.split('"').collect();
    let (id, key) = (parts[3].to_owned(), parts[7].to_owned());
    (peer, id, key)
}
