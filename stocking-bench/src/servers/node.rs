//! The servers on Node: scripts in `node/`, with their packages.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where they are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("node")
}

/// What starts one.
pub(crate) fn command(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(folder().join(script));
    command
}

/// Why they cannot be measured here, if they cannot.
pub(crate) fn why_not() -> Option<String> {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        return Some("Node is not installed".into());
    }
    let missing = ["ws", "socket.io"].iter().any(|name| !folder().join("node_modules").join(name).exists());
    missing.then(|| "their packages are not installed: npm ci --prefix stocking-bench/node".into())
}
