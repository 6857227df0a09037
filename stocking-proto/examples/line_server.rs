//! The protocol and the standard library, and nothing else: `cargo run -p stocking-proto --example line_server [ADDRESS]`
//!
//! A server over TCP with a frame per line and a thread per client, to talk to with `nc`. It has one event, `echo`. What it
//! lacks is what `stocking-core` is for: channels, sessions, limits, a graceful end.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use stocking_proto::{AckId, ClientFrame, ErrorCode, Event, Reply, ServerFrame, SuccessFrame};

/// A longer line ends the connection.
const LONGEST: u64 = 64 * 1024;

/// So does as much silence (protocol, "Life and end of a connection").
const SILENCE: Duration = Duration::from_secs(60);

/// What a browser begins with: any page can have it send HTTP here, with lines of the page's choice in the body.
const METHODS: [&str; 4] = ["GET ", "HEAD ", "POST ", "OPTIONS "];

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    // Who does not read would keep its thread for ever.
    stream.set_write_timeout(Some(SILENCE))?;
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let (mut line, mut output, mut is_first) = (String::new(), Vec::new(), true);
    ServerFrame::Connected.encode(&mut output);
    loop {
        if !output.is_empty() {
            output.push(b'\n');
            stream.write_all(&output)?;
            output.clear();
        }
        line.clear();
        input.by_ref().take(LONGEST).read_line(&mut line)?;
        let Some(frame) = line.strip_suffix('\n') else { return Ok(()) };
        if std::mem::take(&mut is_first) && METHODS.iter().any(|method| frame.starts_with(method)) {
            error(
                ErrorCode::NOT_A_FRAME,
                "this is no HTTP server: one frame per line is spoken here",
                &mut output,
            );
            output.push(b'\n');
            return stream.write_all(&output);
        }
        match ClientFrame::parse(frame.strip_suffix('\r').unwrap_or(frame)) {
            Ok(ClientFrame::Close) => return Ok(()),
            Ok(ClientFrame::Ping(_)) => ServerFrame::Pong(None).encode(&mut output),
            Ok(ClientFrame::Message { id, content }) => answer(id, content, &mut output),
            Ok(_) => error(ErrorCode::NOT_ALLOWED, "there are no channels and no sessions here", &mut output),
            Err(fault) => error(fault.code(), &fault.to_string(), &mut output),
        }
    }
}

/// Appends the answer to an event: with a callback id its reply, without one only what went wrong.
fn answer(id: Option<AckId>, content: &str, output: &mut Vec<u8>) {
    let (code, reason) = match Event::parse(content) {
        Ok(Event { name, payload }) if name == "echo" => {
            if let Some(id) = id {
                SuccessFrame { id, payload: payload.get() }.encode(output);
            }
            return;
        }
        Ok(Event { name, .. }) => (ErrorCode::NO_SUCH_EVENT, format!("no handler for event {name:?}")),
        Err(fault) => (fault.code(), fault.to_string()),
    };
    match id {
        Some(id) => {
            let mut content = Vec::new();
            Reply::Failure { code, reason: reason.into() }.encode(&mut content);
            let content = String::from_utf8_lossy(&content);
            ServerFrame::Reply { id, content: &content }.encode(output);
        }
        None => error(code, &reason, output),
    }
}

fn error(code: ErrorCode, text: &str, output: &mut Vec<u8>) {
    ServerFrame::Error { code, text }.encode(output);
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    println!("nc {} {}", address.ip(), address.port());
    println!(r#"try  4,1,{{"e":"echo","p":"doge"}}  and  3  and  2"#);
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Too many open files, say: some will be closed.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        // An error is the end of this client, and nobody else's affair.
        thread::spawn(|| serve(stream).ok());
    }
    Ok(())
}
