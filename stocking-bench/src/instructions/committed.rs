//! What was counted before: `instructions.json`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{Result, measure::median};

/// How much more than the committed number is a change for the worse.
const TOLERANCE: f64 = 1.05;

/// And half an instruction, which is more than that where there is one only.
const SLACK: f64 = 0.5;

/// Cost more than they did.
const MORE: &str = "MORE";

/// Were not counted before.
const NEW: &str = "NEW";

/// Were counted before, and are not any more: nothing holds them.
const GONE: &str = "GONE";

/// What counts are beside the number that was committed: those on which all of them agree.
fn verdict(counts: &[f64], before: Option<f64>) -> &'static str {
    let Some(before) = before else { return NEW };
    if counts.iter().all(|count| *count > before * TOLERANCE + SLACK) {
        MORE
    } else if counts.iter().all(|count| count * TOLERANCE + SLACK < before) {
        "less"
    } else {
        ""
    }
}

/// The file. Another profile of the compiler has one of its own.
#[derive(Debug)]
pub(super) struct Committed {
    file: PathBuf,
    /// Who made the program in which was counted.
    pub(super) compiler: String,
    numbers: BTreeMap<String, f64>,
}

impl Committed {
    /// An empty one, where the file is to be written and there is none.
    pub(super) fn read(file: Option<&Path>, may_be_missing: bool) -> Result<Self> {
        let usual = || [env!("CARGO_MANIFEST_DIR"), "instructions.json"].iter().collect();
        let file = file.map_or_else(usual, Path::to_owned);
        let mut committed = Self { file, compiler: String::new(), numbers: BTreeMap::new() };
        if may_be_missing && !committed.file.exists() {
            return Ok(committed);
        }
        let name = committed.file.display().to_string();
        let text = fs::read(&committed.file).map_err(|error| format!("{name}: {error}"))?;
        let value: Value = serde_json::from_slice(&text).map_err(|error| format!("{name}: {error}"))?;
        let missing = |what| format!("{name}: no {what}");
        value["compiler"].as_str().ok_or_else(|| missing("compiler"))?.clone_into(&mut committed.compiler);
        for (name, number) in value["instructions"].as_object().ok_or_else(|| missing("instructions"))? {
            committed.numbers.insert(name.clone(), number.as_f64().ok_or_else(|| missing("number"))?);
        }
        Ok(committed)
    }

    /// Forgets what is of another compiler.
    pub(super) fn begin_anew(&mut self, compiler: &str) {
        compiler.clone_into(&mut self.compiler);
        self.numbers.clear();
    }

    /// Prints what was counted beside what is committed, which it replaces. Returns how many are for the worse, to which belongs
    /// what is missing on either side where `is_all` that there is was counted.
    pub(super) fn compare(
        &mut self,
        counted: &[(String, Vec<f64>)],
        is_comparable: bool,
        is_all: bool,
    ) -> Result<usize> {
        let mut worse = 0;
        println!("| | instructions | committed | |\n|---|---|---|---|");
        for (name, counts) in counted {
            let figure = median(counts).ok_or("it was not counted")?;
            let before = self.numbers.get(name).copied();
            let verdict = if is_comparable { verdict(counts, before) } else { "" };
            worse += usize::from(verdict == MORE || (verdict == NEW && is_all));
            let before = before.map_or_else(|| "—".into(), |before| format!("{before:.1}"));
            println!("| {name} | {figure:.1} | {before} | {verdict} |");
            self.numbers.insert(name.clone(), (figure * 10.0).round() / 10.0);
        }
        if is_comparable && is_all {
            let is_gone = |name: &String| counted.iter().all(|(counted, _)| counted != name);
            for (name, before) in self.numbers.extract_if(.., |name, _| is_gone(name)) {
                println!("| {name} | — | {before:.1} | {GONE} |");
                worse += 1;
            }
        }
        Ok(worse)
    }

    /// Returns where.
    pub(super) fn write(&self) -> Result<&Path> {
        let value = json!({ "compiler": self.compiler, "instructions": self.numbers });
        fs::write(&self.file, serde_json::to_string_pretty(&value)? + "\n")?;
        Ok(&self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_percent_more_is_more_where_every_count_is_and_what_was_never_counted_is_new() {
        assert_eq!(verdict(&[105.0], Some(100.0)), "");
        assert_eq!(verdict(&[105.6], Some(100.0)), MORE);
        assert_eq!(verdict(&[105.6, 105.4], Some(100.0)), "");
        assert_eq!(verdict(&[1.5], Some(1.0)), "");
        assert_eq!(verdict(&[90.0], Some(100.0)), "less");
        assert_eq!(verdict(&[90.0], None), NEW);
    }

    #[test]
    fn where_all_is_counted_a_number_that_is_missing_on_either_side_is_for_the_worse_until_it_is_written() {
        let committed = || Committed {
            file: PathBuf::new(),
            compiler: String::new(),
            numbers: [("parse".into(), 100.0), ("gone".into(), 5.0)].into(),
        };
        let counted = |name: &str| (name.to_owned(), vec![100.0]);
        let mut all = committed();
        assert_eq!(all.compare(&[counted("parse")], true, true).unwrap(), 1);
        assert_eq!(all.numbers, [("parse".into(), 100.0)].into());
        assert_eq!(all.compare(&[counted("parse")], true, true).unwrap(), 0);
        assert_eq!(all.compare(&[counted("parse"), counted("new")], true, true).unwrap(), 1);
        assert_eq!(committed().compare(&[counted("parse")], true, false).unwrap(), 0);
        assert_eq!(committed().compare(&[counted("parse")], false, true).unwrap(), 0);
    }
}
