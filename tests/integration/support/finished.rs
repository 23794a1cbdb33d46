//! A finished run of the program and its results.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// The results of a run.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) raw_outputs: String,
    pub(crate) summary: String,
    /// The content of the report file; `Null` without a report file.
    pub(crate) report: Value,
    /// The content of the code quality file; empty without one.
    pub(crate) quality: String,
    pub(super) folder: PathBuf,
}

/// Removes the quotes from a value of a dotenv file, as a shell does.
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    inner.map_or_else(|| value.to_owned(), |inner| inner.replace("'\\''", "'"))
}

impl Finished {
    /// Parses the output file, in GitHub's format or as a dotenv file.
    pub(crate) fn outputs(&self) -> BTreeMap<String, String> {
        let mut outputs = BTreeMap::new();
        let mut lines = self.raw_outputs.lines();
        while let Some(line) = lines.next() {
            let (name, value) = match (line.split_once("<<"), line.split_once('=')) {
                (Some((name, end)), _) if !name.contains('=') => {
                    let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
                    (name, value.join("\n"))
                }
                (_, Some((name, value))) => (name, unquoted(value)),
                _ => panic!("the line is not an output: {line}"),
            };
            assert_eq!(outputs.insert(name.to_owned(), value), None, "the output `{name}` is written twice");
        }
        outputs
    }

    /// Returns the value of an output.
    pub(crate) fn output(&self, name: &str) -> String {
        self.outputs().remove(name).unwrap_or_else(|| panic!("no output {name}: {self:#?}"))
    }

    /// Returns the output `integrations`.
    pub(crate) fn integrations(&self) -> Value {
        serde_json::from_str(&self.output("integrations")).unwrap()
    }

    /// Returns the size of the only integration's script from the summary, and the previous size from the report. Asserts that
    /// the table and the diagram of the summary agree.
    pub(crate) fn size(&self) -> String {
        let rows: Vec<_> = self.summary.lines().filter(|line| line.ends_with(" ms |")).collect();
        let [row] = rows[..] else { panic!("{}", self.summary) };
        let shown = row.split(" | ").nth(3).unwrap();
        if let Some((_, pie)) = self.summary.split_once("<summary>") {
            assert_eq!(pie.split("</summary>").next().unwrap().split_once(", ").unwrap().1, shown);
        }
        let [integration] = &self.report["integrations"].as_array().unwrap()[..] else { unreachable!() };
        format!("{shown}, before: {}", integration["script_bytes_before"])
    }

    /// Returns all text that the run has written to streams and files.
    pub(crate) fn everything(&self) -> String {
        let Self { stdout, stderr, raw_outputs, summary, report, quality, .. } = self;
        format!("{stdout}\n{stderr}\n{raw_outputs}\n{summary}\n{report:#}\n{quality}")
    }
}
