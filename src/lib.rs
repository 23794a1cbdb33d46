//! The deployment, step by step: environment and CI event in, integrations published and the result reported.

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
pub mod gitbook;
mod html_comment;
mod http;
mod integration;
mod plan;
mod preview;
mod redact;
mod report;
mod schema;
mod symlinks;
mod untrusted;
mod yaml;
pub use environment::Environment;
pub use report::Terminal;

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
use preview::Branch;
use report::{Printer, Reporter, RunReport};

/// Bundles scripts for another process of this program if the arguments ask for that.
///
/// Returns whether they do. `output` gives the standard output.
pub fn serve_bundler<W: Write + 'static>(
    mut arguments: impl Iterator<Item = OsString>,
    input: impl BufRead,
    output: fn() -> W,
) -> std::io::Result<bool> {
    let is_asked = arguments.next().is_some_and(|argument| argument == integration::BUNDLE_ARGUMENT);
    if is_asked {
        integration::serve(input, output)?;
    }
    Ok(is_asked)
}

/// Runs the program and gives its exit code: 0 done, or nothing to do; 1 the deployment failed; 2 it was not
/// configured correctly; 130 and 143 cancelled.
pub async fn run(
    environment: Environment,
    arguments: impl IntoIterator<Item = OsString>,
    mut terminal: Terminal,
) -> u8 {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if let Some(text) = asked_for(&arguments) {
        return u8::from(terminal.output.write_all(text.as_bytes()).is_err());
    }
    let (format, mut odd) = report::log_format(&environment);
    let printer =
        Printer::new(format, terminal.log, &environment).with_progress(terminal.screen, &environment);
    for token in environment.tokens() {
        printer.add_secret(&token.into());
    }
    let report = Reporter::open(&environment, printer.clone());
    let (log, problem) = report::dispatch(&environment, &printer);
    odd.extend(problem);
    let mut run = RunReport { problems: odd, ..RunReport::default() };
    let result = async {
        match arguments.first() {
            Some(argument) => Err(Error::Argument(argument.to_string_lossy().into_owned())),
            None => deployment(&environment, &printer, &report, &mut run).await,
        }
    };
    let result = result.with_subscriber(log).await;
    report.close(&run, result)
}

/// What `--help` or `--version` asks for.
fn asked_for(arguments: &[OsString]) -> Option<String> {
    match arguments.first()?.to_str()? {
        "--help" | "-h" => Some(config::help()),
        "--version" | "-V" => Some(concat!("gitbook-deploy ", env!("CARGO_PKG_VERSION"), "\n").to_owned()),
        _ => None,
    }
}

/// The story: read the configuration, find out what happened, decide, do.
async fn deployment(
    environment: &Environment,
    printer: &Printer,
    report: &Reporter,
    run: &mut RunReport,
) -> Result<(), Error> {
    let cancel = Cancel::on_signals();
    let config = configuration(environment, report, run)?;
    let packaging_context = &PackagingContext::new(environment.program().map(ToOwned::to_owned));
    let ci = run.ci.insert(ci::detect(environment).map_err(Error::Ci)?).clone();
    let plan = run.plan.insert(plan::decide(&config, &ci)).clone();
    let shard = config.shard.or(ci.node.map(|ParallelJob { index, total, .. }| Shard { index, total }));
    // The only share is the whole, and nobody else is at work.
    let shard = shard.filter(|shard| shard.total > 1);
    log(&config, &ci, &plan, shard, printer);
    if config.bundle && matches!(plan.decision, Decision::Check | Decision::Publish | Decision::Preview(_)) {
        packaging_context.processes.prepare();
    }
    let forge = plan
        .decision
        .concerns_forge()
        .then(|| commands::forge(&config, &ci, &plan.decision, &cancel))
        .flatten();
    let forge = forge.as_ref();
    let records = forge.and_then(Forge::with_deployments).filter(|_| config.deployments && !config.dry_run);
    let holds_secret = |text: &str| printer.redact(text) != text;
    let (commit, run_url) = (ci.commit.as_deref(), ci.run_url.as_deref());
    let records = records.map(|forge| GitHubDeployments::new(forge, &cancel, commit, run_url, &holds_secret));
    let records = records.as_ref();
    let (config, ci, cancel) = (&config, &ci, &cancel);
    let context = Context {
        environment,
        config,
        ci,
        forge,
        records,
        cancel,
        printer,
        report,
        shard,
        packaging_context,
    };
    let error = run.add(context.carry_out(&plan.decision).await);
    context.conclude(&plan.decision, run, error.as_ref()).await;
    // A signal may have come after the last integration.
    error.or_else(|| cancel.signal().map(Error::Cancelled)).map_or(Ok(()), Err)
}

fn configuration(environment: &Environment, report: &Reporter, run: &mut RunReport) -> Result<Config, Error> {
    let (config, problems) = match Config::from_environment(environment) {
        Ok((config, odd)) => (Some(config), odd),
        Err(problems) => (None, problems),
    };
    run.problems.extend(problems);
    diagnostic::sort(&mut run.problems);
    report.print_problems(&run.problems);
    let tally = ProblemCounts::of(&run.problems);
    config.filter(|_| tally.has_no_errors()).ok_or(Error::Configuration(tally))
}

/// Says in one line on which system this runs, what tells so, what happened there, and what was decided. That an event
/// leads to nothing being published is a notice, too, which GitHub shows on the run's page.
fn log(config: &Config, ci: &Ci, plan: &Plan, shard: Option<Shard>, printer: &Printer) {
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
        printer.notice(&decision);
    }
    if let (Mode::Auto | Mode::Plan, Some(production), Some(default)) =
        (config.mode, &config.production_branch, &ci.default_branch)
        && !production.matches(default)
    {
        printer.notice(&format!(
            "`GITBOOK_PRODUCTION_BRANCH` does not match the default branch `{default}`, so pushes to it do not publish to production"
        ));
    }
    if let (None, Some(ParallelJob { index, total, others_may_differ: true })) = (config.shard, ci.node) {
        printer.notice(&format!(
            "as step {index} of {total} in a parallel group, this deploys its share only; if the others do something else, set `GITBOOK_SHARD=1/1`"
        ));
    }
}

impl RunReport {
    /// Adds the result of a command and returns its error.
    fn add(&mut self, result: CommandResult) -> Option<Error> {
        self.problems.extend(result.problems);
        diagnostic::sort(&mut self.problems);
        (self.previews, self.outcomes) = (result.previews, result.outcomes);
        (self.shares, self.division) = (result.shares, result.division);
        result.error
    }
}
