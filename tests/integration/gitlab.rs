//! Jobs of GitLab CI: the note on the merge request, the staleness checks and the sweep.

mod failures;
mod notes;
mod outputs;
mod races;
mod stop;
mod sweep;

use crate::support::{Finished, GitLab};

const MARKER: &str = "<!-- gitbook-deploy:comment -->";

fn done(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{}", finished.log());
}

/// Returns the rows of the program's only note on merge request 12.
fn rows(gitlab: &GitLab) -> Vec<String> {
    let project = gitlab.project();
    let ours = |note: &&crate::support::Note| {
        note.merge_request == 12 && note.author == crate::support::OWN_USER_ID && !note.system
    };
    let notes: Vec<_> = project.notes.iter().filter(ours).collect();
    assert!(notes.len() <= 1, "{notes:#?}");
    let lines = notes.iter().flat_map(|note| note.body.lines());
    let rows = lines.filter(|line| line.starts_with("| ") && line.contains("<!--"));
    rows.map(|row| row[2..].split(" | ").take(3).collect::<Vec<_>>().join(": ")).collect()
}

/// Returns the log lines that begin with one of the words.
fn lines(finished: &Finished, words: &[&str]) -> String {
    let log = finished.log();
    let of_words = log.lines().filter(|line| words.iter().any(|word| line.trim_start().starts_with(word)));
    of_words.collect::<Vec<_>>().join("\n")
}
