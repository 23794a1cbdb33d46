//! The Markdown summary of a run, with a row for each integration.

mod pie;

use std::io;
use std::path::Path;
use std::time::Duration;

use super::destination::{Destination, FinishedRun, ResultFile};
use super::{Printer, RunReport, escape, size};
use crate::ci::Runner;
use crate::deploy::{Outcome, Success};
use crate::diagnostic::Diagnostic;
use crate::environment::Environment;
use crate::error::{Error, ProblemCounts, causes, pluralize};
use crate::plan::Decision;

/// The maximum number of rows. GitHub does not show a summary larger than 1 MiB.
const MAX_ROWS: usize = 1000;

/// The maximum length of each text in the summary, in characters. Without a limit, a long branch name could fill the summary.
const MAX_TEXT_LENGTH: usize = 4000;

/// The maximum number of failures with causes and hints above the table. The table contains all failures, up to [`MAX_ROWS`].
const MAX_FAILURES: usize = 20;

/// The maximum number of integrations for which the summary has no table of the slowest integrations.
const MAX_WITHOUT_SLOWEST_TABLE: usize = 10;

/// The number of rows in the table of the slowest integrations.
const SLOWEST_TABLE_ROWS: usize = 5;

/// The summary file.
#[derive(Debug)]
struct SummaryFile(ResultFile);

/// Returns the summary file, if `GITBOOK_SUMMARY_FILE` or `GITHUB_STEP_SUMMARY` names one.
pub(super) fn destination(environment: &Environment) -> Option<Box<dyn Destination>> {
    let file = ResultFile::from_variable(environment, "GITBOOK_SUMMARY_FILE");
    let file = file.or_else(|| {
        let path = Runner::from_environment(environment).summary_file?;
        Some(ResultFile::new(environment, &path))
    })?;
    Some(Box::new(SummaryFile(file)))
}

impl Destination for SummaryFile {
    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, run: &FinishedRun<'_>) -> io::Result<Option<Diagnostic>> {
        self.0.append(&markdown_document(run.run, run.error, run.printer))?;
        Ok(None)
    }
}

fn markdown_document(run: &RunReport, error: Option<&Error>, printer: &Printer) -> String {
    let mut text = "### gitbook-deploy\n\n".to_owned();
    if let Some(plan) = &run.plan {
        text.push_str(&format!("**{}**: {}\n\n", plan.decision.name(), markdown(&plan.reason, printer)));
    }
    if let Some(share_description) = &run.share_description {
        text.push_str(&format!("{}\n\n", markdown(share_description, printer)));
    }
    let failures = run.outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err());
    for failure in failures.take(MAX_FAILURES) {
        text.push_str(&error_paragraph(failure, Some(&failure.hint()), printer));
    }
    if !run.outcomes.is_empty() {
        text.push_str(&results_table(&run.outcomes, printer));
        text.push('\n');
    }
    if !run.problems.is_empty() {
        text.push_str(&format!("{}; see the log.\n\n", ProblemCounts::of(&run.problems)));
    }
    match error {
        Some(Error::Deployment { .. }) | None => {}
        Some(error) => text.push_str(&error_paragraph(error, error.hint().as_deref(), printer)),
    }
    text.push_str(&slowest_table(run, printer));
    text + &pie::pie_charts(&run.outcomes, printer)
}

/// Returns a table of the results of all integrations. Failures come first.
fn results_table(outcomes: &[Outcome], printer: &Printer) -> String {
    let mut text = "| Integration | Result | Version | Script | Time |\n|---|---|---|---|---|\n".to_owned();
    let (failed, others): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.result.is_err());
    for outcome in failed.into_iter().chain(others).take(MAX_ROWS) {
        text.push_str(&table_row(outcome, printer));
    }
    if let Some(more @ 1..) = outcomes.len().checked_sub(MAX_ROWS) {
        text.push_str(&format!("\nand {} more\n", pluralize(more, "integration")));
    }
    text
}

/// Returns a table of the slowest integrations, or an empty text if there are only a few integrations.
fn slowest_table(run: &RunReport, printer: &Printer) -> String {
    let decision = run.plan.as_ref().map(|plan| &plan.decision);
    // A check publishes nothing. The duration of its outcomes is the packaging time, which must not count twice.
    let publishes = !matches!(decision, Some(Decision::Check | Decision::Plan(_)));
    let publishing = |outcome: &Outcome| if publishes { outcome.duration } else { Duration::ZERO };
    let packaged = run.outcomes.iter().filter_map(|outcome| Some((outcome, outcome.packaging_time?)));
    let mut slowest: Vec<_> = packaged.collect();
    if slowest.len() <= MAX_WITHOUT_SLOWEST_TABLE {
        return String::new();
    }
    slowest.sort_by_key(|(outcome, packaging)| std::cmp::Reverse(*packaging + publishing(outcome)));
    let mut text =
        "Slowest integrations:\n\n| Integration | Packaging | Publishing |\n|---|---|---|\n".to_owned();
    for (outcome, packaging) in slowest.into_iter().take(SLOWEST_TABLE_ROWS) {
        let (name, packaging) = (markdown(&outcome.name, printer), format_milliseconds(packaging));
        text.push_str(&format!("| {name} | {packaging} | {} |\n", format_milliseconds(publishing(outcome))));
    }
    text + "\n"
}

fn format_milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

fn table_row(outcome: &Outcome, printer: &Printer) -> String {
    let markdown = |text: &str| markdown(text, printer);
    let success = outcome.result.as_ref().ok();
    let name = markdown(&outcome.name);
    let url = success.and_then(|success| success.url.as_deref());
    let url = url.and_then(|url| escape::link_target(&printer.redact(url)));
    let name = url.map_or_else(|| name.clone(), |url| format!("[{name}](<{url}>)"));
    let note = success.and_then(|success| success.note.as_deref());
    let note = note.map(|note| format!(" ({})", markdown(note)));
    let version = success.and_then(|success| success.version.as_deref()).map(markdown).unwrap_or_default();
    let script = success.and_then(script_size).unwrap_or_default();
    let time = format_milliseconds(outcome.duration);
    format!(
        "| {name} | {}{} | {version} | {script} | {time} |\n",
        outcome.status_name(),
        note.unwrap_or_default()
    )
}

fn error_paragraph(error: &dyn std::error::Error, hint: Option<&str>, printer: &Printer) -> String {
    let lines = [Some(error.to_string()), causes(error), hint.map(str::to_owned)];
    let lines: Vec<_> = lines.iter().flatten().map(|line| markdown(line, printer)).collect();
    format!("❌ {}\n\n", lines.join("<br>"))
}

/// Returns a text as Markdown. Redacts the text, then cuts it to the maximum length, then escapes it.
fn markdown(text: &str, printer: &Printer) -> String {
    let text = printer.redact(text);
    match text.char_indices().nth(MAX_TEXT_LENGTH) {
        Some((end, _)) => escape::markdown(&text[..end]) + "…",
        None => escape::markdown(&text),
    }
}

fn script_size(success: &Success) -> Option<String> {
    Some(size::format_size(success.script_bytes?, success.script_bytes_before))
}
