//! A comparison as a table, in Markdown.

use std::fmt::Write as _;

use crate::{
    measure::median,
    report::Comparison,
    workload::{Shape, Workload},
};

/// The table, and what it belongs to.
pub(crate) fn table(comparison: &Comparison) -> String {
    let mut out = String::new();
    let machine = &comparison.machine;
    let _ = writeln!(
        out,
        "{}, {}, {} cores, Linux {}, {}, {}; median of {} rounds of {} s\n",
        machine.date,
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.compiler,
        if comparison.pinned { "server and load each on a core of its own" } else { "nothing pinned" },
        comparison.rounds,
        comparison.seconds,
    );
    for workload in &comparison.workloads {
        let _ = writeln!(out, "- {}: {}", workload.name, workload.what);
    }
    let _ = writeln!(
        out,
        "\nProcessor time of the server for each message in microseconds (× the floor on tokio){}{}.\n",
        if has(comparison, round_trip) { "; the whole round trip behind the slash" } else { "" },
        if has(comparison, memory) { "; of W6 bytes of memory for each connection" } else { "" },
    );
    let names: Vec<_> = comparison.workloads.iter().map(|workload| workload.name).collect();
    let _ = writeln!(out, "| | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(names.len()));
    for server in &comparison.servers {
        let cells: Vec<_> =
            comparison.workloads.iter().map(|workload| cell(comparison, server.name, workload)).collect();
        let _ = writeln!(out, "| {} | {} |", server.name, cells.join(" | "));
    }
    out
}

const fn round_trip(shape: Shape) -> bool {
    matches!(shape, Shape::Calls { connections: 1, in_flight: 1 })
}

const fn memory(shape: Shape) -> bool {
    matches!(shape, Shape::Idle { .. })
}

fn has(comparison: &Comparison, what: fn(Shape) -> bool) -> bool {
    comparison.workloads.iter().any(|workload| what(workload.shape))
}

fn cell(comparison: &Comparison, server: &str, workload: &Workload) -> String {
    if let Some(bytes) = median(&comparison.bytes(server, workload)) {
        return format!("{bytes:.0}");
    }
    let Some(micros) = comparison.micros(server, workload) else { return "—".into() };
    let mut cell = significant(micros);
    if let Some(ratio) = median(&comparison.ratios(server, workload)) {
        let _ = write!(cell, " ({ratio:.2})");
    }
    if let Some(round_trip) = comparison.round_trip(server, workload) {
        let _ = write!(cell, " / {round_trip:.0}");
    }
    cell
}

/// Three digits that say something.
pub(crate) fn significant(figure: f64) -> String {
    let decimals = (2.0 - figure.abs().log10().floor()).clamp(0.0, 3.0);
    format!("{figure:.*}", decimals as usize)
}
