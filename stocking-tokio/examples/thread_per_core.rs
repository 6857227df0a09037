//! A runtime of one thread on each core: `cargo run --release -p stocking-tokio --example thread_per_core [ADDRESS]`
//!
//! Each has a listener of its own for the same port, between which the system deals connections out (`SO_REUSEPORT`, on Linux;
//! elsewhere one may get them all). No task ever moves from one thread to another, and the service is one: channels and the hub
//! reach everybody. What is said in a channel of more than some sixty members is told by the thread that was the last to begin, all
//! of them: where rooms are large, take tokio's runtime of several threads. Started twice, two servers share the port, and their clients
//! do not hear each other.

use std::{
    env, io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread,
};

use stocking_tokio::{Context, Result, Router, Service, serve};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Builder,
    signal::ctrl_c,
};

async fn thread_of(_: Context, (): ()) -> Result<String> {
    Ok(format!("{:?}", thread::current().id()))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As `TcpListener::bind` has it: connections of a server that has ended are not in the way.
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// Serves on this thread. `listening` is told where.
fn run(address: SocketAddr, service: Arc<Service>, listening: impl FnOnce(SocketAddr)) -> io::Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = listen(address)?;
        listening(listener.local_addr()?);
        serve(listener, service).with_graceful_shutdown(async { drop(ctrl_c().await) }).await
    })
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let address = address.to_socket_addrs()?.next().ok_or("it has no address")?;
    let service: Arc<Service> = Router::new().on("thread", thread_of).into();
    let others = thread::available_parallelism()?.get() - 1;
    run(address, service.clone(), |address| {
        println!("ws://{address}/ws");
        println!(r#"{} threads; try  4,1,{{"e":"thread"}}  in several clients"#, others + 1);
        for _ in 0..others {
            let service = service.clone();
            thread::spawn(move || {
                if let Err(error) = run(address, service, |_| {}) {
                    eprintln!("one thread less: {error}");
                }
            });
        }
    })?;
    Ok(())
}
