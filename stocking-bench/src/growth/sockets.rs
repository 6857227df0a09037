//! Over sockets, in three variants: plain, in a session, over TLS; and beside them the floor's, which grows too where it is
//! the kernel that has more to do.

use std::{env, fs, path::PathBuf, process};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::Question;
use crate::{
    Result,
    arguments::Arguments,
    load::{self, Length, Outcome, Target},
    measure::{Cores, Process, median, raise_open_files},
    report::Line,
    servers::{self, FLOOR, Options, Server},
    workload::{Shape, Workload},
};

/// A question, and the points at which it is asked.
#[derive(Debug)]
struct Series {
    name: &'static str,
    what: &'static str,
    points: &'static [usize],
    workload: fn(usize) -> Workload,
}

const SERIES: &[Series] = &[
    Series {
        name: "members",
        what: "members of a channel, one message of 128 bytes at a time; of each delivery",
        // Twenty thousand open files are allowed in many places.
        points: &[10, 100, 1000, 10_000, 19_000, 100_000],
        workload: |members| fan_out(members, 128),
    },
    Series {
        name: "connections",
        what: "connections, one call in flight each; of each call",
        points: &[10, 100, 1000, 10_000],
        workload: |connections| calls(connections, 32),
    },
    Series {
        name: "calls",
        what: "bytes of payload, 64 connections, one call in flight each; of each call",
        points: PAYLOADS,
        workload: |payload| calls(64, payload),
    },
    Series {
        name: "broadcasts",
        what: "bytes of content, 100 members, one message at a time; of each delivery",
        points: PAYLOADS,
        workload: |payload| fan_out(100, payload),
    },
];

/// The longest makes a frame of just under 64 KiB, the longest that is taken by default.
const PAYLOADS: &[usize] = &[16, 64, 256, 1024, 4096, 16_384, 65_536 - 64];

const fn calls(connections: usize, payload: usize) -> Workload {
    Workload { name: "calls", what: "", shape: Shape::Calls { connections, in_flight: 1 }, payload }
}

const fn fan_out(members: usize, payload: usize) -> Workload {
    Workload { name: "fan-out", what: "", shape: Shape::FanOut { members, burst: 1 }, payload }
}

/// Shaking hands costs both sides a millisecond each: with more connections it is all that would be waited for.
const MOST_OVER_TLS: usize = 1000;

/// Who is asked, and how.
struct Variant {
    name: &'static str,
    server: &'static Server,
    options: Options,
}

pub(super) fn questions() -> impl Iterator<Item = Question> {
    SERIES.iter().map(|series| Question {
        name: series.name,
        what: series.what,
        ask: Box::new(|arguments, cores| series.ask(arguments, cores)),
    })
}

impl Series {
    fn ask(&self, arguments: &Arguments, cores: Cores) -> Result<Vec<Line>> {
        let certificate = Certificate::make()?;
        let variant = |name, server, tls| -> Result<Variant> {
            Ok(Variant { name, server: servers::named(server)?, options: Options { tls, workers: None } })
        };
        let files = (certificate.file("certificate.pem"), certificate.file("key.pem"));
        let variants = [
            variant("floor", FLOOR, None)?,
            variant("plain", "stocking", None)?,
            variant("session", "stocking-session", None)?,
            variant("TLS", "stocking", Some(files))?,
        ];
        let mut lines: Vec<Line> = variants.iter().map(|variant| Line::new(variant.name)).collect();
        let sockets = raise_open_files();
        for point in self.points {
            let workload = (self.workload)(*point);
            let connections = match workload.shape {
                Shape::Calls { connections, .. } | Shape::Idle { connections } => connections,
                Shape::FanOut { members, .. } => members,
            };
            if connections as u64 + 100 > sockets {
                eprintln!("note: no {point} {}: {sockets} open files are allowed (ulimit -Hn)", self.name);
                continue;
            }
            let mut rounds = vec![Vec::new(); variants.len()];
            for round in 1..=arguments.rounds.unwrap_or(3) {
                for (variant, figures) in variants.iter().zip(&mut rounds) {
                    if variant.options.tls.is_some() && connections > MOST_OVER_TLS {
                        continue;
                    }
                    eprint!("\r\x1b[K{point} {}, {}, round {round}", self.name, variant.name);
                    let outcome = one(variant, &workload, arguments, cores);
                    let outcome = outcome.map_err(|error| format!("{point}, {}: {error}", variant.name))?;
                    figures.push(outcome.micros());
                }
            }
            for (line, figures) in lines.iter_mut().zip(rounds) {
                line.points.extend(median(&figures).map(|micros| (*point, micros)));
            }
        }
        Ok(lines)
    }
}

fn one(variant: &Variant, workload: &Workload, arguments: &Arguments, cores: Cores) -> Result<Outcome> {
    let process = Process::start(variant.server, &variant.options, cores)?;
    let target = match &variant.options.tls {
        Some((certificate, _)) => Target::tls(process.address, certificate)?,
        None => Target::plain(process.address),
    };
    load::run(&target, variant.server.dialect, workload, Length::Time(arguments.seconds), &process)
}

/// A folder with a certificate of its own making, and its key, for as long as it is needed.
struct Certificate(PathBuf);

impl Certificate {
    fn make() -> Result<Self> {
        let folder = Self(env::temp_dir().join(format!("stocking-bench-{}", process::id())));
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
        fs::create_dir_all(&folder.0)?;
        fs::write(folder.file("certificate.pem"), cert.pem())?;
        fs::write(folder.file("key.pem"), signing_key.serialize_pem())?;
        Ok(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
