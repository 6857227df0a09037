//! What the load promises: that a figure belongs to a server that answered rightly, to the last byte.

#![cfg(target_os = "linux")]

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    thread,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_stocking-bench");

/// A server of the program, which ends with the test.
struct Server(Child, SocketAddr);

impl Server {
    fn start(name: &str) -> Self {
        let mut child = Command::new(PROGRAM).args(["serve", name]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening ").unwrap().parse().unwrap();
        Self(child, address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn load(address: SocketAddr, dialect: &str, workloads: &str) -> Output {
    Command::new(PROGRAM)
        .args(["load", &address.to_string(), "--dialect", dialect, "--workloads", workloads])
        .args(["--seconds", "0.05"])
        .output()
        .unwrap()
}

#[track_caller]
fn passes(name: &str, dialect: &str) {
    let server = Server::start(name);
    // The others are easier: one call in flight, one message at once.
    let output = load(server.1, dialect, "W1,W3,W5");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_floors_answer_rightly() {
    passes("floor-epoll", "raw");
    passes("floor-tokio", "raw");
}

#[test]
fn stocking_answers_rightly_on_every_runtime_and_in_a_session() {
    for name in ["stocking", "stocking-multi", "stocking-async-std", "stocking-smol"] {
        passes(name, "stocking");
    }
    passes("stocking-session", "session");
}

#[cfg(feature = "peers")]
#[test]
fn the_servers_of_other_makers_answer_rightly() {
    for name in ["fastwebsockets", "tokio-websockets", "tokio-tungstenite", "axum", "axum-defaults"] {
        passes(name, "text");
    }
    passes("socketioxide", "socket.io");
}

/// A floor that answers one call after another, each as `answer` says.
fn wrong_server(answer: impl Fn(u32, &mut Vec<u8>) + Send + Copy + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || serve(stream.unwrap(), answer));
        }
    });
    address
}

fn serve(mut stream: TcpStream, answer: impl Fn(u32, &mut Vec<u8>)) {
    let mut buffer = [0; 4096];
    let mut read = |stream: &mut TcpStream| {
        let length = stream.read(&mut buffer).unwrap_or(0);
        (length > 0).then(|| buffer[..length].to_vec())
    };
    read(&mut stream).unwrap();
    stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").unwrap();
    for number in 0.. {
        let Some(mut bytes) = read(&mut stream) else { return };
        answer(number, &mut bytes);
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

#[track_caller]
fn fails(says: &str, answer: impl Fn(u32, &mut Vec<u8>) + Send + Copy + 'static) {
    let output = load(wrong_server(answer), "raw", "W1");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains(says), "{error}");
}

#[test]
fn one_wrong_byte_in_one_answer_fails_the_load() {
    fails("answer 7 is", |number, bytes| {
        if number == 7 {
            *bytes.last_mut().unwrap() ^= 1;
        }
    });
}

#[test]
fn an_answer_that_comes_twice_fails_the_load() {
    fails("answer 8 is", |number, bytes| {
        if number == 7 {
            bytes.extend(bytes.clone());
        }
    });
}

#[test]
fn a_server_that_closes_fails_the_load() {
    fails("closed the connection", |number, bytes| {
        if number == 7 {
            *bytes = vec![0x88, 0];
        }
    });
}
