//! The fuzz target for the environment: variables with arbitrary values.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use secrecy::ExposeSecret as _;

use super::folder::with_file;
use super::log::print_to_text;
use crate::ci::{self, Ci, Event};
use crate::config::{Config, Endpoint, Mode};
use crate::environment::Environment;
use crate::error::{Error, ProblemCounts};
use crate::http::is_loopback;
use crate::plan::{Decision, Plan, decide};
use crate::report::{self, Reporter, RunReport};
use crate::repository::Branch;

/// The variable with the path of the event file. In the input, its value is the content of the file instead.
const EVENT_FILE: &str = "GITHUB_EVENT_PATH";

/// Variables that name files to write. The target removes them, so that the program writes no files.
const OUTPUT_FILE_VARIABLES: [&str; 6] = [
    "GITBOOK_OUTPUT_FILE",
    "GITBOOK_SUMMARY_FILE",
    "GITBOOK_REPORT_FILE",
    "GITBOOK_CODE_QUALITY_FILE",
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
];

/// A text that the inputs use as a secret. If only tokens contain it, the log must not.
const TEST_SECRET: &str = "hush";

/// Reads the configuration and the event from an environment, makes the decision, and logs everything.
///
/// The input consists of lines such as `NAME=value`. Any other line continues the value of the line above it. Checks:
///
/// - An accepted value is in its range. The endpoint does not expose the token. Different branches have different preview
///   names.
/// - An error names a variable of the environment and has a hint.
/// - The log does not contain a token.
/// - Nothing is published, deleted or swept without a token. Each mode takes its own action or does nothing.
/// - A run for a fork's pull request that has the base repository's secrets publishes nothing. A job that stops a GitLab
///   environment publishes nothing, either.
/// - No log line affects the terminal or CI system that displays it.
pub fn configuration(data: &[u8]) {
    let mut variables = parse_variables(data);
    OUTPUT_FILE_VARIABLES.iter().for_each(|name| drop(variables.remove(*name)));
    let file = variables.remove(EVENT_FILE);
    with_file("event.json", file.as_deref().unwrap_or_default(), |folder| {
        let file = file.is_some().then(|| (EVENT_FILE.into(), "event.json".into()));
        let others = variables.iter().map(|(name, value)| (name.into(), os_string(value)));
        let environment = Environment::new(others.chain(file), folder.to_owned());
        let (format, _) = report::log_format(&environment);
        let log = print_to_text(format, &environment, |printer| run(&environment, printer));
        let log: String =
            log.split_inclusive('\n').filter(|line| !line.starts_with("::add-mask::")).collect();
        assert!(
            !is_test_secret_in_tokens_only(&variables) || !log.contains(TEST_SECRET),
            "the log contains a token:\n{log}"
        );
    });
}

/// Does the same as `crate::run`, but stops before it reads a manifest or sends a request.
fn run(environment: &Environment, printer: &report::Printer) {
    for token in environment.tokens() {
        printer.add_secret(&token.into());
    }
    let (log, problem) = report::dispatch(environment, printer);
    let (_, mut problems) = report::log_format(environment);
    problems.extend(problem);
    let report = Reporter::open(environment, printer.clone());
    let mut run = RunReport { problems, ..RunReport::default() };
    let result =
        tracing::dispatcher::with_default(&log, || decide_and_log(environment, printer, &report, &mut run));
    let code = report.finish(&run, result);
    assert!(code == 0 || code == 2, "{code}");
    for problem in &run.problems {
        let name = problem.location.as_ref().map(|location| location.origin_name().into_owned());
        let name = name.expect("each problem has a variable");
        assert!(environment.names().any(|known| known == name), "{problem:?}");
        assert!(problem.hint.is_some(), "{problem:?}");
    }
}

fn decide_and_log(
    environment: &Environment,
    printer: &report::Printer,
    report: &Reporter,
    run: &mut RunReport,
) -> Result<(), Error> {
    let config = crate::read_config(environment, report, run)?;
    assert!(ProblemCounts::of(&run.problems).has_no_errors());
    check_config(&config);
    let ci = run.ci.insert(ci::detect(environment).map_err(Error::Ci)?).clone();
    let plan = run.plan.insert(decide(&config, &ci)).clone();
    check_plan(&config, &ci, &plan);
    crate::log_decision(&config, &ci, &plan, config.shard, printer);
    match plan.decision {
        Decision::Refuse(refusal) => Err(Error::Refused(refusal)),
        _ => Ok(()),
    }
}

/// Checks that each value of the configuration is in its range.
fn check_config(config: &Config) {
    assert!(
        config.retries <= 20 && (1..=64).contains(&config.concurrency.get()) && !config.timeout.is_zero()
    );
    assert!(["private", "unlisted"].contains(&config.preview_visibility));
    assert!(config.shard.is_none_or(|shard| (1..=shard.total).contains(&shard.index)));
    if let Some(token) = &config.token {
        let token = token.expose_secret();
        assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    if let Endpoint::Url(url) = &config.endpoint {
        assert!(url.scheme() == "https" || url.scheme() == "http" && is_loopback(url), "{url}");
        assert!(url.path().ends_with('/') && url.query().is_none() && url.password().is_none(), "{url}");
        assert!(url.join("v1/integrations/a").is_ok_and(|page| page.origin() == url.origin()), "{url}");
    }
    let branches = ["main", "Main", "feature/x", "feature-x", "hello"];
    let numbered = (1..).zip(branches);
    let names = numbered
        .map(|(number, branch)| config.preview_name.name("hello", &Branch::new(branch), Some(number)));
    let names: BTreeSet<_> = names.filter(|name| name != "hello" && name.len() <= 100).collect();
    assert_eq!(names.len(), branches.len(), "{names:?}");
}

/// Checks that the mode or the event justifies the decision.
fn check_plan(config: &Config, ci: &Ci, plan: &Plan) {
    let Plan { decision, reason } = plan;
    let publishes = matches!(decision, Decision::Publish | Decision::Preview(_));
    assert!(!reason.is_empty() && !reason.contains(char::is_control), "{plan:?}");
    assert!(config.has_token_or_sandbox() || !decision.needs_forge(), "{plan:?} without a token");
    assert!(!(publishes && (ci.is_fork_with_base_secrets || ci.stops_environment)), "{plan:?} of {ci:?}");
    let refuses_or_skips = matches!(decision, Decision::Refuse(_) | Decision::Nothing);
    let is_requested = match config.mode {
        Mode::Auto => match decision {
            Decision::Publish => match &ci.event {
                Event::Push(branch) | Event::Manual(Some(branch)) => is_production(config, ci, branch),
                Event::Release => true,
                event => *event == Event::Unknown && config.endpoint == Endpoint::Sandbox,
            },
            Decision::Plan(_) => false,
            Decision::Sweep => ci.event == Event::Schedule,
            _ => true,
        },
        Mode::Publish => refuses_or_skips || *decision == Decision::Publish,
        Mode::Preview => refuses_or_skips || matches!(decision, Decision::Preview(_)),
        Mode::Delete => refuses_or_skips || matches!(decision, Decision::Delete(_)),
        Mode::Sweep => refuses_or_skips || *decision == Decision::Sweep,
        Mode::Check => *decision == Decision::Check,
        Mode::Plan => matches!(decision, Decision::Plan(_)),
    };
    assert!(is_requested, "{plan:?} of {:?} in {:?}", ci.event, config.mode);
}

fn is_production(config: &Config, ci: &Ci, branch: &Branch) -> bool {
    match &config.production_branch {
        Some(patterns) => patterns.matches(branch.as_str()),
        None => ci.default_branch.as_deref() == Some(branch.as_str()),
    }
}

/// Parses the input into variables.
fn parse_variables(data: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut variables: Vec<(String, Vec<u8>)> = Vec::new();
    // A variable cannot contain NUL.
    let data: Vec<_> = data.iter().copied().filter(|byte| *byte != 0).collect();
    for line in data.split(|byte| *byte == b'\n') {
        match (parse_assignment(line), variables.last_mut()) {
            (Some((name, value)), _) => variables.push((name, value.to_vec())),
            (None, Some((_, value))) => {
                value.push(b'\n');
                value.extend(line);
            }
            (None, None) => {}
        }
    }
    variables.into_iter().collect()
}

/// Returns the name and the value of a line such as `NAME=value`.
fn parse_assignment(line: &[u8]) -> Option<(String, &[u8])> {
    let end = line.iter().position(|byte| *byte == b'=').filter(|end| *end > 0)?;
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let name = line[..end].iter().all(is_name).then(|| String::from_utf8_lossy(&line[..end]).into_owned())?;
    Some((name, &line[end + 1..]))
}

/// Returns true if some token variables contain the test secret, and no other variables do.
fn is_test_secret_in_tokens_only(variables: &BTreeMap<String, Vec<u8>>) -> bool {
    let contains_test_secret =
        |value: &[u8]| value.windows(TEST_SECRET.len()).any(|part| part == TEST_SECRET.as_bytes());
    let is_token_variable = |name: &&String| crate::environment::is_token_variable(name);
    let mut names =
        variables.iter().filter(|(_, value)| contains_test_secret(value)).map(|(name, _)| name).peekable();
    names.peek().is_some() && names.all(|name| is_token_variable(&name))
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
