//! How something grows: as a table, and as lines on a scale of powers in both directions.

use std::fmt::Write as _;

use super::table::significant;

/// Microseconds at each point, of one variant.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(usize, f64)>,
}

impl Line {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, points: Vec::new() }
    }

    fn at(&self, point: usize) -> Option<f64> {
        self.points.iter().find(|(at, _)| *at == point).map(|(_, micros)| *micros)
    }
}

/// The points of all lines, in order.
fn points(lines: &[Line]) -> Vec<usize> {
    let mut points: Vec<_> = lines.iter().flat_map(|line| line.points.iter().map(|(at, _)| *at)).collect();
    points.sort_unstable();
    points.dedup();
    points
}

/// A table in Markdown.
pub(crate) fn series(what: &str, lines: &[Line]) -> String {
    let points = points(lines);
    let heads: Vec<_> = points.iter().map(usize::to_string).collect();
    let mut out = format!("Processor time of the server in microseconds, by {what}.\n\n");
    let _ = writeln!(out, "| | {} |\n|---|{}", heads.join(" | "), "---|".repeat(points.len()));
    for line in lines {
        let cells: Vec<_> =
            points.iter().map(|point| line.at(*point).map_or_else(|| "—".into(), significant)).collect();
        let _ = writeln!(out, "| {} | {} |", line.name, cells.join(" | "));
    }
    out
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 90.0;
const COLOURS: [&str; 4] = ["#8a94a6", "#c9792b", "#4c78b5", "#5a9e5f"];

/// All series in one SVG, one below the other.
pub(crate) fn lines(all: &[(&str, Vec<Line>)]) -> String {
    let mut body = String::new();
    for (number, (what, lines)) in all.iter().enumerate() {
        panel(&mut body, number as f64 * (HEIGHT + 60.0), what, lines);
    }
    let height = all.len() as f64 * (HEIGHT + 60.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\">\n\
         <style>text{{font:12px sans-serif;fill:#333}}.head{{font-weight:bold}}path{{fill:none;stroke-width:2}}\
         .axis{{stroke:#8a94a6;stroke-width:1}}@media(prefers-color-scheme:dark){{text{{fill:#ddd}}}}</style>\n\
         {body}</svg>\n"
    )
}

fn panel(body: &mut String, top: f64, what: &str, lines: &[Line]) {
    let points = points(lines);
    let micros = || lines.iter().flat_map(|line| line.points.iter().map(|(_, micros)| *micros));
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    // Whole powers of ten around what was measured.
    let bottom = micros().fold(f64::MAX, f64::min).log10().floor();
    let most = micros().fold(f64::MIN_POSITIVE, f64::max).log10().ceil().max(bottom + 1.0);
    let width = (*last as f64 / *first as f64).ln().max(1.0);
    let x = |point: usize| LEFT + (point as f64 / *first as f64).ln() / width * (WIDTH - LEFT - RIGHT);
    let y = |micros: f64| top + 30.0 + HEIGHT - (micros.log10() - bottom) / (most - bottom) * HEIGHT;
    let _ = writeln!(body, r#"<text x="10" y="{}" class="head">µs, by {what}</text>"#, top + 16.0);
    let mut power = bottom;
    while power <= most {
        let height = y(10f64.powf(power));
        let _ = writeln!(
            body,
            r#"<path class="axis" d="M{LEFT} {height:.1}H{}"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 6.0,
            height + 4.0,
            10f64.powf(power),
        );
        power += 1.0;
    }
    for point in &points {
        let _ = writeln!(
            body,
            r#"<text x="{:.1}" y="{}" text-anchor="middle">{point}</text>"#,
            x(*point),
            top + HEIGHT + 46.0
        );
    }
    for (number, (line, colour)) in lines.iter().zip(COLOURS.into_iter().cycle()).enumerate() {
        let mut path = String::new();
        for (index, (at, micros)) in line.points.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if index == 0 { 'M' } else { 'L' }, x(*at), y(*micros));
        }
        let _ = writeln!(
            body,
            r#"<path d="{path}" stroke="{colour}"/><text x="{}" y="{}" style="fill:{colour}">{}</text>"#,
            WIDTH - RIGHT + 12.0,
            top + 40.0 + 18.0 * number as f64,
            line.name
        );
    }
}
