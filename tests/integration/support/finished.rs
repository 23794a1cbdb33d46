//! A run that ended, and all that came out of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// All that came out of a run.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) raw_outputs: String,
    pub(crate) summary: String,
    /// Null where none was written.
    pub(crate) report: Value,
    /// What GitLab shows of the code's quality.
    pub(crate) quality: String,
    pub(super) folder: PathBuf,
}

/// A value of a dotenv file as a shell reads it.
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    inner.map_or_else(|| value.to_owned(), |inner| inner.replace("'\\''", "'"))
}

impl Finished {
    /// The outputs as the next step sees them, whichever form they were written in.
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
                _ => panic!("no output: {line}"),
            };
            assert_eq!(outputs.insert(name.to_owned(), value), None, "{name} is written once");
        }
        outputs
    }

    /// One output.
    pub(crate) fn output(&self, name: &str) -> String {
        self.outputs().remove(name).unwrap_or_else(|| panic!("no output {name}: {self:#?}"))
    }

    /// The output `integrations`.
    pub(crate) fn integrations(&self) -> Value {
        serde_json::from_str(&self.output("integrations")).unwrap()
    }

    /// What the summary says of the script of the only integration, which must be the same wherever it does, and how
    /// long it was before, as the report has it.
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

    /// Everything that anybody may read afterwards.
    pub(crate) fn everything(&self) -> String {
        let Self { stdout, stderr, raw_outputs, summary, report, quality, .. } = self;
        format!("{stdout}\n{stderr}\n{raw_outputs}\n{summary}\n{report:#}\n{quality}")
    }

    /// The exit code and the log, without what is different each time.
    pub(crate) fn log(&self) -> String {
        format!("exit {}\n{}", self.code.unwrap(), self.scrubbed(&self.stderr))
    }

    /// A text without what is different each time: the folder, ports and times.
    pub(crate) fn scrubbed(&self, text: &str) -> String {
        // Windows has words of its own for a file that is not there.
        let text = text.replace("The system cannot find the file specified.", "No such file or directory");
        let text = text.replace(
            "The system cannot find the path specified. (os error 3)",
            "No such file or directory (os error 2)",
        );
        let folder = self.folder.to_str().unwrap();
        let text = text.replace(folder, "<folder>").replace(&folder.replace('\\', "/"), "<folder>");
        let text = text.replace("<folder>\\", "<folder>/").replace("file:///<folder>", "file://<folder>");
        let text = text.replace(super::TOKEN, "<token>");
        let text = digits_after(&text, "127.0.0.1:", "<port>");
        let text = digits_after(&text, "milliseconds=", "…");
        digits_after(&text, "\"milliseconds\":", "…")
    }
}

/// The text with something else in place of the digits that follow a marker.
pub(crate) fn digits_after(text: &str, marker: &str, instead: &str) -> String {
    let mut parts = text.split(marker);
    let mut scrubbed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let replaced = if rest.len() < part.len() { instead } else { "" };
        scrubbed.extend([marker, replaced, rest]);
    }
    scrubbed
}
