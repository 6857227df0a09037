//! A comparison as a picture: for each workload a bar for each server, as long as its cost is more than the floor's, on a scale
//! of powers.

use std::fmt::Write as _;

use super::Comparison;
use crate::measure::median;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 70.0;
const ROW: f64 = 18.0;
const HEAD: f64 = 34.0;

/// An SVG that is readable on light and on dark pages.
pub(crate) fn chart(comparison: &Comparison) -> String {
    let mut body = String::new();
    let mut y = 10.0;
    // One scale for all, or bars of different workloads would lie beside each other.
    let ratios =
        |workload| comparison.servers.iter().flat_map(move |server| comparison.ratios(server.name, workload));
    let most = comparison.workloads.iter().flat_map(ratios).fold(2.0, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / (most / SHORTEST).ln();
    for workload in &comparison.workloads {
        let mut bars: Vec<(&str, f64)> = comparison
            .servers
            .iter()
            .filter_map(|server| Some((server.name, median(&comparison.ratios(server.name, workload))?)))
            .collect();
        if bars.is_empty() {
            continue;
        }
        bars.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        let _ = writeln!(
            body,
            r#"<text x="10" y="{}" class="head">{}: {}, × floor on tokio, on a scale of powers</text>"#,
            y + 18.0,
            workload.name,
            workload.what,
        );
        y += HEAD;
        for (name, ratio) in bars {
            let length = ((ratio / SHORTEST).ln() * scale).max(1.0);
            let class = if name.starts_with("stocking") { "ours" } else { "theirs" };
            let middle = y + 13.0;
            let _ = writeln!(
                body,
                r#"<text x="{}" y="{middle}" text-anchor="end">{name}</text><rect x="{LEFT}" y="{}" width="{length:.1}" height="{}" class="{class}"/><text x="{:.1}" y="{middle}">{ratio:.2}</text>"#,
                LEFT - 8.0,
                y + 2.0,
                ROW - 4.0,
                LEFT + length + 6.0,
            );
            y += ROW;
        }
        y += 8.0;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" width=\"{WIDTH}\">\n\
         <style>text{{font:12px sans-serif;fill:#333}}.head{{font-weight:bold}}.ours{{fill:#c9792b}}.theirs{{fill:#8a94a6}}\
         @media(prefers-color-scheme:dark){{text{{fill:#ddd}}}}</style>\n{body}</svg>\n"
    )
}

/// Where the bars begin: a little less than the floor, so that the floor's are seen.
const SHORTEST: f64 = 0.8;
