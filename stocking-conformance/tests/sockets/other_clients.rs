//! The same conversation with clients in other languages: Node's `ws` and Python's `websockets`.
//!
//! `tests/clients/README.md` says how to install them. Where one is missing its test says so and passes, since nobody
//! should need Node to change a line of Rust; where `CI` is set it fails, since there they have to be.

use std::{
    env,
    io::Write,
    process::{Command, Stdio},
};

use stocking_conformance::application::events;
use stocking_core::{Accept, Config, ConnectRequest, Rejection, Service};

use crate::backends::Backend;

for_every_backend![node_ws_has_the_whole_conversation, python_websockets_has_the_whole_conversation];

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

async fn node_ws_has_the_whole_conversation(on: Backend) {
    converse(on, "node", &["--input-type=module", "--eval", "import 'ws'"], "conversation.mjs").await;
}

async fn python_websockets_has_the_whole_conversation(on: Backend) {
    converse(on, "python3", &["-c", "import websockets"], "conversation.py").await;
}

async fn converse(on: Backend, program: &str, probe: &[&str], script: &str) {
    if !is_installed(program, probe) {
        let message = format!(
            "{program}, or its package, is missing: {script} is skipped, see tests/clients/README.md"
        );
        assert!(env::var_os("CI").is_none(), "{message}");
        // Not `eprintln`, which the test harness would keep to itself.
        std::io::stderr().write_all(format!("\n{message}\n").as_bytes()).unwrap();
        return;
    }
    // Who is refused is refused by a close, which a client hears only where its subprotocol is agreed to.
    let gate = async |request: ConnectRequest| match request.query() {
        Some("refuse") => Err(Rejection::close_unauthorized("who are you?")),
        _ => Ok(Accept::new()),
    };
    let config = Config::new().subprotocols(["stocking", "chat"]);
    let server = on.start(Service::new(events()).with_config(config).on_connect(gate)).await;
    let url = format!("ws://{}/ws", server.address);
    let output = Command::new(program).arg(script).arg(url).current_dir(CLIENTS).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && output.stdout == b"done\n", "{program} {script}: {told}");
}

fn is_installed(program: &str, probe: &[&str]) -> bool {
    let quietly = || Stdio::null();
    let probe =
        Command::new(program).args(probe).current_dir(CLIENTS).stdout(quietly()).stderr(quietly()).status();
    probe.is_ok_and(|status| status.success())
}
