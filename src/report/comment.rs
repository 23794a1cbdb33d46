//! The comment on a pull request: one row for each preview, which several jobs write each its own of.

mod row;

pub(crate) use row::Row;

use std::collections::BTreeMap;

use super::{Printer, RunReport, printer::cause};
use crate::deploy::{NamedPreview, Outcome, Status};
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use row::State;

/// The line that the comment is found by.
pub(crate) const MARKER: &str = "<!-- gitbook-deploy:comment -->";

/// GitHub takes no longer comments; characters of four bytes count as two. GitLab takes a million.
const LONGEST: usize = 65_536;

const HEAD: &str =
    "### GitBook previews\n\n| preview | state | commit | script | when |\n|---|---|---|---|---|\n";
const MORE: &str = "\nThere are more, in the summaries of the runs.";

/// The rows of a run: what came of each preview, without secrets.
///
/// What was left alone has none, since somebody else's row tells of it.
#[must_use]
pub(crate) fn rows(run: &RunReport, error: Option<&Error>, now: &str, printer: &Printer) -> Vec<Row> {
    let of_the_run = Row {
        run: run.ci.as_ref().map_or(0, |ci| ci.run),
        attempt: run.ci.as_ref().map_or(0, |ci| ci.attempt),
        commit: run.ci.as_ref().and_then(|ci| ci.commit.clone()).unwrap_or_default(),
        at: now.to_owned(),
        ..Row::default()
    };
    let log = run.ci.as_ref().and_then(|ci| ci.run_url.clone());
    let rows: Vec<_> = if run.outcomes.is_empty() {
        let failed =
            |(name, note)| Row { name, note, state: State::Failed, log: log.clone(), ..of_the_run.clone() };
        error.map(|error| failures(run, error, printer)).unwrap_or_default().into_iter().map(failed).collect()
    } else {
        run.outcomes
            .iter()
            .filter_map(|outcome| of_outcome(outcome, &of_the_run, log.as_ref(), printer))
            .collect()
    };
    rows.into_iter().map(|row| row.redacted(printer)).collect()
}

/// The row that says of a preview that it is gone.
#[must_use]
pub(super) fn removed(name: &str, run: u64, now: &str, printer: &Printer) -> Row {
    let (name, at) = (name.to_owned(), now.to_owned());
    Row { name, at, run, state: State::Removed, ..Row::default() }.redacted(printer)
}

fn of_outcome(outcome: &Outcome, of_the_run: &Row, log: Option<&String>, printer: &Printer) -> Option<Row> {
    let row = Row { name: outcome.name.clone(), ..of_the_run.clone() };
    let done = match &outcome.result {
        Ok(done) => done,
        Err(error) => {
            let cause = cause(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            let note = first_line(&printer.redacted(&format!("{error}{cause}")));
            return Some(Row { state: State::Failed, note, log: log.cloned(), ..row });
        }
    };
    let state = match done.status {
        Status::Published => State::Published,
        Status::Unchanged => State::Unchanged,
        Status::Deleted => State::Removed,
        Status::Checked | Status::Skipped => return None,
    };
    if state == State::Removed {
        return Some(Row { state, ..row });
    }
    let shows = row.commit.clone();
    let (url, version) = (done.url.clone(), done.version.clone());
    let (bytes, before) = (done.script_bytes, done.script_bytes_before);
    Some(Row { state, shows, url, version, bytes, before, ..row })
}

/// What failed before anything was sent: the preview's name and why.
fn failures(run: &RunReport, error: &Error, printer: &Printer) -> Vec<(String, String)> {
    let mut failures: Vec<_> =
        run.named.iter().map(|named| (named.name.clone(), why(named, run, error, printer))).collect();
    if failures.is_empty() {
        let problem = run.problems.iter().find(|problem| problem.is_error());
        failures.push((
            String::new(),
            first_line(&printer.redacted(&problem.map_or_else(|| error.to_string(), ToString::to_string))),
        ));
    }
    failures
}

fn why(named: &NamedPreview, run: &RunReport, error: &Error, printer: &Printer) -> String {
    if !matches!(error, Error::Sources(_)) {
        return first_line(&printer.redacted(&error.to_string()));
    }
    let folder = named.location.path().and_then(|path| path.parent());
    let is_of_it = |problem: &&Diagnostic| {
        let path = problem.place.as_ref().and_then(|place| place.path());
        problem.is_error() && path.zip(folder).is_none_or(|(path, folder)| path.starts_with(folder))
    };
    match run.problems.iter().find(is_of_it) {
        Some(problem) => first_line(&printer.redacted(&problem.to_string())),
        None => "not published, since another integration has errors".to_owned(),
    }
}

/// To be cut after secrets were taken out: what is left of one could not be found any more.
fn first_line(text: &str) -> String {
    const LONGEST_NOTE: usize = 300;
    text.lines().next().unwrap_or_default().chars().take(LONGEST_NOTE).collect()
}

/// The text with our rows in it and the others' of the texts that are there, oldest first. Given its own text, it gives
/// it back.
#[must_use]
pub(crate) fn text(there: &[String], ours: &[Row]) -> String {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for row in there.iter().flat_map(|text| text.lines()).filter_map(Row::read) {
        if rows.get(&row.name).is_none_or(|known| known.run <= row.run) {
            rows.insert(row.name.clone(), row);
        }
    }
    for row in ours {
        let known = rows.get(&row.name);
        let row = row.clone().after(known);
        if known.is_none_or(|known| !known.is_newer_than(&row) && !known.says_the_same_as(&row)) {
            rows.insert(row.name.clone(), row);
        }
    }
    // A failure of nothing in particular is over once a newer run has something in particular to tell.
    let age = |row: &Row| (row.run, row.attempt);
    let newest = ours.iter().filter(|row| !row.name.is_empty()).map(age).max();
    let says_so_again = ours.iter().any(|row| row.name.is_empty());
    if !says_so_again && rows.get("").is_some_and(|row| newest.is_some_and(|newest| newest > age(row))) {
        rows.remove("");
    }
    // What one job has left out, another does not know of.
    let was_cut = there.iter().any(|text| text.contains(MORE));
    cut(rows.into_values().map(|row| (row.to_string(), row)).collect(), was_cut)
}

/// The previews that a comment says are there.
pub(crate) fn previews(there: &str) -> Vec<String> {
    let rows =
        there.lines().filter_map(Row::read).filter(|row| row.state != State::Removed && !row.name.is_empty());
    rows.map(|row| row.name).collect()
}

/// All rows, or as many as fit, failures before others.
fn cut(mut rows: Vec<(String, Row)>, was_cut: bool) -> String {
    let length = |text: &str| text.encode_utf16().count() + 1;
    let mut room = LONGEST - length(MARKER) - length(HEAD) - length(MORE);
    rows.sort_by_key(|(_, row)| row.state != State::Failed);
    let all = rows.len();
    rows.retain(|(line, _)| {
        let fits = room >= length(line);
        room = if fits { room - length(line) } else { 0 };
        fits
    });
    let more = if was_cut || rows.len() < all { MORE } else { "" };
    rows.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let lines: Vec<_> = rows.into_iter().map(|(line, _)| line).collect();
    format!("{MARKER}\n{HEAD}{}\n{more}", lines.join("\n")).trim_end().to_owned()
}

#[cfg(test)]
mod tests;
