//! Prints the results of a run, and writes them to files. No other module prints.

mod annotations;
mod code_quality;
pub(crate) mod comment;
mod destination;
mod escape;
mod excerpt;
mod log;
mod log_section;
pub(crate) mod output_table;
mod outputs;
mod printer;
mod progress;
mod report_file;
mod size;
mod summary;

pub(crate) use log::dispatch;
pub use printer::OutputStreams;
pub(crate) use printer::Printer;

use serde_json::{Value, json};

use crate::ci::Ci;
use crate::config::LogFormat;
use crate::deploy::{NamedPreview, Outcome};
use crate::diagnostic::{Diagnostic, display_path};
use crate::environment::Environment;
use crate::error::{Error, ProblemCounts, pluralize};
use crate::plan::{Decision, Plan};
use destination::{Destination, FinishedRun};

/// A function that returns a destination if an environment variable names its file.
type DestinationFactory = fn(&Environment) -> Option<Box<dyn Destination>>;

const DESTINATIONS: [DestinationFactory; 4] =
    [outputs::destination, summary::destination, report_file::destination, code_quality::destination];

/// The results of a run. Each step adds its own results, so that a failed run reports the steps that it completed.
#[derive(Debug, Default)]
pub(crate) struct RunReport {
    /// The CI system and the event.
    pub ci: Option<Ci>,
    /// The decision.
    pub plan: Option<Plan>,
    /// Problems in the user's files and variables.
    pub problems: Vec<Diagnostic>,
    /// The previews that the run should publish or delete, as far as they are known.
    pub previews: Vec<NamedPreview>,
    /// The outcome of each integration.
    pub outcomes: Vec<Outcome>,
    /// The shards for a later job. Set only in `plan` mode.
    pub shard_plan: Option<ShardPlan>,
    /// A sentence that tells readers of the report how the work is divided among machines.
    pub share_description: Option<String>,
}

/// The shards into which a later job should divide its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShardPlan {
    /// The number of integrations.
    pub integrations: usize,
    /// The number of shards.
    pub shards: usize,
}

impl ShardPlan {
    /// Returns a value for GitHub's `strategy.matrix` with one `shard` for each job.
    fn matrix(self) -> Value {
        let total = self.shards;
        json!({ "shard": (1..=total).map(|index| format!("{index}/{total}")).collect::<Vec<_>>() })
    }
}

/// Reports problems during a run, and its results at the end.
#[derive(Debug)]
pub(crate) struct Reporter {
    printer: Printer,
    destinations: Vec<Box<dyn Destination>>,
}

impl Reporter {
    /// Creates the destinations that environment variables name. Accesses no file before the end of the run.
    #[must_use]
    pub(crate) fn open(environment: &Environment, printer: Printer) -> Self {
        let destinations = DESTINATIONS.iter().filter_map(|open| open(environment)).collect();
        Self { printer, destinations }
    }

    /// Prints problems.
    pub(crate) fn print_problems(&self, problems: &[Diagnostic]) {
        self.printer.print_problems(problems);
    }

    /// Prints the results, writes them to all destinations, and returns the exit code.
    #[must_use]
    pub(crate) fn finish(&self, run: &RunReport, result: Result<(), Error>) -> u8 {
        let error = result.err();
        let exit_code = error.as_ref().map_or(0, Error::exit_code);
        self.print_failures_and_counts(run);
        let finished = FinishedRun { run, error: error.as_ref(), exit_code, printer: &self.printer };
        for destination in &self.destinations {
            self.write(&**destination, &finished);
        }
        if !run.problems.is_empty() && run.problems.iter().all(|problem| !problem.is_error()) {
            self.printer.print_info(&ProblemCounts::of(&run.problems).to_string());
        }
        match &error {
            // The failure of a single integration has already been printed.
            Some(Error::Deployment { total: 1, .. }) | None => {}
            Some(error) => self.printer.print_error(error, error.hint().as_deref()),
        }
        exit_code
    }

    /// Prints all failures and, for many integrations, a line with counts: CI systems may fold the lines that the run has logged
    /// for each success.
    fn print_failures_and_counts(&self, run: &RunReport) {
        // A sweep logs its own counts.
        let is_sweep = run.plan.as_ref().is_some_and(|plan| plan.decision == Decision::Sweep);
        if run.outcomes.len() >= log_section::MIN_ITEMS_OF_LONG_PHASE && !is_sweep {
            self.printer.print_info(&describe_outcome_counts(&run.outcomes));
        }
        for outcome in &run.outcomes {
            if let Err(failure) = &outcome.result {
                self.printer.print_integration_failure(failure, Some(&failure.hint()));
            }
        }
    }

    /// Writes the results to a destination. A failed write causes only a warning, since the deployment itself is complete.
    fn write(&self, destination: &dyn Destination, run: &FinishedRun<'_>) {
        let warning = destination.write(run).unwrap_or_else(|error| {
            let path = display_path(destination.path());
            Some(Diagnostic::warning(None, format!("could not write `{path}`: {error}")))
        });
        self.printer.print_problems(warning.as_slice());
    }
}

/// Returns a sentence such as `published 49 of 51 integrations, 2 failed`.
fn describe_outcome_counts(outcomes: &[Outcome]) -> String {
    const ORDER: [&str; 6] = ["published", "deleted", "checked", "unchanged", "skipped", "failed"];
    let count = |status: &str| outcomes.iter().filter(|outcome| outcome.status_name() == status).count();
    let mut counts = ORDER.iter().map(|status| (*status, count(status))).filter(|(_, count)| *count > 0);
    let all = pluralize(outcomes.len(), "integration");
    let mut sentence = match counts.next() {
        Some((status @ ("unchanged" | "failed"), number)) => format!("{number} of {all} {status}"),
        Some((status, number)) => format!("{status} {number} of {all}"),
        None => all,
    };
    for (status, number) in counts {
        sentence.push_str(&format!(", {number} {status}"));
    }
    sentence
}

/// Returns the format of the log, and problems with the variable that sets the format.
#[must_use]
pub(crate) fn log_format(environment: &Environment) -> (LogFormat, Vec<Diagnostic>) {
    LogFormat::from_environment(environment)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::describe_outcome_counts;
    use crate::cancel::Signal;
    use crate::deploy::{DeployError, Outcome, Status, Success};
    use crate::diagnostic::SourceLocation;

    #[test]
    fn counts_outcomes_in_a_sentence() {
        let outcome = |status: Option<Status>| Outcome {
            name: "hello".to_owned(),
            location: SourceLocation::file("gitbook-manifest.yaml"),
            is_preview: false,
            result: status
                .map(|status| Success { status, ..Success::default() })
                .ok_or(DeployError::CancelledBefore(Signal::Interrupt)),
            duration: Duration::ZERO,
            packaging_time: None,
        };
        let check = |statuses: &[Option<Status>], expected: &str| {
            let outcomes: Vec<_> = statuses.iter().copied().map(outcome).collect();
            assert_eq!(describe_outcome_counts(&outcomes), expected);
        };
        let (published, unchanged) = (Some(Status::Published), Some(Status::Unchanged));
        check(&[published, published], "published 2 of 2 integrations");
        check(&[None, unchanged, published], "published 1 of 3 integrations, 1 unchanged, 1 failed");
        check(&[unchanged, unchanged], "2 of 2 integrations unchanged");
        check(&[None, None], "2 of 2 integrations failed");
        check(&[Some(Status::Skipped)], "skipped 1 of 1 integration");
    }
}
