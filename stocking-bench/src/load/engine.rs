//! All connections of a load on one thread and one epoll.

use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    fd::OwnedFd,
};

use super::{
    client::{Client, Conversation, Say},
    dialect::{Dialect, Role},
    stream::Target,
};
use crate::Result;

/// How many connections begin at a time: no more than the shortest usual queue of a listener.
const AT_A_TIME: usize = 100;

/// The connections, and what they share.
pub(crate) struct Engine {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    clients: Vec<Client>,
    /// Whether epoll was asked to tell when a client may write.
    writing: Vec<bool>,
    buffer: Vec<u8>,
    out: Vec<u8>,
}

impl Engine {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(1024),
            clients: Vec::new(),
            writing: Vec::new(),
            buffer: vec![0; 256 * 1024],
            out: Vec::with_capacity(64 * 1024),
        })
    }

    /// Opens so many connections of a role, and sees each through its beginning.
    pub(crate) fn open(&mut self, target: &Target, dialect: Dialect, role: Role, count: usize) -> Result<()> {
        let mut missing = count;
        while missing > 0 {
            let now = missing.min(AT_A_TIME);
            missing -= now;
            let first = self.clients.len();
            for number in first..first + now {
                self.clients.push(Client::begin(target, dialect, role, number)?);
                self.writing.push(false);
            }
            let batch = &mut self.clients[first..];
            batch.iter_mut().try_for_each(Client::upgraded)?;
            for (say, expect) in dialect.opening(role) {
                if let Some(text) = say {
                    batch.iter_mut().try_for_each(|client| client.say(text))?;
                }
                if let Some(text) = expect {
                    batch.iter_mut().try_for_each(|client| client.expect(text))?;
                }
            }
            for (index, client) in (first..).zip(batch) {
                client.opened()?;
                let data = epoll::EventData::new_u64(index as u64);
                epoll::add(&self.epoll, &client.stream, data, epoll::EventFlags::IN)?;
            }
        }
        Ok(())
    }

    /// Has a client say something, all in one write.
    pub(crate) fn send(&mut self, index: usize, fill: impl FnOnce(&mut Say<'_>)) -> Result<()> {
        self.clients[index].send(&mut self.out, fill)?;
        self.watch(index)
    }

    /// Waits until something comes, a tenth of a second at most, and has it heard and answered.
    pub(crate) fn turn(&mut self, conversation: &mut impl Conversation) -> Result<()> {
        let patience = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&patience)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for at in 0..self.events.len() {
            let event = self.events[at];
            let (index, flags) = (event.data.u64() as usize, event.flags);
            let client = &mut self.clients[index];
            if flags.contains(epoll::EventFlags::OUT) {
                client.write_more()?;
            }
            if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
                client
                    .read(index, &mut self.buffer, &mut self.out, conversation)
                    .map_err(|error| format!("connection {index}: {error}"))?;
            }
            self.watch(index)?;
        }
        Ok(())
    }

    /// Asks epoll for what the client waits for.
    fn watch(&mut self, index: usize) -> Result<()> {
        let client = &self.clients[index];
        if client.is_waiting() != self.writing[index] {
            self.writing[index] = client.is_waiting();
            let mut flags = epoll::EventFlags::IN;
            flags.set(epoll::EventFlags::OUT, self.writing[index]);
            epoll::modify(&self.epoll, &client.stream, epoll::EventData::new_u64(index as u64), flags)?;
        }
        Ok(())
    }
}
