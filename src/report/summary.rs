//! The Markdown summary: what was decided, and a row for each integration.

mod pie;

use std::time::Duration;

use super::{Printer, RunReport, escape, size};
use crate::deploy::{Outcome, Success};
use crate::error::{Error, ProblemCounts};
use crate::plan::Decision;

/// GitHub shows no summary of more than 1 MiB; what comes after so many rows is counted only.
const MOST_ROWS: usize = 1000;

/// A text of so many characters is cut: a branch's name may be as long as the whole summary.
const LONGEST_TEXT: usize = 4000;

/// Failures that are told at length; a row tells of each.
const MOST_FAILURES: usize = 20;

/// Of so few integrations everybody sees which are the slowest.
const FEW: usize = 10;

/// Those that took the longest.
const MOST_SLOWEST: usize = 5;

/// A row each: those that failed first, where they are seen.
fn table(outcomes: &[Outcome], printer: &Printer) -> String {
    let mut text = "| integration | result | version | script | time |\n|---|---|---|---|---|\n".to_owned();
    let (failed, done): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.result.is_err());
    for outcome in failed.into_iter().chain(done).take(MOST_ROWS) {
        text.push_str(&row(outcome, printer));
    }
    if outcomes.len() > MOST_ROWS {
        text.push_str(&format!("\nand {} more\n", outcomes.len() - MOST_ROWS));
    }
    text
}

pub(super) fn document(run: &RunReport, error: Option<&Error>, printer: &Printer) -> String {
    let mut text = "### gitbook-deploy\n\n".to_owned();
    if let Some(plan) = &run.plan {
        text.push_str(&format!("**{}**: {}\n\n", plan.decision.name(), markdown(&plan.reason, printer)));
    }
    if let Some(division) = &run.division {
        text.push_str(&format!("{}\n\n", markdown(division, printer)));
    }
    let failures = run.outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err());
    for failure in failures.take(MOST_FAILURES) {
        text.push_str(&paragraph(failure, Some(&failure.hint()), printer));
    }
    if !run.outcomes.is_empty() {
        text.push_str(&table(&run.outcomes, printer));
        text.push('\n');
    }
    if !run.problems.is_empty() {
        text.push_str(&format!("{}: see the log.\n\n", ProblemCounts::of(&run.problems)));
    }
    match error {
        Some(Error::Deployment { .. }) | None => {}
        Some(error) => text.push_str(&paragraph(error, error.hint().as_deref(), printer)),
    }
    text.push_str(&slowest(run, printer));
    text + &pie::pies(&run.outcomes, printer)
}

/// Where the time went, of those that took the longest.
fn slowest(run: &RunReport, printer: &Printer) -> String {
    let decision = run.plan.as_ref().map(|plan| &plan.decision);
    // What is built only has no other time than that.
    let is_sent = !matches!(decision, Some(Decision::Check | Decision::Plan(_)));
    let sending = |outcome: &Outcome| if is_sent { outcome.time } else { Duration::ZERO };
    let packaged = run.outcomes.iter().filter_map(|outcome| Some((outcome, outcome.packaging?)));
    let mut slowest: Vec<_> = packaged.collect();
    if slowest.len() <= FEW {
        return String::new();
    }
    slowest.sort_by_key(|(outcome, packaging)| std::cmp::Reverse(*packaging + sending(outcome)));
    let mut text = "The slowest:\n\n| integration | packaging | publishing |\n|---|---|---|\n".to_owned();
    for (outcome, packaging) in slowest.into_iter().take(MOST_SLOWEST) {
        let (name, packaging) = (markdown(&outcome.name, printer), milliseconds(packaging));
        text.push_str(&format!("| {name} | {packaging} | {} |\n", milliseconds(sending(outcome))));
    }
    text + "\n"
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

fn row(outcome: &Outcome, printer: &Printer) -> String {
    let markdown = |text: &str| markdown(text, printer);
    let done = outcome.result.as_ref().ok();
    let name = markdown(&outcome.name);
    let url =
        done.and_then(|done| done.url.as_deref()).and_then(|url| escape::destination(&printer.redacted(url)));
    let name = url.map_or_else(|| name.clone(), |url| format!("[{name}](<{url}>)"));
    let note = done.and_then(|done| done.note.as_deref()).map(|note| format!(" ({})", markdown(note)));
    let version = done.and_then(|done| done.version.as_deref()).map(markdown).unwrap_or_default();
    let script = done.and_then(script).unwrap_or_default();
    let time = milliseconds(outcome.time);
    format!(
        "| {name} | {}{} | {version} | {script} | {time} |\n",
        outcome.status_name(),
        note.unwrap_or_default()
    )
}

fn paragraph(error: &dyn std::error::Error, hint: Option<&str>, printer: &Printer) -> String {
    let parts = [Some(error.to_string()), super::printer::cause(error), hint.map(str::to_owned)];
    let parts: Vec<_> = parts.iter().flatten().map(|part| markdown(part, printer)).collect();
    format!("❌ {}\n\n", parts.join("<br>"))
}

/// Text without secrets, which could not be found in it once it is escaped.
fn markdown(text: &str, printer: &Printer) -> String {
    let text = printer.redacted(text);
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => escape::markdown(&text[..end]) + "…",
        None => escape::markdown(&text),
    }
}

/// How long the script is, and how that has changed.
fn script(done: &Success) -> Option<String> {
    Some(size::with_change(done.script_bytes?, done.script_bytes_before))
}
