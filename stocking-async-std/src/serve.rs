//! Serving: a listener, one accepted stream, or one upgraded elsewhere.

use std::{
    future::{Future, Pending},
    io,
    net::SocketAddr,
    sync::Arc,
};

use futures_io::{AsyncRead, AsyncWrite};
use stocking_core::{
    Service,
    driver::{self, Listener, SharedWriter},
};

#[cfg(any(feature = "async-std", feature = "smol"))]
use crate::runtime::Io;
#[cfg(feature = "smol")]
use crate::socket::OfSmol;
#[cfg(feature = "async-std")]
use crate::{async_std_stream::AsyncStd, socket::OfAsyncStd};
use crate::{runtime::AsyncIo, socket::Socket};

/// A server that runs when it is awaited: [`serve`].
pub type Serve<L, F = Pending<()>> = driver::Serve<AsyncIo, Tcp<L>, F>;

/// A listener that knows its runtime: async-std's `TcpListener`, and smol's, or one of another executor:
///
/// ```
/// use std::{io, net::{SocketAddr, TcpListener, TcpStream}, thread};
///
/// use async_io::Async;
/// use stocking_async_std::{AsyncIo, Listen, Router, serve};
///
/// struct Threads(Async<TcpListener>);
///
/// impl Listen for Threads {
///     type Stream = Async<TcpStream>;
///
///     fn runtime(&self) -> AsyncIo {
///         AsyncIo::new(|task| drop(thread::spawn(|| async_io::block_on(task))))
///     }
///
///     async fn accept(&self) -> io::Result<(Self::Stream, Option<SocketAddr>)> {
///         let (stream, address) = self.0.accept().await?;
///         Ok((stream, Some(address)))
///     }
/// }
///
/// # fn main() -> io::Result<()> {
/// let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0))?;
/// # let signal = async {};
/// async_io::block_on(async { serve(Threads(listener), Router::new()).with_graceful_shutdown(signal).await })
/// # }
/// ```
pub trait Listen: Send + Sync + Sized + 'static {
    /// The connections.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// What runs their tasks.
    fn runtime(&self) -> AsyncIo;

    /// Waits for the next connection, and its other end's address, where it has one. On TCP, small messages should be sent at
    /// once: `set_nodelay`.
    ///
    /// # Errors
    ///
    /// Those of the listener.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Option<SocketAddr>)>> + Send;

    /// A way to write to a stream past its task, for one that has it: [`Transport::try_writer`](driver::Transport::try_writer).
    fn try_writer(stream: &Self::Stream) -> Option<SharedWriter> {
        let _ = stream;
        None
    }
}

/// Serves a [`Router`](crate::Router), or a [`Service`] made of one, to everybody whom `listener` accepts.
///
/// Awaiting it never ends, unless [`with_graceful_shutdown`](driver::Serve::with_graceful_shutdown) says when.
///
/// How much the kernel takes before a client has it is the listener's to say, and left as it is: where clients are slow and
/// sessions have to survive, keep it near what a session may fall behind by
/// ([`max_kept_bytes`](crate::Config#structfield.max_kept_bytes)). What is accepted inherits it from a socket that had it before it
/// listened: make that one by the crate `socket2`, `set_send_buffer_size(256 * 1024)`, and turn it into a listener of std, and that
/// into the runtime's.
pub fn serve<L: Listen>(listener: L, service: impl Into<Arc<Service>>) -> Serve<L> {
    driver::serve(listener.runtime(), Tcp(listener), service)
}

/// Serves one client on a stream that was accepted elsewhere: a Unix socket, TLS. Its upgrade request is still to come.
///
/// What it spawns runs on async-std where that feature is on in the whole program, else on smol. For a choice of your own
/// there is [`Driver`](driver::Driver), with an [`AsyncIo`] that you name.
/// [`with_peer_address`](driver::Driver::with_peer_address) tells the connect hook where the other end is. Ends with the
/// connection. Dropping it cuts the connection; what the client asked for before is finished all the same.
///
/// A socket of async-std belongs into an `AsyncStd`, since by itself it tells its peer of no end.
#[cfg(any(feature = "async-std", feature = "smol"))]
pub fn serve_connection<S>(stream: S, service: impl Into<Arc<Service>>) -> driver::Driver<Io<S>, AsyncIo>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    driver::Driver::new(AsyncIo::default(), Io(stream), service.into())
}

/// Serves one client on a stream whose upgrade was answered elsewhere. `leftover` is what its reader had taken beyond the
/// request: the client's first frames, if it did not wait for the answer.
///
/// What the answer decided is not decided again: path, `Origin` and `Sec-WebSocket-Key` are the caller's to check, and the
/// connect hook is asked by [`Service::admit`], which gives `admission`. Runs and ends as [`serve_connection`] does.
#[cfg(any(feature = "async-std", feature = "smol"))]
pub fn serve_upgraded<S>(
    stream: S,
    leftover: impl Into<Vec<u8>>,
    admission: stocking_core::Admission,
) -> driver::Driver<Io<S>, AsyncIo>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    driver::Driver::upgraded(AsyncIo::default(), Io(stream), admission, leftover.into())
}

/// Shuts a service down whose connections came by [`serve_connection`] or [`serve_upgraded`], as [`serve`] does at its end:
/// clients are told, and get the answers to what the server has read of them before. Returns when all is done, or has had its
/// time.
#[cfg(any(feature = "async-std", feature = "smol"))]
pub async fn drain(service: &Service) {
    driver::drain(&AsyncIo::default(), service).await;
}

/// A listener, with the runtime it belongs to.
#[derive(Debug)]
pub struct Tcp<L>(pub L);

impl<L: Listen> Listener for Tcp<L> {
    type Io = Socket<L::Stream>;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        let (stream, address) = self.0.accept().await?;
        let writer = L::try_writer(&stream);
        Ok((Socket::new(stream, writer), address))
    }
}

/// The two kinds differ in their names, and in what the end of a stream needs.
macro_rules! listen {
    ($feature:literal, $runtime:expr, $listener:ty, $stream:ty, $wrap:expr, $writer:expr) => {
        #[cfg(feature = $feature)]
        impl Listen for $listener {
            type Stream = $stream;

            fn runtime(&self) -> AsyncIo {
                $runtime
            }

            async fn accept(&self) -> io::Result<(Self::Stream, Option<SocketAddr>)> {
                let (stream, address) = self.accept().await?;
                // Fails for a socket whose peer has gone already, which its first read tells.
                stream.set_nodelay(true).ok();
                Ok(($wrap(stream), Some(address)))
            }

            fn try_writer(stream: &Self::Stream) -> Option<SharedWriter> {
                Some(SharedWriter::new($writer(stream)))
            }
        }
    };
}

listen!(
    "async-std",
    AsyncIo::async_std(),
    async_std::net::TcpListener,
    AsyncStd<async_std::net::TcpStream>,
    AsyncStd,
    |stream: &AsyncStd<async_std::net::TcpStream>| OfAsyncStd(stream.0.clone())
);
listen!(
    "smol",
    AsyncIo::smol(),
    async_net::TcpListener,
    async_net::TcpStream,
    std::convert::identity,
    |stream: &async_net::TcpStream| OfSmol(stream.clone().into())
);
