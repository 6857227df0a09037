//! Moving a program from one runtime to another is a matter of its first lines.

const TOKIO: &str = include_str!("../../stocking-tokio/examples/quickstart.rs");
const ASYNC_STD: &str = include_str!("../examples/quickstart_async_std.rs");
const SMOL: &str = include_str!("../examples/quickstart_smol.rs");

/// A program without what says on which runtime it is: its documentation, its `use` lines, and the lines that make its
/// `main` a task of that runtime.
fn without_runtime<'a>(program: &'a str, wrapper: &[&str]) -> Vec<&'a str> {
    let lines: Vec<&str> = program.lines().map(str::trim_start).collect();
    for line in wrapper {
        assert_eq!(lines.iter().filter(|found| *found == line).count(), 1, "{line}");
    }
    let stays =
        |line: &&str| !line.starts_with("//!") && !line.starts_with("use ") && !wrapper.contains(line);
    lines.into_iter().filter(stays).collect()
}

#[test]
fn the_quickstarts_differ_in_their_use_lines_and_in_what_makes_main_a_task_of_a_runtime_only() {
    let main = "async fn main() -> std::io::Result<()> {";
    let tokio = without_runtime(TOKIO, &["#[tokio::main]"]);
    assert!(tokio.len() > 20 && tokio.contains(&main));
    assert_eq!(without_runtime(ASYNC_STD, &["#[async_std::main]"]), tokio);

    // smol has no attribute.
    let smol_main = main.trim_start_matches("async ");
    let smol = without_runtime(SMOL, &["smol::block_on(async {", "})"]);
    let smol: Vec<&str> = smol.into_iter().map(|line| if line == smol_main { main } else { line }).collect();
    assert_eq!(smol, tokio);
}

#[test]
fn their_use_lines_name_the_same_things() {
    let names = |program: &str| -> Vec<String> {
        let uses = program.lines().filter_map(|line| line.strip_prefix("use "));
        let mut names: Vec<String> = uses
            .map(|line| {
                let line =
                    line.replace("stocking_tokio", "stocking").replace("stocking_async_std", "stocking");
                ["tokio::", "async_std::", "smol::"]
                    .iter()
                    .fold(line, |line, runtime| line.replace(runtime, ""))
            })
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(ASYNC_STD), names(TOKIO));
    assert_eq!(names(SMOL), names(TOKIO));
}

#[test]
fn the_main_function_of_smol_in_the_readme_is_the_quickstarts() {
    let (_, rest) = include_str!("../README.md").split_once("```rust,ignore\n").unwrap();
    let shown = rest.split("```").next().unwrap();
    assert!(
        shown.starts_with("fn main()") && SMOL.ends_with(shown),
        "copy examples/quickstart_smol.rs to README.md"
    );
}
