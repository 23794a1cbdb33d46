//! Prepares logs for comparison: removes routine lines and values that differ between runs.
//!
//! One test asserts each removed line: `detected.rs` for the decision, `forge/deployments.rs` and
//! `gitlab/failures.rs` for the missing token, `outputs/problems.rs` for the count of problems.

use super::Finished;

/// The beginnings of log lines that report the result of an integration.
const RESULTS: [&str; 6] = [
    "info: published ",
    "info: deleted ",
    "info: checked ",
    "info: skipped ",
    "info: unchanged ",
    "info: failed ",
];

impl Finished {
    /// Returns the exit code and the log without routine lines and without values that differ between runs.
    pub(crate) fn log(&self) -> String {
        let decision = self.decision_line();
        let is_routine = |(index, line): &(usize, &str)| {
            Some(*index) == decision || names_missing_forge_token(line) || counts_problems(line)
        };
        let lines = self.stderr.split_inclusive('\n').enumerate();
        let lines = lines.filter(|line| !is_routine(line)).map(|(_, line)| line);
        self.with_exit_code(&lines.collect::<String>())
    }

    /// Returns the exit code and the whole log without values that differ between runs.
    pub(crate) fn full_log(&self) -> String {
        self.with_exit_code(&self.stderr)
    }

    /// Returns the first log line of a run with the log format `json`: the CI system, the event and the decision.
    pub(crate) fn decision(&self) -> String {
        let mut line: serde_json::Value =
            serde_json::from_str(self.stderr.lines().next().unwrap_or_default()).unwrap();
        line.as_object_mut().unwrap().shift_remove("level");
        line.to_string()
    }

    /// Returns warnings, errors, causes and results of integrations, without hints and times.
    pub(crate) fn events(&self) -> Vec<String> {
        let log = self.log();
        let is_event = |line: &&str| {
            !line.starts_with("exit ")
                && !line.starts_with("::add-mask::")
                && !line.trim_start().starts_with("hint: ")
                && (!line.starts_with("info: ") || RESULTS.iter().any(|result| line.starts_with(result)))
        };
        let without_times = |line: &str| {
            let line = line.split("; retrying in ").next().unwrap();
            // The URLs of a sandbox differ between runs.
            line.split(" file://").next().unwrap().to_owned()
        };
        log.lines().filter(is_event).map(without_times).collect()
    }

    fn decision_line(&self) -> Option<usize> {
        self.stderr.lines().position(|line| line.starts_with("info: "))
    }

    fn with_exit_code(&self, log: &str) -> String {
        format!("exit {}\n{}", self.code.unwrap(), self.scrubbed(log))
    }

    /// Replaces values that differ between runs: folder, token, ports and times.
    pub(crate) fn scrubbed(&self, text: &str) -> String {
        // Windows has other messages for a missing file.
        let text = text.replace("The system cannot find the file specified.", "No such file or directory");
        let text = text.replace(
            "The system cannot find the path specified. (os error 3)",
            "No such file or directory (os error 2)",
        );
        let folder = self.folder.to_str().unwrap();
        let text = text.replace(folder, "<folder>").replace(&folder.replace('\\', "/"), "<folder>");
        let text = text.replace("<folder>\\", "<folder>/").replace("file:///<folder>", "file://<folder>");
        let text = text.replace(super::TOKEN, "<token>");
        let text = replace_digits_after(&text, "127.0.0.1:", "<port>");
        let text = replace_seconds(&text);
        replace_digits_after(&text, "\"milliseconds\":", "…")
    }
}

/// Returns true for the message about a missing forge token, which most runs of these tests print.
fn names_missing_forge_token(line: &str) -> bool {
    line.starts_with("info: ") && ["`GITHUB_TOKEN`", "`GITLAB_TOKEN`"].iter().any(|name| line.contains(name))
}

/// Returns true for the last line of a run with problems: `error: 2 errors in 1 file, …`.
fn counts_problems(line: &str) -> bool {
    let count = line.strip_prefix("error: ").and_then(|line| line.split_once(' '));
    count.is_some_and(|(number, rest)| number.parse::<usize>().is_ok() && rest.starts_with("error"))
}

/// Replaces the seconds in `(1.2 s)` and `(3.4 KiB, 1.2 s)`.
fn replace_seconds(text: &str) -> String {
    let mut parts: Vec<_> = text.split(" s)").map(str::to_owned).collect();
    let last = parts.len() - 1;
    for part in &mut parts[..last] {
        let digits = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        if digits < part.len() {
            part.replace_range(digits.., "…");
        }
    }
    parts.join(" s)")
}

/// Replaces the digits after each occurrence of a marker text.
pub(crate) fn replace_digits_after(text: &str, marker: &str, replacement: &str) -> String {
    let mut parts = text.split(marker);
    let mut scrubbed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let replaced = if rest.len() < part.len() { replacement } else { "" };
        scrubbed.extend([marker, replaced, rest]);
    }
    scrubbed
}
