//! A connection's bytes, over TCP or TLS.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustix::{
    fd::{AsFd, BorrowedFd},
    net::{AddressFamily, SocketType, sockopt},
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::Result;

/// How long a server has for each step of the beginning.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections from one address of the loopback network: it has 28,000 ports by default, and some are taken.
const PER_ADDRESS: usize = 20_000;

/// Where a server is, and how it is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Whom to trust, where it speaks TLS.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

impl Target {
    pub(crate) const fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    /// TLS to a server whose certificate is in this file.
    pub(crate) fn tls(address: SocketAddr, certificate: &Path) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let pem = fs::read(certificate).map_err(|error| format!("{}: {error}", certificate.display()))?;
        roots.add(CertificateDer::from_pem_slice(&pem)?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { address, tls: Some(Arc::new(config)) })
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Connects the `number`th connection of a load; it blocks until it is told not to.
    pub(crate) fn connect(target: &Target, number: usize) -> Result<Self> {
        let socket = connect(target.address, number)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let Some(config) = &target.tls else { return Ok(Self::Plain(socket)) };
        let name = ServerName::try_from("localhost")?;
        let connection = ClientConnection::new(config.clone(), name)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        self.socket().set_nonblocking(true)
    }

    /// Has the kernel acknowledge what is read when it is read, on this processor. By itself it does so only for who listens; for
    /// who has spoken lately it waits for another segment, and acknowledges in the system call of whoever sends that. What a
    /// server's messages cost it must not depend on whether its members were let in by a path or by a message.
    pub(crate) fn acknowledge_at_once(&self) -> io::Result<()> {
        Ok(sockopt::set_tcp_quickack(self, true)?)
    }

    /// Whether what was received may be here already, so that the socket alone does not say that there is more.
    pub(crate) const fn holds_back(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    const fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

/// By `connect` of the standard library from the usual address; with more connections than that has ports, from its
/// neighbours.
fn connect(address: SocketAddr, number: usize) -> io::Result<TcpStream> {
    let neighbour = number / PER_ADDRESS;
    if neighbour == 0 || !address.ip().is_loopback() || !address.is_ipv4() {
        return TcpStream::connect(address);
    }
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    let source = Ipv4Addr::new(127, 0, 0, u8::try_from(1 + neighbour).map_err(io::Error::other)?);
    rustix::net::bind(&socket, &SocketAddr::from((source, 0)))?;
    rustix::net::connect(&socket, &address)?;
    Ok(TcpStream::from(socket))
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}
