//! The log in the form that tests compare: without routine lines and without values that differ between runs.
//!
//! Each wording that is filtered here is asserted by one test: `detected.rs` for the decision, `forge/deployments.rs` and
//! `gitlab/failures.rs` for the missing token, `outputs/problems.rs` for the count of problems.

use super::Finished;

/// The beginning of the fields of a result. Only results have it.
const RESULT_FIELDS: &str = " milliseconds=";

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

    /// Returns the first `info:` line, without `info: `: the CI system, the event and the decision.
    pub(crate) fn decision(&self) -> &str {
        let line = self.decision_line().and_then(|index| self.stderr.lines().nth(index));
        line.unwrap_or_else(|| panic!("no decision: {self:#?}")).trim_start_matches("info: ")
    }

    /// Returns warnings, errors, causes and results of integrations, without hints and times.
    pub(crate) fn events(&self) -> Vec<String> {
        let log = self.log();
        let is_event = |line: &&str| {
            !line.starts_with("exit ")
                && !line.starts_with("::add-mask::")
                && !line.trim_start().starts_with("hint: ")
                && (!line.starts_with("info: ") || line.contains(RESULT_FIELDS))
        };
        let without_times = |line: &str| {
            let line = line.split(RESULT_FIELDS).next().unwrap();
            line.split("; trying again in ").next().unwrap().to_owned()
        };
        log.lines().filter(is_event).map(without_times).collect()
    }

    fn decision_line(&self) -> Option<usize> {
        self.stderr.lines().position(|line| line.starts_with("info: "))
    }

    fn with_exit_code(&self, log: &str) -> String {
        format!("exit {}\n{}", self.code.unwrap(), self.scrubbed(log))
    }

    /// Removes values that differ between runs: the folder, ports and times.
    pub(crate) fn scrubbed(&self, text: &str) -> String {
        // Windows describes a missing file in its own words.
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
        let text = replace_digits_after(&text, "milliseconds=", "…");
        replace_digits_after(&text, "\"milliseconds\":", "…")
    }
}

/// Most runs of these tests have no token of a forge.
fn names_missing_forge_token(line: &str) -> bool {
    line.starts_with("info: ") && ["`GITHUB_TOKEN`", "`GITLAB_TOKEN`"].iter().any(|name| line.contains(name))
}

/// The last line of a run with problems: `error: 2 errors in 1 file, …`.
fn counts_problems(line: &str) -> bool {
    let count = line.strip_prefix("error: ").and_then(|line| line.split_once(' '));
    count.is_some_and(|(number, rest)| number.parse::<usize>().is_ok() && rest.starts_with("error"))
}

/// Replaces the digits after each marker.
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
