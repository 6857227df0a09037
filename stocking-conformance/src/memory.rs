//! The pair in memory as a backend: the core's own test runtime and pipes, with sockets at the far ends of the pipes.
//!
//! The server sees no socket, and no clock but the virtual one, which here follows the real one.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use stocking_core::{
    driver::{Listener, Runtime, Transport, serve as serve_on},
    testing::{Pipe, TestRuntime, pipe},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{
        Notify,
        mpsc::{self, error::TryRecvError},
        oneshot,
    },
    task::unconstrained,
    time::sleep,
};

use crate::Serving;

/// How long a timer, or a wake-up by another thread, may go unnoticed: the test runtime tells nobody of either.
const TICK: Duration = Duration::from_millis(1);

const CAPACITY: usize = 64 * 1024;

/// Serves on the deterministic test runtime, on this thread.
///
/// # Errors
///
/// Those of the listener.
pub fn serve(serving: Serving) -> io::Result<()> {
    let Serving { listener, service, stop } = serving;
    // The budget of a tokio task would be refilled only where the test runtime has nothing left to run.
    Builder::new_current_thread().enable_all().build()?.block_on(unconstrained(async {
        let runtime = TestRuntime::new(Instant::now());
        let moved = Arc::new(Notify::new());
        let (pumping, mut pumps) = mpsc::channel(1);
        let listener = Sockets { listener: TcpListener::from_std(listener)?, moved: moved.clone(), pumping };
        let serve = serve_on(runtime.clone(), listener, service).with_graceful_shutdown(stop);
        let (end, served) = oneshot::channel();
        runtime.spawn(async { drop(end.send(serve.await)) });
        loop {
            runtime.advance(Instant::now().saturating_duration_since(runtime.now()));
            // `serve` gives up on some connections, which end later, by their own limits.
            if pumps.try_recv() == Err(TryRecvError::Disconnected) {
                return served.await.expect("the listener is dropped by `serve`");
            }
            tokio::select! {
                () = moved.notified() => {}
                () = sleep(TICK) => {}
            }
        }
    }))
}

/// Makes a pipe of every connection.
struct Sockets {
    listener: TcpListener,
    moved: Arc<Notify>,
    pumping: mpsc::Sender<()>,
}

impl Listener for Sockets {
    type Io = ServerEnd;

    async fn accept(&mut self) -> io::Result<(ServerEnd, Option<SocketAddr>)> {
        let (socket, address) = self.listener.accept().await?;
        socket.set_nodelay(true).ok();
        let (near, far) = pipe(CAPACITY);
        let (alive, gone) = oneshot::channel();
        let (moved, pumping) = (self.moved.clone(), self.pumping.clone());
        tokio::spawn(async move {
            pump(socket, near, gone, &moved).await;
            drop(pumping);
        });
        Ok((ServerEnd { pipe: far, _alive: alive }, Some(address)))
    }
}

/// The server's end, which closes when it is dropped, as a socket does.
struct ServerEnd {
    pipe: Pipe,
    _alive: oneshot::Sender<()>,
}

impl Transport for ServerEnd {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.pipe.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.pipe.poll_write(cx, buffers)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.poll_close(cx)
    }
}

impl Drop for ServerEnd {
    fn drop(&mut self) {
        self.pipe.shut_down();
    }
}

/// Carries bytes between a socket and the client's end of a pipe, until both directions have ended or the server has gone.
async fn pump(socket: TcpStream, pipe: Pipe, gone: oneshot::Receiver<()>, moved: &Notify) {
    let (mut from_client, mut to_client) = socket.into_split();
    let up = async {
        let mut pipe = pipe.clone();
        let mut buffer = vec![0; CAPACITY / 4];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            let mut rest = &buffer[..length];
            while !rest.is_empty() {
                let Ok(taken) = poll_fn(|cx| pipe.poll_write(cx, &[IoSlice::new(rest)])).await else {
                    return;
                };
                moved.notify_one();
                rest = &rest[taken..];
            }
        }
        pipe.shut_down();
        moved.notify_one();
    };
    let up = async {
        tokio::select! {
            () = up => {}
            _ = gone => {}
        }
    };
    let down = async {
        let mut pipe = pipe.clone();
        let mut buffer = vec![0; CAPACITY / 4];
        while let Ok(length @ 1..) = poll_fn(|cx| pipe.poll_read(cx, &mut buffer)).await {
            moved.notify_one();
            if to_client.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
        to_client.shutdown().await.ok();
    };
    tokio::join!(up, down);
}
