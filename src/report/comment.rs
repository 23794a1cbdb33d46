//! The comment on a pull request, with one row for each preview. Several jobs may update the same comment, and each job adds its
//! own rows.

mod row;

pub(crate) use row::Row;

use std::collections::BTreeMap;

use super::{Printer, RunReport};
use crate::deploy::{NamedPreview, Outcome, Status};
use crate::diagnostic::Diagnostic;
use crate::error::{Error, causes};
use row::RowState;

/// The first line of the comment, which identifies it.
pub(crate) const MARKER: &str = "<!-- gitbook-deploy:comment -->";

/// The maximum length of a comment on GitHub in UTF-16 code units. GitLab's limit is 1,000,000.
const MAX_LENGTH: usize = 65_536;

const HEADER: &str =
    "### GitBook previews\n\n| Preview | Status | Commit | Script | Updated |\n|---|---|---|---|---|\n";
const OMITTED_ROWS_NOTE: &str = "\nSee the summaries of the runs for more previews.";

/// Returns the redacted rows for a run. A skipped preview has no row, since the run that publishes or deletes the preview writes
/// its row.
#[must_use]
pub(crate) fn preview_rows(run: &RunReport, error: Option<&Error>, now: &str, printer: &Printer) -> Vec<Row> {
    let run_row = Row {
        run: run.ci.as_ref().map_or(0, |ci| ci.run_number),
        attempt: run.ci.as_ref().map_or(0, |ci| ci.attempt),
        commit: run.ci.as_ref().and_then(|ci| ci.commit.clone()).unwrap_or_default(),
        updated_at: now.to_owned(),
        ..Row::default()
    };
    let log_url = run.ci.as_ref().and_then(|ci| ci.run_url.clone());
    let rows: Vec<_> = if run.outcomes.is_empty() {
        let failed = |(name, note)| Row {
            name,
            note,
            state: RowState::Failed,
            log_url: log_url.clone(),
            ..run_row.clone()
        };
        error
            .map(|error| failure_reasons(run, error, printer))
            .unwrap_or_default()
            .into_iter()
            .map(failed)
            .collect()
    } else {
        run.outcomes
            .iter()
            .filter_map(|outcome| outcome_row(outcome, &run_row, log_url.as_ref(), printer))
            .collect()
    };
    rows.into_iter().map(|row| row.redacted(printer)).collect()
}

/// Returns the redacted row of a deleted preview.
#[must_use]
pub(crate) fn removed_row(name: &str, run: u64, now: &str, printer: &Printer) -> Row {
    let (name, updated_at) = (name.to_owned(), now.to_owned());
    Row { name, updated_at, run, state: RowState::Removed, ..Row::default() }.redacted(printer)
}

fn outcome_row(outcome: &Outcome, run_row: &Row, log_url: Option<&String>, printer: &Printer) -> Option<Row> {
    let row = Row { name: outcome.name.clone(), ..run_row.clone() };
    let success = match &outcome.result {
        Ok(success) => success,
        Err(error) => {
            let causes = causes(error).map(|causes| format!(": {causes}")).unwrap_or_default();
            let note = first_line_of(&printer.redact(&format!("{error}{causes}")));
            return Some(Row { state: RowState::Failed, note, log_url: log_url.cloned(), ..row });
        }
    };
    let state = match success.status {
        Status::Published => RowState::Published,
        Status::Unchanged => RowState::Unchanged,
        Status::Deleted => RowState::Removed,
        Status::Checked | Status::Skipped => return None,
    };
    if state == RowState::Removed {
        return Some(Row { state, ..row });
    }
    let published_commit = row.commit.clone();
    let (url, version) = (success.url.clone(), success.version.clone());
    let (bytes, bytes_before) = (success.script_bytes, success.script_bytes_before);
    Some(Row { state, published_commit, url, version, bytes, bytes_before, ..row })
}

/// Returns the name of each preview and the reason why it was not published, for a run that failed before its first request. If
/// the previews are unknown, returns one reason with an empty name.
fn failure_reasons(run: &RunReport, error: &Error, printer: &Printer) -> Vec<(String, String)> {
    let reason = |preview: &NamedPreview| failure_reason(preview, run, error, printer);
    let mut failures: Vec<_> =
        run.previews.iter().map(|preview| (preview.name.clone(), reason(preview))).collect();
    if failures.is_empty() {
        let problem = run.problems.iter().find(|problem| problem.is_error());
        let reason = problem.map_or_else(|| error.to_string(), ToString::to_string);
        failures.push((String::new(), first_line_of(&printer.redact(&reason))));
    }
    failures
}

fn failure_reason(preview: &NamedPreview, run: &RunReport, error: &Error, printer: &Printer) -> String {
    if !matches!(error, Error::InvalidIntegrations(_)) {
        return first_line_of(&printer.redact(&error.to_string()));
    }
    let folder = preview.location.path().and_then(|path| path.parent());
    let concerns_preview = |problem: &&Diagnostic| {
        let path = problem.location.as_ref().and_then(|location| location.path());
        problem.is_error() && path.zip(folder).is_none_or(|(path, folder)| path.starts_with(folder))
    };
    match run.problems.iter().find(concerns_preview) {
        Some(problem) => first_line_of(&printer.redact(&problem.to_string())),
        None => "not published: another integration has errors".to_owned(),
    }
}

/// Returns the beginning of the first line. The caller must redact the text first, because the redactor would not recognize a
/// truncated secret.
fn first_line_of(text: &str) -> String {
    const MAX_NOTE: usize = 300;
    text.lines().next().unwrap_or_default().chars().take(MAX_NOTE).collect()
}

/// Merges new rows into the rows of existing comments. `existing` contains the texts of the comments, from the oldest to the
/// newest. Returns the text of the merged comment. If the only existing comment already has all new rows, returns its text.
#[must_use]
pub(crate) fn merge_rows(existing: &[String], new: &[Row]) -> String {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for row in existing.iter().flat_map(|text| text.lines()).filter_map(Row::parse) {
        if rows.get(&row.name).is_none_or(|known| known.run <= row.run) {
            rows.insert(row.name.clone(), row);
        }
    }
    for row in new {
        let known = rows.get(&row.name);
        let row = row.clone().with_previous_values(known);
        if known.is_none_or(|known| !known.is_newer_than(&row) && !known.is_repeated_by(&row)) {
            rows.insert(row.name.clone(), row);
        }
    }
    // A row without a name reports a run that failed before it knew its previews. The row is removed once a newer run reports
    // previews.
    let run_and_attempt = |row: &Row| (row.run, row.attempt);
    let newest = new.iter().filter(|row| !row.name.is_empty()).map(run_and_attempt).max();
    let fails_again = new.iter().any(|row| row.name.is_empty());
    if !fails_again
        && rows.get("").is_some_and(|row| newest.is_some_and(|newest| newest > run_and_attempt(row)))
    {
        rows.remove("");
    }
    // If an earlier job omitted rows, this comment lacks them, too.
    let lacks_rows = existing.iter().any(|text| text.contains(OMITTED_ROWS_NOTE));
    render_within_limit(rows.into_values().map(|row| (row.to_string(), row)).collect(), lacks_rows)
}

/// Returns the names of the previews that a comment lists as existing.
pub(crate) fn existing_preview_names(comment: &str) -> Vec<String> {
    let rows = comment
        .lines()
        .filter_map(Row::parse)
        .filter(|row| row.state != RowState::Removed && !row.name.is_empty());
    rows.map(|row| row.name).collect()
}

/// Returns a comment with as many rows as the limit allows. Failures take precedence.
fn render_within_limit(mut rows: Vec<(String, Row)>, lacks_rows: bool) -> String {
    let length = |text: &str| text.encode_utf16().count() + 1;
    let mut space_left = MAX_LENGTH - length(MARKER) - length(HEADER) - length(OMITTED_ROWS_NOTE);
    rows.sort_by_key(|(_, row)| row.state != RowState::Failed);
    let row_count = rows.len();
    rows.retain(|(line, _)| {
        let fits = space_left >= length(line);
        space_left = if fits { space_left - length(line) } else { 0 };
        fits
    });
    let note = if lacks_rows || rows.len() < row_count { OMITTED_ROWS_NOTE } else { "" };
    rows.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let lines: Vec<_> = rows.into_iter().map(|(line, _)| line).collect();
    format!("{MARKER}\n{HEADER}{}\n{note}", lines.join("\n")).trim_end().to_owned()
}

#[cfg(test)]
mod tests;
