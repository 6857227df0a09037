//! What was counted before: `instructions.json`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::Result;

/// How much more than the committed number is a change for the worse.
const TOLERANCE: f64 = 1.05;

/// And half an instruction, which is more than that where there is one only.
const SLACK: f64 = 0.5;

/// Cost more than they did.
pub(super) const MORE: &str = "MORE";

/// Were not counted before.
pub(super) const NEW: &str = "NEW";

/// What counts are beside the number that was committed: those on which all of them agree.
pub(super) fn verdict(counts: &[f64], before: Option<f64>) -> &'static str {
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
    pub(super) numbers: BTreeMap<String, f64>,
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
}
