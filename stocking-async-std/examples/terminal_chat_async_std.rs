//! A chat in terminals, `terminal_chat_async_std [URL] [NAME]`: what is typed in one is read in all others.
//! Start a server, and then this, twice or more often:
//!
//! ```console
//! $ cargo run -p stocking-async-std --example quickstart_async_std
//! $ cargo run -p stocking-async-std --example terminal_chat_async_std -- ws://localhost:12345/ws doge
//! $ cargo run -p stocking-async-std --example terminal_chat_async_std -- ws://localhost:12345/ws cat
//! ```
//!
//! Stop the server and start it again, or pull the network's plug: it says what was lost, if anything was.

use std::{error::Error, future::ready, io};

use async_std::{
    io::{BufReader, prelude::BufReadExt, stdin},
    task,
};
use futures_util::{StreamExt, stream};
use stocking_async_std::{ClientEvent, client::Gap, connect};

enum Input {
    Typed(io::Result<String>),
    Heard(Result<String, Gap>),
    End,
}

#[async_std::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "ws://localhost:12345/ws".into());
    let name = arguments.next().unwrap_or_else(|| "somebody".into());

    let client = connect(url)?;
    let mut events = client.events();
    let news = task::spawn(async move {
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

    let room = client.join("chat").await?;
    println!("-- in the channel {:?}: type, and end with Ctrl-D", room.name());
    room.send(&format!("{name} has come"))?;
    let typed = BufReader::new(stdin()).lines().map(Input::Typed);
    let typed = typed.chain(stream::once(ready(Input::End)));
    let heard = room.map(Input::Heard).chain(stream::once(ready(Input::End)));
    let mut inputs = stream::select(typed, heard);
    while let Some(input) = inputs.next().await {
        match input {
            Input::Typed(line) => client.broadcast("chat", &format!("{name}: {}", line?))?,
            Input::Heard(Ok(message)) => println!("{message}"),
            Input::Heard(Err(Gap::SessionLost)) => println!("-- here messages may be missing"),
            Input::Heard(Err(gap)) => println!("-- {gap}"),
            Input::End => break,
        }
    }
    client.broadcast("chat", &format!("{name} has gone"))?;
    client.close().await;
    news.await;
    Ok(())
}
