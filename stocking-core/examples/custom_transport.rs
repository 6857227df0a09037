//! A transport of your own, without any runtime: `cargo run -p stocking-core --example custom_transport`
//!
//! Where there is tokio, take `stocking-tokio`; where there is another runtime, implement the three traits of
//! [`stocking_core::driver`]. This is for the rest: a serial line, a QUIC stream, a thread for every connection. It is
//! the whole loop over [`Connection`], here with a Unix socket, blocking reads and writes, and threads; a conversation
//! with tungstenite's client shows that it works.

#![expect(
    clippy::disallowed_methods,
    reason = "the core has no clock and no threads: who drives it lends them"
)]

use std::{
    error::Error,
    future::{Future, poll_fn},
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    pin::pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{self, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use stocking_core::{
    Connection, Context, Result, Router, Service,
    connection::{CloseReason, ConnectionEvent},
};
use tungstenite::Message;

/// Serves one client, and says why its connection ended.
fn serve(mut stream: UnixStream, service: Arc<Service>) -> io::Result<Option<CloseReason>> {
    // A blocking write that takes too long is an error.
    stream.set_write_timeout(Some(service.config().write_timeout))?;
    let mailbox = Arc::new(Mailbox::default());
    let (reader, letters) = (stream.try_clone()?, mailbox.clone());
    let reader = thread::spawn(move || read(reader, &letters));

    let waker = Waker::from(mailbox.clone());
    let mut connection = Connection::new(service, Instant::now());
    let mut output = Vec::new();
    let mut reason = None;
    loop {
        // First what the connection wants of the world. There may be more than one write's worth, hence the loop.
        loop {
            connection.poll_transmit(Instant::now(), &mut output, &waker);
            // Requests that have to wait, for a database say. On one thread each; an executor would do as well.
            while let Some(task) = connection.poll_task() {
                thread::spawn(|| block_on(task));
            }
            if output.is_empty() {
                break;
            }
            // A blocking write takes everything. One that takes a part keeps the rest apart, writes it first the next
            // time, and tells its length: `connection.handle_unsent(rest.len(), now)`.
            if stream.write_all(&output).is_err() {
                connection.handle_eof();
            }
            output.clear();
        }
        if let Some(ConnectionEvent::Closing(why)) = connection.poll_event() {
            reason = Some(why);
        }
        if connection.wants_shutdown() {
            // Fails where the peer has gone: the next read tells.
            stream.shutdown(Shutdown::Write).ok();
        }
        let Some((due, _)) = connection.poll_timeout() else { break };

        // Then what the world has for the connection: whichever comes first.
        match mailbox.wait(connection.wants_input(), due) {
            News::Input(mut bytes) => connection.handle_input(&mut bytes, Instant::now(), &mut output),
            News::End => connection.handle_eof(),
            News::Due => connection.handle_timeout(Instant::now(), &mut output),
            News::Woken => {}
        }
    }
    // Lets the reader go, wherever it waits.
    mailbox.change(|letters| letters.input.clear());
    stream.shutdown(Shutdown::Both).ok();
    reader.join().ok();
    Ok(reason)
}

/// What a connection waits for, all in one place, so that one thread can wait for it.
#[derive(Default)]
struct Mailbox {
    letters: Mutex<Letters>,
    changed: Condvar,
}

#[derive(Default)]
struct Letters {
    input: Vec<u8>,
    has_ended: bool,
    is_woken: bool,
}

enum News {
    /// Bytes have come.
    Input(Vec<u8>),
    /// No more will come.
    End,
    /// There is something to write: a broadcast, or the answer of a request that had to wait.
    Woken,
    /// It is time.
    Due,
}

impl Mailbox {
    /// Waits for the first of everything; not for input where none is wanted, which slows its sender down.
    fn wait(&self, wants_input: bool, due: Instant) -> News {
        let mut letters = self.lock();
        loop {
            if std::mem::take(&mut letters.is_woken) {
                return News::Woken;
            }
            if wants_input && !letters.input.is_empty() {
                self.changed.notify_all();
                return News::Input(std::mem::take(&mut letters.input));
            }
            if wants_input && letters.has_ended {
                return News::End;
            }
            let rest = due.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return News::Due;
            }
            letters = self.changed.wait_timeout(letters, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Changes something, and has whoever waits look again.
    fn change(&self, change: impl FnOnce(&mut Letters)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `poll_transmit` leaves a waker behind: whoever has something for this client calls it, on any thread.
impl Wake for Mailbox {
    fn wake(self: Arc<Self>) {
        self.change(|letters| letters.is_woken = true);
    }
}

/// Puts what the stream brings into the mailbox, one read at a time.
fn read(mut stream: UnixStream, mailbox: &Mailbox) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = stream.read(&mut buffer).unwrap_or(0);
        let mut letters = mailbox.lock();
        while !letters.input.is_empty() {
            letters = mailbox.changed.wait(letters).unwrap_or_else(PoisonError::into_inner);
        }
        drop(letters);
        mailbox.change(|letters| {
            letters.input.extend(buffer.iter().take(length));
            letters.has_ended = length == 0;
        });
        if length == 0 {
            return;
        }
    }
}

/// Runs a future to its end on this thread.
fn block_on(work: impl Future<Output = ()>) {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut work = pin!(work);
    while work.as_mut().poll(&mut task::Context::from_waker(&waker)).is_pending() {
        thread::park();
    }
}

// From here on nothing is particular to a transport: an application, and a client that tries it.

async fn greet(_: Context, name: String) -> Result<String> {
    Ok(format!("Hello {name}"))
}

async fn subscribe(ctx: Context, (): ()) -> Result<()> {
    Ok(ctx.session().join("news")?)
}

/// Answers from another thread, a little later.
async fn later(_: Context, text: String) -> Result<String> {
    let mut is_asked = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_asked, true) {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            waker.wake();
        });
        Poll::Pending
    })
    .await;
    Ok(text)
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let service: Arc<Service> =
        Router::new().on("greet", greet).on("later", later).on("subscribe", subscribe).into();
    let hub = service.hub().clone();
    let (near, far) = UnixStream::pair()?;
    let server = thread::spawn(move || serve(far, service));

    let (mut client, _) = tungstenite::client("ws://localhost/ws", near)?;
    // Each line: what the client sends, and what it receives then.
    let conversation = [
        (None, "0"),
        (Some(r#"4,1,{"e":"greet","p":"doge"}"#), r#"4,1,{"c":-1,"p":"Hello doge"}"#),
        (Some(r#"4,2,{"e":"later","p":"so late"}"#), r#"4,2,{"c":-1,"p":"so late"}"#),
        (Some(r#"4,3,{"e":"subscribe"}"#), r#"4,3,{"c":-1,"p":null}"#),
        // Not asked for: the server's waker is what brings it.
        (None, "5,news,it is snowing"),
        (Some("2"), "close 1000"),
    ];
    for (request, expected) in conversation {
        if let Some(request) = request {
            println!("> {request}");
            client.send(Message::text(request))?;
        }
        let received = match client.read()? {
            Message::Close(Some(frame)) => format!("close {}", frame.code),
            message => message.into_text()?.to_string(),
        };
        println!("< {received}");
        assert_eq!(received, expected);
        if request.is_some_and(|request| request.contains("subscribe")) {
            hub.broadcast("news", "it is snowing")?;
        }
    }
    // Reading on sends the client's part of the closing handshake.
    while client.read().is_ok() {}
    let reason = server.join().map_err(|_| "the server panicked")??;
    assert_eq!(reason, Some(CloseReason::Left));
    println!("the connection ended: goodbye");
    Ok(())
}
