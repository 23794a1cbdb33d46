//! The steps of a run: read the configuration, detect the CI event, decide, run the command, report the results.

mod cancel;
mod ci;
mod commands;
mod config;
mod deploy;
mod diagnostic;
mod environment;
mod error;
mod forge;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(test)]
mod generated_tests;
pub mod gitbook;
mod html_comment;
mod http;
mod integration;
mod plan;
mod preview;
mod redact;
mod report;
mod repository;
mod schema;
mod symlinks;
mod untrusted;
mod yaml;
pub use environment::Environment;
pub use report::OutputStreams;

use std::ffi::OsString;
use std::io::{BufRead, Write};

use tracing::instrument::WithSubscriber as _;

use cancel::Cancel;
use ci::{Ci, ParallelJob};
use commands::{CommandResult, Context};
use config::{Config, Mode, Shard};
use deploy::GitHubDeployments;
use error::{Error, ProblemCounts};
use forge::Forge;
use integration::PackagingContext;
use plan::{Decision, Plan};
use report::{Printer, Reporter, RunReport};
use repository::Branch;

/// Serves the bundler to a parent process of the same program, if the arguments request this.
///
/// Returns true if the arguments request the bundler. `output` opens the standard output.
pub fn serve_bundler<W: Write + 'static>(
    mut arguments: impl Iterator<Item = OsString>,
    input: impl BufRead,
    output: fn() -> W,
) -> std::io::Result<bool> {
    let is_bundler = arguments.next().is_some_and(|argument| argument == integration::BUNDLE_ARGUMENT);
    if is_bundler {
        integration::serve(input, output)?;
    }
    Ok(is_bundler)
}

/// Runs the program and returns its exit code: 0 for success or nothing to do; 1 for a failed deployment; 2 for an invalid
/// configuration or integration; 129, 130 or 143 for cancellation by a signal.
pub async fn run(
    environment: Environment,
    arguments: impl IntoIterator<Item = OsString>,
    mut terminal: OutputStreams,
) -> u8 {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if let Some(text) = help_or_version(&arguments) {
        return u8::from(terminal.output.write_all(text.as_bytes()).is_err());
    }
    let (format, mut problems) = report::log_format(&environment);
    let printer =
        Printer::new(format, terminal.log, &environment).with_progress(terminal.screen, &environment);
    for token in environment.tokens() {
        printer.add_secret(&token.into());
    }
    let report = Reporter::open(&environment, printer.clone());
    let (log, problem) = report::dispatch(&environment, &printer);
    problems.extend(problem);
    let mut run = RunReport { problems, ..RunReport::default() };
    let result = async {
        match arguments.first() {
            Some(argument) => Err(Error::Argument(argument.to_string_lossy().into_owned())),
            None => execute(&environment, &printer, &report, &mut run).await,
        }
    };
    let result = result.with_subscriber(log).await;
    report.finish(&run, result)
}

/// Returns the text for `--help` or `--version`.
fn help_or_version(arguments: &[OsString]) -> Option<String> {
    match arguments.first()?.to_str()? {
        "--help" | "-h" => Some(config::help()),
        "--version" | "-V" => Some(concat!("gitbook-deploy ", env!("CARGO_PKG_VERSION"), "\n").to_owned()),
        _ => None,
    }
}

/// Reads the configuration, detects the event, decides, and runs the command.
async fn execute(
    environment: &Environment,
    printer: &Printer,
    report: &Reporter,
    run: &mut RunReport,
) -> Result<(), Error> {
    let cancel = Cancel::on_signals();
    let config = read_config(environment, report, run)?;
    let packaging_context = &PackagingContext::new(environment.program().map(ToOwned::to_owned));
    let ci = run.ci.insert(ci::detect(environment).map_err(Error::Ci)?).clone();
    let plan = run.plan.insert(plan::decide(&config, &ci)).clone();
    let shard =
        config.shard.or(ci.parallel_job.map(|ParallelJob { index, total, .. }| Shard { index, total }));
    // One shard of one contains all integrations, so it has no effect.
    let shard = shard.filter(|shard| shard.total > 1);
    log_decision(&config, &ci, &plan, shard, printer);
    if config.bundle && matches!(plan.decision, Decision::Check | Decision::Publish | Decision::Preview(_)) {
        packaging_context.processes.prestart();
    }
    let forge =
        plan.decision.needs_forge().then(|| commands::forge_client(&config, &ci, &plan.decision, &cancel));
    let forge_unavailable = forge.as_ref().and_then(|forge| forge.as_ref().err());
    let forge = forge.as_ref().and_then(|forge| forge.as_ref().ok());
    let deployments_client = forge.and_then(Forge::github).filter(|_| config.deployments && !config.dry_run);
    let contains_secret = |text: &str| printer.redact(text) != text;
    let (commit, run_url) = (ci.commit.as_deref(), ci.run_url.as_deref());
    let github_deployments = deployments_client
        .map(|forge| GitHubDeployments::new(forge, &cancel, commit, run_url, &contains_secret));
    let github_deployments = github_deployments.as_ref();
    let (config, ci, cancel) = (&config, &ci, &cancel);
    let context = Context {
        environment,
        config,
        ci,
        forge,
        forge_unavailable,
        github_deployments,
        cancel,
        printer,
        report,
        shard,
        packaging_context,
    };
    let error = run.add(context.execute(&plan.decision).await);
    context.conclude(&plan.decision, run, error.as_ref()).await;
    // A signal after the last integration cancels the run, too.
    error.or_else(|| cancel.signal().map(Error::Cancelled)).map_or(Ok(()), Err)
}

/// Reads the configuration and prints its problems.
fn read_config(environment: &Environment, report: &Reporter, run: &mut RunReport) -> Result<Config, Error> {
    let (config, problems) = match Config::from_environment(environment) {
        Ok((config, warnings)) => (Some(config), warnings),
        Err(problems) => (None, problems),
    };
    run.problems.extend(problems);
    diagnostic::sort_and_dedup(&mut run.problems);
    report.print_problems(&run.problems);
    let counts = ProblemCounts::of(&run.problems);
    config.filter(|_| counts.has_no_errors()).ok_or(Error::Configuration(counts))
}

/// Logs the CI system, the event and the decision in one line.
///
/// Prints a notice if nothing will be published, and a notice for each setting that is probably a mistake. GitHub shows notices
/// on the page of the run.
fn log_decision(config: &Config, ci: &Ci, plan: &Plan, shard: Option<Shard>, printer: &Printer) {
    tracing::debug!(?ci, "detected");
    let decision = format!("{}: {}", plan.decision.name(), plan.reason);
    let is_notice = config.mode == Mode::Auto && matches!(plan.decision, Decision::Check | Decision::Nothing);
    tracing::info!(
        system = ci.system,
        by = ci.detected_by,
        event = ci.event.name(),
        branch = ci.branch.as_ref().map(Branch::as_str),
        pull_request = ci.pull_request,
        repository = ci.repository,
        commit = ci.commit,
        shard = shard.map(|shard| shard.to_string()),
        "{}",
        if is_notice { plan.decision.name() } else { &decision }
    );
    if is_notice {
        printer.print_notice(&decision);
    }
    if let (Mode::Auto | Mode::Plan, Some(production), Some(default)) =
        (config.mode, &config.production_branch, &ci.default_branch)
        && !production.matches(default)
    {
        printer.print_notice(&format!(
            "`GITBOOK_PRODUCTION_BRANCH` does not match the default branch `{default}`; pushes to that branch do not publish to production"
        ));
    }
    if let (None, Some(ParallelJob { index, total, tasks_may_differ: true })) =
        (config.shard, ci.parallel_job)
    {
        printer.print_notice(&format!(
            "this parallel step deploys only shard {index}/{total}; set `GITBOOK_SHARD=1/1` if the other parallel steps do not run gitbook-deploy"
        ));
    }
}

impl RunReport {
    /// Adds the result of a command to the report, and returns the error of the command.
    fn add(&mut self, result: CommandResult) -> Option<Error> {
        self.problems.extend(result.problems);
        diagnostic::sort_and_dedup(&mut self.problems);
        (self.previews, self.outcomes) = (result.previews, result.outcomes);
        (self.shard_plan, self.share_description) = (result.shard_plan, result.share_description);
        result.error
    }
}
