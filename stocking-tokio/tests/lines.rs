//! The transport of `examples/lines`: one frame per line, for whoever has a socket and nothing more.

#[path = "../examples/lines/transport.rs"]
mod transport;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use stocking_core::{
    driver::{Driver, Runtime},
    testing::{Pipe, TestRuntime, pipe},
};
use stocking_tokio::{Accept, Admission, Config, Context, Io, Result, Router, Service, Tokio};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufStream},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use transport::Lines;

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

fn service() -> Arc<Service> {
    let config = Config::new().ping_interval(Duration::from_secs(40)).ping_timeout(Duration::from_secs(20));
    Arc::new(Service::new(Router::new().on("echo", echo)).with_config(config))
}

fn admission(service: &Arc<Service>) -> Admission {
    Admission::new(service.clone(), Ok(Accept::new()))
}

/// A client in memory.
struct Client {
    runtime: TestRuntime,
    pipe: Pipe,
}

impl Client {
    fn of(runtime: &TestRuntime, service: &Arc<Service>, capacity: usize) -> Self {
        let (pipe, far) = pipe(capacity);
        let driver = Driver::upgraded(runtime.clone(), Lines::new(far), admission(service), Vec::new());
        runtime.spawn(driver);
        Self { runtime: runtime.clone(), pipe }
    }

    /// One that has been greeted.
    fn new() -> Self {
        let client = Self::of(&TestRuntime::default(), &service(), 1 << 20);
        assert_eq!(client.receive(), "0\n");
        client
    }

    fn send(&self, bytes: &str) {
        self.pipe.send(bytes.as_bytes());
    }

    fn receive(&self) -> String {
        let mut received = Vec::new();
        loop {
            self.runtime.run();
            let bytes = self.pipe.receive(usize::MAX);
            if bytes.is_empty() {
                return String::from_utf8(received).unwrap();
            }
            received.extend(bytes);
        }
    }

    fn ask(&self, bytes: &str) -> String {
        self.send(bytes);
        self.receive()
    }
}

#[test]
fn a_line_is_a_frame_with_its_lf_or_crlf_taken_off() {
    let client = Client::new();
    assert_eq!(client.ask("3\n"), "3\n");
    assert_eq!(client.ask("3\r\n"), "3\n");
    assert_eq!(client.ask("4,1,{\"e\":\"echo\",\"p\":\"a,b,,c\"}\r\n"), "4,1,{\"c\":-1,\"p\":\"a,b,,c\"}\n");
    assert_eq!(client.ask("3\n4,2,{\"e\":\"echo\",\"p\":2}\n3\r\n"), "3\n4,2,{\"c\":-1,\"p\":2}\n3\n");
}

#[test]
fn a_line_may_be_cut_anywhere() {
    let lines = "4,1,{\"e\":\"echo\",\"p\":\"é,\\r\"}\r\n6,1,a\rb\n3\n";
    let answers = Client::new().ask(lines);
    assert_eq!(answers.lines().count(), 3, "{answers}");
    assert!(answers.contains("1,-32003,"), "a CR inside of a name is a part of it: {answers}");
    for at in 1..lines.len() {
        let client = Client::new();
        let (one, other) = lines.as_bytes().split_at(at);
        client.pipe.send(one);
        let mut received = client.receive();
        client.pipe.send(other);
        received += &client.receive();
        assert_eq!(received, answers, "cut at {at}");
    }
    let client = Client::new();
    let received: String = lines
        .bytes()
        .map(|byte| {
            client.pipe.send(&[byte]);
            client.receive()
        })
        .collect();
    assert_eq!(received, answers, "byte by byte");
}

#[test]
fn an_answer_reaches_a_client_that_takes_a_byte_at_a_time() {
    let client = Client::of(&TestRuntime::default(), &service(), 1);
    let long = "x".repeat(60_000);
    assert_eq!(client.receive(), "0\n");
    let answer = client.ask(&format!("4,1,{{\"e\":\"echo\",\"p\":\"{long}\"}}\n3\n"));
    // A ping may overtake a reply; the reply is whole all the same.
    assert!(answer.contains(&format!("4,1,{{\"c\":-1,\"p\":\"{long}\"}}\n")) && answer.contains("3\n"));
    assert_eq!(answer.lines().count(), 2);
}

#[test]
fn a_line_beyond_the_limit_ends_the_connection() {
    let client = Client::new();
    let limit = Config::default().max_message_size;
    let longest = |more: usize| format!("5,nobody,{}\n", "x".repeat(limit - "5,nobody,".len() + more));
    assert_eq!(client.ask(&longest(0)), "1,0,Channel \"nobody\" not found\n");
    assert_eq!(client.ask(&longest(1)), "");
    client.runtime.advance(Duration::from_secs(10));
    assert!(client.pipe.has_ended());
    assert_eq!(client.runtime.tasks(), 0);
}

#[test]
fn sixty_seconds_of_silence_are_the_end() {
    let client = Client::new();
    // The time to the first frame is none of it: without one the connection opens by itself.
    assert_eq!(client.ask("3\n"), "3\n");
    client.runtime.advance(Duration::from_secs(59));
    assert_eq!(client.ask("3\n"), "3\n");
    client.runtime.advance(Duration::from_secs(59));
    assert_eq!(client.receive(), "", "no ping is to be seen");
    assert!(!client.pipe.has_ended());
    client.runtime.advance(Duration::from_secs(1));
    assert_eq!(client.receive(), "");
    assert!(client.pipe.has_ended());
}

#[test]
fn goodbye_is_the_end_of_the_stream() {
    let client = Client::new();
    assert_eq!(client.ask("2\n"), "");
    assert!(client.pipe.has_ended());
    client.pipe.shut_down();
    client.runtime.run();
    assert_eq!(client.runtime.tasks(), 0);
}

#[test]
fn a_shutdown_answers_and_then_ends_the_stream() {
    let (runtime, service) = (TestRuntime::default(), service());
    let client = Client::of(&runtime, &service, 4096);
    assert_eq!(client.ask("3\n"), "0\n3\n");
    let draining = runtime.clone();
    runtime.spawn(async move { stocking_core::driver::drain(&draining, &service).await });
    assert_eq!(client.receive(), "2\n");
    assert!(client.pipe.has_ended());
}

#[test]
fn a_broadcast_with_line_feeds_is_one_line_and_forges_no_frame() {
    let (runtime, service) = (TestRuntime::default(), service());
    let member = Client::of(&runtime, &service, 4096);
    assert_eq!(member.ask("6,1,news\n3\n"), "0\n3\n");
    // Whoever speaks WebSocket may send them.
    service.hub().broadcast("news", "one\n4,1,{\"c\":-1,\"p\":\"forged\"}\r\nthree").unwrap();
    assert_eq!(member.receive(), "5,news,one 4,1,{\"c\":-1,\"p\":\"forged\"}  three\n");
}

#[test]
fn a_page_of_the_web_gives_no_commands() {
    // As a browser sends it, without asking before: the body is the page's.
    let body = "4,1,{\"e\":\"echo\",\"p\":\"done\"}\r\n6,1,news\r\n";
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        for piece in [1, 3, usize::MAX] {
            let client = Client::new();
            let request = format!("{method} / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n{body}");
            let mut received = String::new();
            for piece in request.as_bytes().chunks(piece) {
                client.pipe.send(piece);
                received += &client.receive();
            }
            assert_eq!(received, "1,-32600,this is no HTTP server: one frame per line is spoken here\n");
            assert!(client.pipe.has_ended());
        }
    }
    // Only what begins so: whoever types something else is told what a frame is, and goes on.
    let client = Client::new();
    assert_eq!(client.ask("GE"), "");
    assert!(client.ask("T\n").starts_with("1,-32600,at byte 0: "));
    assert_eq!(client.ask("5,news,GET / HTTP/1.1\nGET / HTTP/1.1\n3\n").lines().last(), Some("3"));
}

#[test]
fn a_stream_with_a_buffer_of_its_own_is_flushed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, server) = tokio::io::duplex(64);
        let transport = Lines::new(Io(BufStream::new(server)));
        tokio::spawn(Driver::upgraded(Tokio::current(), transport, admission(&service()), Vec::new()));
        let mut lines = BufReader::new(client).lines();
        let greeting = timeout(Duration::from_secs(60), lines.next_line()).await.expect("hung");
        assert_eq!(greeting.unwrap().as_deref(), Some("0"));
    });
}

#[test]
fn a_client_with_a_plain_tcp_socket_is_served() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let transport = Lines::new(Io(server));
        let driver = Driver::upgraded(Tokio::current(), transport, admission(&service()), Vec::new());
        let serving = tokio::spawn(driver);
        let mut client = BufReader::new(client);
        client.write_all(b"4,1,{\"e\":\"echo\",\"p\":[1,2]}\r\n3\n2\n").await.unwrap();
        let mut received = String::new();
        while client.read_line(&mut received).await.unwrap() > 0 {}
        assert_eq!(received, "0\n4,1,{\"c\":-1,\"p\":[1,2]}\n3\n");
        drop(client);
        serving.await.unwrap();
    });
}
