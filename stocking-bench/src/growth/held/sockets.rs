//! The same where each write is a system call: server and load are two threads of this process, so that there are half as many
//! members as it may have open files.

use std::{
    cell::RefCell,
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use stocking_tokio::{Io, Socket, Tokio, driver::Driver};
use tokio::{net::TcpListener, runtime::Builder, sync::oneshot};

use super::{Holds, Lines, MESSAGES, Timed};
use crate::{
    Result,
    growth::{memory::MEMBERS, world::Way},
    load::{self, Dialect, Length, Meter, Target},
    measure::{Cores, raise_open_files},
    report::Line,
    servers::stocking,
    workload::{Shape, Workload},
};

pub(super) fn ask(way: Way, cores: Cores) -> Result<Vec<Line>> {
    let most = (raise_open_files() as usize).saturating_sub(200) / 2;
    let mut lines = Lines::new();
    for members in MEMBERS.iter().filter(|members| **members >= 1000) {
        eprint!("\r\x1b[K{members} members over sockets, and the thread");
        let members = (*members).min(most);
        let server = Server::start(way, cores)?;
        let shape = Shape::FanOut { members, burst: 1 };
        let workload = Workload { name: "held", what: "", shape, payload: 128 };
        let length = Length::Messages((MESSAGES * members) as u64);
        load::run(&Target::plain(server.address), Dialect::Stocking, &workload, length, &server)?;
        lines.add(members, server.holds.take());
        if members == most {
            break;
        }
    }
    Ok(lines.0.into())
}

/// A server on a thread of its own, which ends with this value.
struct Server {
    address: SocketAddr,
    timed: Timed,
    holds: RefCell<Holds>,
    _end: oneshot::Sender<()>,
}

impl Server {
    fn start(way: Way, cores: Cores) -> Result<Self> {
        let (end, ended) = oneshot::channel();
        let (say, heard) = mpsc::channel();
        cores.for_server(|| thread::spawn(move || run(way, ended, &say)));
        let (address, timed) = heard.recv()?;
        Ok(Self { address, timed, holds: RefCell::default(), _end: end })
    }
}

fn run(way: Way, ended: oneshot::Receiver<()>, say: &mpsc::Sender<(SocketAddr, Timed)>) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let timed = Timed::new(Tokio::current());
        say.send((listener.local_addr()?, timed.clone()))?;
        let service = Arc::new(stocking());
        tokio::spawn(timed.bystander());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (runtime, service) = (timed.clone(), service.clone());
                match way {
                    Way::AtOnce => {
                        let driver = Driver::new(runtime, Socket::from(stream), service);
                        tokio::spawn(timed.connection(driver));
                    }
                    Way::Queued => {
                        let driver = Driver::new(runtime, Io(stream), service);
                        tokio::spawn(timed.connection(driver));
                    }
                }
            }
        });
        ended.await.ok();
        Ok(())
    })
}

/// The load asks when its members are there, and again when all have heard everything, before they go.
impl Meter for Server {
    fn cpu(&self) -> Result<Duration> {
        match self.timed.end() {
            Some(holds) => drop(self.holds.replace(holds)),
            None => self.timed.begin(),
        }
        Ok(Duration::ZERO)
    }

    fn memory(&self) -> Result<u64> {
        Ok(0)
    }
}
