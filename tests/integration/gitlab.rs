//! GitLab jobs: the note on the merge request, staleness checks, stopped environments and sweeps.

mod failures;
mod notes;
mod outputs;
mod races;
mod stop;
mod sweep;

use crate::support::{Finished, GitLab};

const MARKER: &str = "<!-- gitbook-deploy:comment -->";

fn assert_success(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{}", finished.log());
}

/// Returns the rows of the program's only note on merge request 12.
fn note_rows(gitlab: &GitLab) -> Vec<String> {
    let project = gitlab.project();
    let is_own = |note: &&crate::support::Note| {
        note.merge_request == 12 && note.author == crate::support::OWN_USER_ID && !note.system
    };
    let notes: Vec<_> = project.notes.iter().filter(is_own).collect();
    assert!(notes.len() <= 1, "{notes:#?}");
    let lines = notes.iter().flat_map(|note| note.body.lines());
    let rows = lines.filter(|line| line.starts_with("| ") && line.contains("<!--"));
    rows.map(|row| row[2..].split(" | ").take(3).collect::<Vec<_>>().join(": ")).collect()
}

/// Returns the log lines that begin with one of the words.
fn log_lines(finished: &Finished, words: &[&str]) -> String {
    let log = finished.log();
    let matching = log.lines().filter(|line| words.iter().any(|word| line.trim_start().starts_with(word)));
    matching.collect::<Vec<_>>().join("\n")
}
