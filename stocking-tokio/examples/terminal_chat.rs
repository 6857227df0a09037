//! A chat in terminals, `terminal_chat [URL] [NAME]`: what is typed in one is read in all others.
//! Start a server, and then this, twice or more often:
//!
//! ```console
//! $ cargo run -p stocking-tokio --example quickstart
//! $ cargo run -p stocking-tokio --example terminal_chat -- ws://localhost:12345/ws doge
//! $ cargo run -p stocking-tokio --example terminal_chat -- ws://localhost:12345/ws cat
//! ```
//!
//! Stop the server and start it again, or pull the network's plug: it says what was lost, if anything was.

use std::error::Error;

use stocking_tokio::{ClientEvent, client::Gap, connect};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "ws://localhost:12345/ws".into());
    let name = arguments.next().unwrap_or_else(|| "somebody".into());

    let client = connect(url)?;
    let mut events = client.events();
    let news = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                ClientEvent::Disconnected { reason, retry_in: Some(pause) }
                | ClientEvent::ConnectFailed { reason, retry_in: Some(pause) } => {
                    println!("-- {reason}; again in {} ms", pause.as_millis());
                }
                ClientEvent::Resumed => println!("-- back, and nothing is lost"),
                ClientEvent::Reset(reset) => {
                    println!("-- the session is lost; unknown of what you said: {:?}", reset.unknown);
                }
                ClientEvent::Ended { end, .. } => println!("-- {end}"),
                _ => {}
            }
        }
    });

    let mut room = client.join("chat").await?;
    println!("-- in the channel {:?}: type, and end with Ctrl-D", room.name());
    room.send(&format!("{name} has come"))?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => room.send(&format!("{name}: {line}"))?,
                None => break,
            },
            message = room.next() => match message {
                Some(Ok(message)) => println!("{message}"),
                Some(Err(Gap::SessionLost)) => println!("-- here messages may be missing"),
                Some(Err(gap)) => println!("-- {gap}"),
                None => break,
            },
        }
    }
    client.broadcast("chat", &format!("{name} has gone"))?;
    client.close().await;
    Ok(news.await?)
}
