//! The report file: all results of a run as one JSON document.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::destination::{Destination, FinishedRun, ResultFile};
use super::{Printer, ShardPlan, excerpt};
use crate::deploy::Outcome;
use crate::diagnostic::{Diagnostic, display_path};
use crate::environment::Environment;
use crate::error::causes;

/// The file for all results of a run.
#[derive(Debug)]
struct ReportFile(ResultFile);

/// Returns the report file, if `GITBOOK_REPORT_FILE` names one.
pub(super) fn destination(environment: &Environment) -> Option<Box<dyn Destination>> {
    Some(Box::new(ReportFile(ResultFile::from_variable(environment, "GITBOOK_REPORT_FILE")?)))
}

impl Destination for ReportFile {
    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, run: &FinishedRun<'_>) -> io::Result<Option<Diagnostic>> {
        let document = run.printer.redact_json(report_object(run));
        self.0.write(&format!("{document:#}\n"))?;
        Ok(None)
    }
}

fn report_object(finished: &FinishedRun<'_>) -> Value {
    let FinishedRun { run, error, exit_code, printer } = *finished;
    let ci = run.ci.as_ref();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "exit_code": exit_code,
        "mode": run.plan.as_ref().map(|plan| plan.decision.name()),
        "reason": run.plan.as_ref().map(|plan| &plan.reason),
        "result": finished.result(),
        "count": run.shard_plan.map(|count| count.integrations),
        "matrix": run.shard_plan.map(ShardPlan::matrix),
        "division": run.share_description,
        "ci": ci.map(|ci| json!({
            "system": ci.system,
            "repository": ci.repository,
            "branch": ci.branch.as_ref().map(ToString::to_string),
            "pull_request": ci.pull_request,
            "sha": ci.commit,
            "run": ci.run_url,
        })),
        "error": error.map(|error| error_object(error, error.hint())),
        "problems": run.problems.iter().map(|problem| problem_object(problem, printer)).collect::<Vec<_>>(),
        "integrations": run.outcomes.iter().map(detailed_integration_object).collect::<Vec<_>>(),
    })
}

/// Returns the fields of one integration that are part of both the output `integrations` and the report file.
pub(super) fn integration_object(outcome: &Outcome) -> Value {
    let success = outcome.result.as_ref().ok();
    json!({
        "name": outcome.name,
        "result": outcome.status_name(),
        "preview": outcome.is_preview,
        "url": success.and_then(|success| success.url.as_deref()),
        "version": success.and_then(|success| success.version.as_deref()),
        "manifest": outcome.location.to_string(),
        "script_bytes": success.and_then(|success| success.script_bytes),
        "milliseconds": milliseconds(outcome.duration),
        "note": success.and_then(|success| success.note.as_deref()),
        "error": outcome.result.as_ref().err().map(|error| error_object(error, Some(error.hint()))),
    })
}

/// Returns all fields of one integration, including the fields that are too long for an output.
fn detailed_integration_object(outcome: &Outcome) -> Value {
    let mut value = integration_object(outcome);
    let success = outcome.result.as_ref().ok();
    let sizes = success.map_or(&[][..], |success| &success.packages);
    let packages = sizes.iter().filter_map(|size| Some((size.package.as_deref()?, size.bytes)));
    value["packages"] = packages.map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect();
    value["packaging_milliseconds"] = outcome.packaging_time.map(milliseconds).into();
    value["script_bytes_before"] = success.and_then(|success| success.script_bytes_before).into();
    value
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn error_object(error: &dyn std::error::Error, hint: Option<String>) -> Value {
    json!({ "message": error.to_string(), "cause": causes(error), "hint": hint })
}

/// Returns a problem as an object for the report file and for the JSON log.
pub(super) fn problem_object(problem: &Diagnostic, printer: &Printer) -> Value {
    let location = problem.location.as_ref();
    let position = location.and_then(|location| location.position);
    let variable = location.filter(|location| location.path().is_none());
    json!({
        "severity": problem.severity,
        "file": location.and_then(|location| location.path()).map(display_path),
        "variable": variable.map(|location| location.origin_name().into_owned()),
        "line": position.map(|position| position.line),
        "column": position.map(|position| position.column),
        "end_column": position.and_then(|position| position.end_column),
        "excerpt": location.and_then(|location| excerpt::redacted_excerpt(location, printer)).map(|excerpt| excerpt.text),
        "message": problem.message,
        "hint": problem.hint,
        "integration": problem.integration,
    })
}
