//! The floor on tokio: a task for each connection on the current-thread runtime, `poll_read` into one buffer of the thread, the
//! bytes back in one write. What a server on tokio cannot be cheaper than.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    net::TcpListener,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite as _, AsyncWriteExt as _, ReadBuf},
    net::{TcpStream, tcp::OwnedWriteHalf},
    runtime::Builder,
};

use super::{
    Options,
    floor_epoll::{JOINED, Role, UPGRADED},
};
use crate::Result;

/// Who hears what is published.
type Members = Mutex<Vec<Arc<OwnedWriteHalf>>>;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}

pub(super) fn run(listener: TcpListener, _: Options) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let members = Arc::new(Members::default());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(connection(stream, members.clone()));
        }
    })
}

async fn connection(mut stream: TcpStream, members: Arc<Members>) -> io::Result<()> {
    let role = read(&mut stream, Role::of).await??;
    stream.write_all(UPGRADED).await?;
    match role {
        Role::New | Role::Caller => loop {
            let rest = echo(&mut stream).await?;
            stream.write_all(&rest).await?;
        },
        Role::Member => {
            stream.write_all(JOINED).await?;
            let (mut reader, writer) = stream.into_split();
            members.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(writer));
            loop {
                read(&mut reader, |_| ()).await?;
            }
        }
        Role::Publisher => loop {
            let (bytes, full) = read(&mut stream, |bytes| publish(&members, bytes)).await?;
            for (member, written) in full {
                write_rest(&member, &bytes[written..]).await?;
            }
        },
    }
}

/// Sends back what comes, from where it lies; returns what the socket did not take.
async fn echo(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    poll_fn(|cx| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            let bytes = buffer.filled();
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into()).into();
            }
            match Pin::new(&mut *stream).poll_write(cx, bytes) {
                Poll::Ready(written) => Ok(bytes[written?..].to_vec()).into(),
                Poll::Pending => Ok(bytes.to_vec()).into(),
            }
        })
    })
    .await
}

/// Waits for bytes, and does something with them where they are.
async fn read<T>(mut stream: impl AsyncRead + Unpin, mut act: impl FnMut(&[u8]) -> T) -> io::Result<T> {
    poll_fn(|cx| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut stream).poll_read(cx, &mut buffer))?;
            match buffer.filled() {
                [] => io::Result::Err(io::ErrorKind::UnexpectedEof.into()).into(),
                bytes => Ok(act(bytes)).into(),
            }
        })
    })
    .await
}

/// Whose sockets did not take all of it, and how much they took.
type Full = Vec<(Arc<OwnedWriteHalf>, usize)>;

/// Writes to everybody, from where the bytes lie; a copy of them is for those that could not take all.
fn publish(members: &Members, bytes: &[u8]) -> (Vec<u8>, Full) {
    let mut full = Vec::new();
    for member in members.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        match member.try_write(bytes) {
            Ok(written) if written < bytes.len() => full.push((member.clone(), written)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => full.push((member.clone(), 0)),
            // Its own task hears of an end.
            Ok(_) | Err(_) => {}
        }
    }
    (if full.is_empty() { Vec::new() } else { bytes.to_vec() }, full)
}

async fn write_rest(member: &OwnedWriteHalf, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        member.writable().await?;
        match member.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}
