//! The examples as a reader runs them: processes that print their address.

use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use crate::common::{Client, Fast, TokioWebsockets, on_one_thread};

/// An example that runs, until it is dropped at the latest.
struct Example {
    process: Child,
    address: SocketAddr,
}

impl Example {
    fn start(name: &str) -> Self {
        let mut process = Command::new(path(name))
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("the example {name}: {error}"));
        let mut line = String::new();
        // What it prints later has room in the pipe.
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("ws://").and_then(|line| line.strip_suffix("/ws"));
        let address = address.and_then(|address| address.parse().ok());
        Self { process, address: address.unwrap_or_else(|| panic!("{name} printed {line:?}")) }
    }

    /// Sends the signal that service managers send.
    fn terminate(&self) {
        let kill = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status();
        assert!(kill.unwrap().success());
    }

    fn wait(mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Where cargo has put an example. With all tests it builds all examples; with this test alone it does not.
fn path(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    let source = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    if changed(&path) < changed(source.as_ref()) {
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let arguments = ["build", "--package", "stocking-tokio", "--example", name, "--profile", profile];
        assert!(Command::new(env!("CARGO")).args(arguments).status().unwrap().success());
    }
    path
}

#[test]
fn quickstart_answers_as_its_reader_is_told() {
    on_one_thread(|| async {
        let example = Example::start("quickstart");
        let mut client = Fast::connect(example.address).await;
        assert_eq!(client.ask(r#"4,1,{"e":"echo","p":"doge"}"#).await, r#"4,1,{"c":-1,"p":"doge"}"#);
        let greet = |name: &str| format!(r#"4,2,{{"e":"greet","p":{{"name":"{name}"}}}}"#);
        assert_eq!(client.ask(&greet("doge")).await, r#"4,2,{"c":-1,"p":"Hello doge"}"#);
        assert_eq!(client.ask(&greet("cat")).await, r#"4,2,{"c":-1,"p":"Who are you?"}"#);
        assert_eq!(client.ask(r#"4,3,{"e":"anything"}"#).await, r#"4,3,{"c":-1,"p":"oops"}"#);
    });
}

#[test]
fn playground_has_every_behaviour_and_ends_gracefully_on_sigterm() {
    on_one_thread(|| async {
        let example = Example::start("playground");
        let mut client = TokioWebsockets::connect(example.address).await;
        let conversation = [
            (r#"4,1,{"e":"echo","p":[1]}"#, r#"4,1,{"c":-1,"p":[1]}"#),
            (r#"4,2,{"e":"greet","p":{"name":"doge"}}"#, r#"4,2,{"c":-1,"p":"Hello doge"}"#),
            (r#"4,3,{"e":"fail"}"#, r#"4,3,{"c":404,"p":"no such page"}"#),
            (r#"4,0,{"e":"fail"}"#, "1,404,no such page"),
            (r#"4,4,{"e":"panic"}"#, r#"4,4,{"c":-32603,"p":"internal error"}"#),
            (r#"4,5,{"e":"anything"}"#, r#"4,5,{"c":-1,"p":"oops"}"#),
        ];
        for (request, answer) in conversation {
            assert_eq!(client.ask(request).await, answer);
        }
        let whoami = client.ask(r#"4,6,{"e":"whoami"}"#).await;
        assert!(whoami.starts_with(r#"4,6,{"c":-1,"p":"@"#), "{whoami}");
        assert_eq!(client.ask(r#"4,7,{"e":"block","p":"held"}"#).await, r#"4,7,{"c":-1,"p":"held"}"#);
        // What is in progress when the signal comes is answered.
        let mut idle = TokioWebsockets::connect(example.address).await;
        client.send(r#"4,8,{"e":"slow","p":"late"}"#).await;
        client.expect_silence().await;
        example.terminate();
        assert_eq!(idle.text().await, "2");
        idle.expect_close(1001).await;
        assert_eq!(client.text().await, "2");
        assert_eq!(client.text().await, r#"4,8,{"c":-1,"p":"late"}"#);
        client.expect_close(1001).await;
        drop((client, idle));
        assert_eq!(example.wait().code(), Some(0));
    });
}

#[test]
fn middleware_lets_nobody_into_admin_channels_without_the_token() {
    on_one_thread(|| async {
        let example = Example::start("middleware");
        let (mut client, mut stranger) =
            (Fast::connect(example.address).await, Fast::connect(example.address).await);
        assert_eq!(client.ask("6,1,admin/alerts").await, "1,403,admins only");
        assert_eq!(client.ask("6,1,admin").await, "1,403,admins only");
        let wrong = client.ask(r#"4,1,{"e":"auth","p":"wrong"}"#).await;
        assert_eq!(wrong, r#"4,1,{"c":401,"p":"who are you?"}"#);
        assert_eq!(client.ask("6,1,admin/alerts").await, "1,403,admins only");
        assert_eq!(client.ask(r#"4,2,{"e":"auth","p":"sesame"}"#).await, r#"4,2,{"c":-1,"p":null}"#);
        client.join("admin/alerts").await;
        assert_eq!(stranger.ask("5,admin/alerts,fire").await, "1,403,admins only");
        stranger.join("news").await;
        client.expect_silence().await;
    });
}

#[test]
fn rooms_tells_whom_it_should() {
    on_one_thread(|| async {
        let example = Example::start("rooms");
        let (mut one, mut other) =
            (Fast::connect(example.address).await, Fast::connect(example.address).await);
        one.join("news").await;
        assert_eq!(other.ask(r#"4,1,{"e":"count","p":"news"}"#).await, r#"4,1,{"c":-1,"p":1}"#);
        let id = one.ask(r#"4,1,{"e":"whoami"}"#).await;
        let id = id.strip_prefix(r#"4,1,{"c":-1,"p":""#).and_then(|id| id.strip_suffix(r#""}"#)).unwrap();
        let ring = format!(r#"4,2,{{"e":"ring","p":{{"whom":"{id}"}}}}"#);
        assert_eq!(other.ask(&ring).await, r#"4,2,{"c":-1,"p":null}"#);
        let rung = one.text().await;
        assert!(rung.starts_with(&format!("5,{id},@")) && rung.ends_with(" is at the door"), "{rung}");
        other.send("5,news,hello").await;
        assert_eq!(one.text().await, "5,news,hello");
        // The server speaks by itself: asked for last, since it does so whenever five seconds are over.
        one.join("clock").await;
        let tick = one.text().await;
        assert!(tick.starts_with("5,clock,"), "{tick}");
    });
}

#[test]
fn thread_per_core_is_one_service_whichever_thread_a_client_comes_to() {
    on_one_thread(|| async {
        let example = Example::start("thread_per_core");
        let mut clients = Vec::new();
        for _ in 0..16 {
            let mut client = Fast::connect(example.address).await;
            let thread = client.ask(r#"4,1,{"e":"thread"}"#).await;
            assert!(thread.starts_with(r#"4,1,{"c":-1,"p":"ThreadId("#), "{thread}");
            client.join("news").await;
            clients.push(client);
        }
        clients[0].send("5,news,hello").await;
        for client in &mut clients[1..] {
            assert_eq!(client.text().await, "5,news,hello");
        }
    });
}
