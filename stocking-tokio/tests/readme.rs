//! What the README at the root of the repository says is so. Its programs are documentation tests of the library.

use std::collections::BTreeMap;

use stocking_tokio::Config;

const README: &str = include_str!("../../README.md");

#[test]
fn the_program_of_the_readme_is_the_quickstart() {
    let (_how_to_run_it, program) = include_str!("../examples/quickstart.rs").split_once("\n\n").unwrap();
    assert!(
        README.contains(&format!("```rust,no_run\n{program}```\n")),
        "copy examples/quickstart.rs to README.md"
    );
}

#[test]
fn what_the_readme_shows_of_an_example_is_in_an_example() {
    let examples = [
        include_str!("../examples/axum.rs").to_owned(),
        include_str!("../examples/lines/main.rs").to_owned(),
        // An example of the documentation, which is compiled where there is TLS.
        include_str!("../src/tls.rs").replace("/// ", "").replace("///\n", "\n"),
    ];
    let shown = README.split("```rust,ignore\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    for part in shown {
        assert!(examples.iter().any(|example| example.contains(part)), "in no example:\n{part}");
    }
}

#[test]
fn the_table_of_limits_has_every_field_of_the_config_and_its_default() {
    let table: BTreeMap<String, String> = section("## Limits")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(field, rest)| (field.to_owned(), as_debug(rest.split_once(" | ").unwrap().0)))
        .collect();
    let config = format!("{:#?}", Config::default());
    let fields: BTreeMap<String, String> = config
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(": "))
        .map(|(field, value)| (field.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(table, fields);
}

fn section(heading: &str) -> &'static str {
    let (_, rest) = README.split_once(heading).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// A default as the table has it, in the way in which Rust prints it.
fn as_debug(value: &str) -> String {
    match value.split_once(' ') {
        Some((number, "s")) => format!("{number}s"),
        Some((number, "KiB")) => (number.parse::<usize>().unwrap() << 10).to_string(),
        Some((number, "MiB")) => (number.parse::<usize>().unwrap() << 20).to_string(),
        _ => match value {
            "none" => "None".into(),
            "same host" => "SameHost".into(),
            "empty" => "[]".into(),
            text if text.starts_with('`') => text.replace('`', "\""),
            number => number.replace(',', ""),
        },
    }
}
