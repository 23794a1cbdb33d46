//! What the user sees; the only module that prints.

mod annotations;
pub(crate) mod comment;
mod escape;
mod excerpt;
mod hidden;
mod log;
mod outputs;
mod printer;
mod progress;
mod quality;
mod section;
mod size;
mod summary;

pub(crate) use log::dispatch;
pub(crate) use printer::Printer;
pub use printer::Terminal;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::ci::{self, Ci};
use crate::config::LogFormat;
use crate::deploy::{NamedPreview, Outcome};
use crate::diagnostic::{Diagnostic, shown};
use crate::environment::Environment;
use crate::error::{Error, Tally, count};
use crate::links;
use crate::plan::{Decision, Plan};
use outputs::OutputFile;
use quality::QualityFile;

/// Everything that a run came to; it is filled in step by step, so that whatever is known is reported also when a
/// step fails.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// What the CI system told.
    pub ci: Option<Ci>,
    /// What was decided.
    pub plan: Option<Plan>,
    /// Problems in what the user wrote.
    pub problems: Vec<Diagnostic>,
    /// The previews that it is about, as far as they are known.
    pub named: Vec<NamedPreview>,
    /// What came of each integration.
    pub outcomes: Vec<Outcome>,
    /// Shares for a later job, in the mode `plan`.
    pub shares: Option<Shares>,
    /// How the work is divided among machines, and how much of it is this one's.
    pub division: Option<String>,
}

/// The work of a later job, divided among runners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// How many integrations there are.
    pub count: usize,
    /// How many shares there are to be.
    pub total: usize,
}

impl Shares {
    /// The value of `strategy.matrix`: one `shard` for each job.
    fn matrix(self) -> Value {
        let total = self.total;
        json!({ "shard": (1..=total).map(|index| format!("{index}/{total}")).collect::<Vec<_>>() })
    }
}

/// Where everything goes that is said at the end.
#[derive(Debug)]
pub(crate) struct Report {
    printer: Printer,
    outputs: Option<OutputFile>,
    summary: Option<PathBuf>,
    document: Option<PathBuf>,
    quality: Option<QualityFile>,
    /// The folder whose links are not followed.
    checkout: PathBuf,
}

impl Report {
    /// Opens what the environment names. Nothing here can fail: a sink that can't be written is a warning, once
    /// there is something to write.
    #[must_use]
    pub(crate) fn open(environment: &Environment, printer: Printer) -> Self {
        let path = |name: &str| environment.get(name).map(|path| environment.folder().join(path));
        let github = path("GITHUB_OUTPUT");
        let checkout = links::checkout(environment.folder(), ci::workspace(environment).as_deref());
        let on_gitlab = environment.get("GITLAB_CI") == Some("true");
        Self {
            printer,
            outputs: match path("GITBOOK_OUTPUT_FILE") {
                Some(own) if Some(&own) == github.as_ref() => Some(OutputFile::github(own)),
                Some(own) if on_gitlab => Some(OutputFile::gitlab(own)),
                Some(own) => Some(OutputFile::dotenv(own)),
                None => github.map(OutputFile::github),
            },
            summary: path("GITBOOK_SUMMARY_FILE").or_else(|| path("GITHUB_STEP_SUMMARY")),
            document: path("GITBOOK_REPORT_FILE"),
            quality: QualityFile::of(environment, &checkout),
            checkout,
        }
    }

    /// The comment's row that says of a preview that it is gone.
    #[must_use]
    pub(crate) fn removed(&self, name: &str, run: u64, now: &str) -> comment::Row {
        comment::removed(name, run, now, &self.printer)
    }

    /// Shows problems now, in the order of their places.
    pub(crate) fn problems(&self, problems: &[Diagnostic]) {
        self.printer.problems(problems);
    }

    /// Says how the run ended, on the terminal and in every file that was asked for, and gives the exit code.
    #[must_use]
    pub(crate) fn close(&self, run: &Run, result: Result<(), Error>) -> u8 {
        let error = result.err();
        // A sweep has said so itself.
        let is_sweep = run.plan.as_ref().is_some_and(|plan| plan.decision == Decision::Sweep);
        if run.outcomes.len() >= section::MANY && !is_sweep {
            self.printer.info(&tally(&run.outcomes));
        }
        for outcome in &run.outcomes {
            if let Err(failure) = &outcome.result {
                self.printer.one_failure(failure, Some(&failure.hint()));
            }
        }
        let exit_code = error.as_ref().map_or(0, Error::exit_code);
        let values = values(run, error.as_ref(), &self.printer);
        if let Some(outputs) = &self.outputs {
            let left_out =
                outputs.write(&values, &self.checkout).map(|names| self.left_out(outputs.path(), &names));
            self.written(outputs.path(), left_out);
        }
        if let Some(path) = &self.summary {
            let text = summary::document(run, error.as_ref(), &self.printer);
            self.written(path, outputs::append(path, &text, &self.checkout));
        }
        if let Some(path) = &self.document {
            let document = document(run, error.as_ref(), exit_code, &self.printer);
            let document = self.printer.redacted_values(document);
            let text = format!("{document:#}\n");
            self.written(path, outputs::write(path, &text, &self.checkout));
        }
        if let Some(file) = &self.quality {
            let text = format!("{:#}\n", file.document(&run.problems, &self.printer));
            self.written(&file.path, outputs::write(&file.path, &text, &self.checkout));
        }
        if !run.problems.is_empty() && run.problems.iter().all(|problem| !problem.is_error()) {
            self.printer.info(&Tally::of(&run.problems).to_string());
        }
        match &error {
            // One integration's failure was shown just now.
            Some(Error::Deployment { total: 1, .. }) | None => {}
            Some(error) => self.printer.failure(error, error.hint().as_deref()),
        }
        exit_code
    }

    /// Says which outputs the next job is not given, since its system would refuse them all.
    fn left_out(&self, path: &Path, names: &[&str]) {
        if names.is_empty() {
            return;
        }
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("`{}` is without {}", path.display(), names.join(", "));
        let hint = "GitLab refuses a report of 5 KiB or more than 20 variables and fails the job; `GITBOOK_REPORT_FILE` holds it all";
        self.printer.problems(&[Diagnostic::warning(None, message).hint(hint.to_owned())]);
    }

    /// A sink that fails never fails the deployment.
    fn written(&self, path: &Path, result: std::io::Result<()>) {
        if let Err(error) = result {
            let message = format!("`{}` can't be written: {error}", shown(path));
            self.printer.problems(&[Diagnostic::warning(None, message)]);
        }
    }
}

/// What came of many, whose lines may be folded: how often each result.
fn tally(outcomes: &[Outcome]) -> String {
    let mut words: Vec<(&str, usize)> = Vec::new();
    for outcome in outcomes {
        match words.iter_mut().find(|(word, _)| *word == outcome.word()) {
            Some((_, number)) => *number += 1,
            None => words.push((outcome.word(), 1)),
        }
    }
    // What failed comes next.
    words.sort_by_key(|(word, _)| *word == "failed");
    let counts: Vec<_> = words.iter().map(|(word, number)| format!("{number} {word}")).collect();
    format!("of {}: {}", count(outcomes.len(), "integration"), counts.join(", "))
}

/// The outputs of section 8 of the contract, in this order.
fn values(run: &Run, error: Option<&Error>, printer: &Printer) -> Vec<(&'static str, String)> {
    let plan = run.plan.as_ref();
    let shares = run.shares;
    let mode = plan.map_or("", |plan| plan.decision.name());
    let reason = plan.map(|plan| printer.redacted(&plan.reason)).unwrap_or_default();
    let sha = run
        .ci
        .as_ref()
        .and_then(|ci| ci.commit.as_deref())
        .map(|sha| printer.redacted(sha))
        .unwrap_or_default();
    let of_the_run = |outcome| {
        let mut value = printer.redacted_values(integration(outcome));
        (value["mode"], value["reason"], value["sha"]) =
            (mode.into(), reason.as_str().into(), sha.as_str().into());
        value
    };
    let each: Vec<_> = run.outcomes.iter().map(of_the_run).collect();
    let first_value = |key: &str| match each.first() {
        Some(value) => value[key].as_str().map_or_else(String::new, str::to_owned),
        None => String::new(),
    };
    let (name, url, version) = (first_value("name"), first_value("url"), first_value("version"));
    vec![
        ("mode", mode.to_owned()),
        ("reason", reason.clone()),
        ("sha", sha.clone()),
        ("result", result(run, error).to_owned()),
        ("name", name),
        ("url", url),
        ("version", version),
        ("preview", is_preview(run).to_string()),
        ("integrations", Value::from(each).to_string()),
        ("matrix", shares.map(|shares| shares.matrix().to_string()).unwrap_or_default()),
        ("count", shares.map_or(run.outcomes.len(), |shares| shares.count).to_string()),
    ]
}

/// The output `result`: the first integration's, or what came of a run that got to none.
fn result(run: &Run, error: Option<&Error>) -> &'static str {
    match (run.outcomes.first(), error) {
        (Some(first), _) => first.word(),
        (None, Some(_)) => "failed",
        (None, None) if run.shares.is_some() => "checked",
        (None, None) => "skipped",
    }
}

fn is_preview(run: &Run) -> bool {
    matches!(run.plan.as_ref().map(|plan| &plan.decision), Some(Decision::Preview(_) | Decision::Delete(_)))
}

/// One integration, as the output `integrations` and the report have it.
fn integration(outcome: &Outcome) -> Value {
    let done = outcome.result.as_ref().ok();
    json!({
        "name": outcome.name,
        "result": outcome.word(),
        "preview": outcome.preview,
        "url": done.and_then(|done| done.url.as_deref()),
        "version": done.and_then(|done| done.version.as_deref()),
        "manifest": outcome.place.to_string(),
        "script_bytes": done.and_then(|done| done.script_bytes),
        "milliseconds": milliseconds(outcome.time),
        "note": done.and_then(|done| done.note.as_deref()),
        "error": outcome.result.as_ref().err().map(|error| failure(error, Some(error.hint()))),
    })
}

/// The report file: the whole result as one document.
fn document(run: &Run, error: Option<&Error>, exit_code: u8, printer: &Printer) -> Value {
    let ci = run.ci.as_ref();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "exit_code": exit_code,
        "mode": run.plan.as_ref().map(|plan| plan.decision.name()),
        "reason": run.plan.as_ref().map(|plan| &plan.reason),
        "result": result(run, error),
        "count": run.shares.map(|shares| shares.count),
        "matrix": run.shares.map(Shares::matrix),
        "division": run.division,
        "ci": ci.map(|ci| json!({
            "system": ci.system,
            "repository": ci.repository,
            "branch": ci.branch.as_ref().map(ToString::to_string),
            "pull_request": ci.pull_request,
            "sha": ci.commit,
            "run": ci.run_url,
        })),
        "error": error.map(|error| failure(error, error.hint())),
        "problems": run.problems.iter().map(|found| problem(found, printer)).collect::<Vec<_>>(),
        "integrations": run.outcomes.iter().map(integration_at_length).collect::<Vec<_>>(),
    })
}

/// One integration with what there is no room for elsewhere: an output may have few KiB.
fn integration_at_length(outcome: &Outcome) -> Value {
    let mut value = integration(outcome);
    let parts = outcome.result.as_ref().map_or(&[][..], |done| &done.parts);
    let packages = parts.iter().filter_map(|part| Some((part.package.as_deref()?, part.bytes)));
    value["packages"] = packages.map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect();
    value["packaging_milliseconds"] = outcome.packaging.map(milliseconds).into();
    let done = outcome.result.as_ref().ok();
    value["script_bytes_before"] = done.and_then(|done| done.script_bytes_before).into();
    value
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn failure(error: &dyn std::error::Error, hint: Option<String>) -> Value {
    json!({ "message": error.to_string(), "cause": printer::cause(error), "hint": hint })
}

/// A problem, as the report and a log of JSON have it.
fn problem(problem: &Diagnostic, printer: &Printer) -> Value {
    let place = problem.place.as_ref();
    let position = place.and_then(|place| place.position);
    json!({
        "severity": problem.severity,
        "file": place.and_then(|place| place.path()).map(shown),
        "variable": place.filter(|place| place.path().is_none()).map(|place| place.origin_text().into_owned()),
        "line": position.map(|position| position.line),
        "column": position.map(|position| position.column),
        "end_column": position.and_then(|position| position.end),
        "excerpt": place.and_then(|place| excerpt::safe(place, printer)).map(|excerpt| excerpt.text),
        "message": problem.message,
        "hint": problem.hint,
        "integration": problem.integration,
    })
}

/// How the log is written, and what is wrong with the variable that says so.
#[must_use]
pub(crate) fn log_format(environment: &Environment) -> (LogFormat, Vec<Diagnostic>) {
    LogFormat::from_environment(environment)
}
