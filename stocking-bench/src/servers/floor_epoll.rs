//! The floor: what the kernel asks for, and nothing else. Raw epoll, level-triggered; the bytes of a read go back, or to all
//! subscribers, in a write each.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, epoll, poll},
};

use super::Options;
use crate::Result;

pub(super) const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

/// A frame of the server that says so to a subscriber.
pub(super) const JOINED: &[u8] = b"\x81\x06joined";

/// What a connection is for: the path of its request says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    New,
    Caller,
    Member,
    Publisher,
}

impl Role {
    /// By the first bytes of a request, which the load sends in one piece.
    pub(super) fn of(request: &[u8]) -> io::Result<Self> {
        let path = request.strip_prefix(b"GET ").filter(|_| request.ends_with(b"\r\n\r\n"));
        match path.and_then(|rest| rest.split(|byte| *byte == b' ').next()) {
            Some(b"/echo") => Ok(Self::Caller),
            Some(b"/subscribe") => Ok(Self::Member),
            Some(b"/publish") => Ok(Self::Publisher),
            _ => Err(io::Error::other("not a request for the floor")),
        }
    }
}

const LISTENER: u64 = u64::MAX;

pub(super) fn run(listener: TcpListener, _: Options) -> Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
    let mut events = Vec::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    let mut connections: Vec<Option<(TcpStream, Role)>> = Vec::new();
    let mut members: Vec<u32> = Vec::new();
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            let data = event.data.u64();
            if data == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    stream.set_nonblocking(true)?;
                    let data = epoll::EventData::new_u64(connections.len() as u64);
                    epoll::add(&epoll, &stream, data, epoll::EventFlags::IN)?;
                    connections.push(Some((stream, Role::New)));
                }
                continue;
            }
            let index = data as usize;
            let Some((stream, role)) = &mut connections[index] else { continue };
            let length = match stream.read(&mut buffer) {
                Ok(0) | Err(_) => {
                    connections[index] = None;
                    continue;
                }
                Ok(length) => length,
            };
            let bytes = &buffer[..length];
            match *role {
                Role::New => {
                    *role = Role::of(bytes)?;
                    write(stream, UPGRADED)?;
                    if *role == Role::Member {
                        write(stream, JOINED)?;
                        members.push(index as u32);
                    }
                }
                Role::Caller => write(stream, bytes)?,
                Role::Member => {}
                Role::Publisher => {
                    for member in &members {
                        if let Some((stream, _)) = &mut connections[*member as usize] {
                            write(stream, bytes)?;
                        }
                    }
                }
            }
        }
    }
}

/// The floor keeps nothing: where a socket takes no more, it waits.
fn write(stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(stream, PollFlags::OUT)], None)?;
            }
            // Its next read says so too.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}
