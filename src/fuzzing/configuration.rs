//! The environment: any variables with any values.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use secrecy::ExposeSecret as _;

use super::folder::with_file;
use super::log::printed;
use crate::ci::{self, Ci, Event};
use crate::config::{Config, Endpoint, Mode};
use crate::environment::Environment;
use crate::error::{Error, ProblemCounts};
use crate::http::is_loopback;
use crate::plan::{Decision, Plan, decide};
use crate::preview::Branch;
use crate::report::{self, Reporter, RunReport};

/// The variable whose value is what stands in the file that it names.
const EVENT_FILE: &str = "GITHUB_EVENT_PATH";

/// Variables by which files would be written, or another program be found.
const LEFT_OUT: [&str; 6] = [
    "GITBOOK_OUTPUT_FILE",
    "GITBOOK_SUMMARY_FILE",
    "GITBOOK_REPORT_FILE",
    "GITBOOK_CODE_QUALITY_FILE",
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
];

/// What stands for a secret. Where only tokens hold it, nothing may show it.
const CANARY: &str = "hush";

/// Takes lines such as `NAME=value` for the environment (one that is none goes on with the value above; in place of an event
/// file's name stands what is in the file), reads the configuration, asks what happened, decides, sets up the log and
/// writes all of it there, in the format that the variables ask for.
///
/// - What was taken is what the contract allows: numbers within their ranges, tokens that can be sent, an endpoint that
///   shows no token to the network, a preview's name that is no production name and no other branch's.
/// - What was refused names a variable that is set, and says what is accepted.
/// - A token that nothing else holds is not shown, whatever is wrong with it.
/// - Without a token nothing is published, deleted or swept; a mode does what it is called, or nothing.
/// - A fork's pull request that runs as the base publishes nothing, and a job that stops an environment neither.
/// - No line of the log acts on what reads it.
pub fn configuration(data: &[u8]) {
    let mut variables = variables(data);
    LEFT_OUT.iter().for_each(|name| drop(variables.remove(*name)));
    let file = variables.remove(EVENT_FILE);
    with_file("event.json", file.as_deref().unwrap_or_default(), |folder| {
        let file = file.is_some().then(|| (EVENT_FILE.into(), "event.json".into()));
        let others = variables.iter().map(|(name, value)| (name.into(), os_string(value)));
        let environment = Environment::new(others.chain(file), folder.to_owned());
        let (format, _) = report::log_format(&environment);
        let log = printed(format, &environment, |printer| run(&environment, printer));
        let log: String =
            log.split_inclusive('\n').filter(|line| !line.starts_with("::add-mask::")).collect();
        assert!(!is_in_tokens_only(&variables) || !log.contains(CANARY), "a token is shown:\n{log}");
    });
}

/// What `crate::run` does until something would be read, sent or written.
fn run(environment: &Environment, printer: &report::Printer) {
    for token in environment.tokens() {
        printer.add_secret(&token.into());
    }
    let (log, problem) = report::dispatch(environment, printer);
    let (_, mut problems) = report::log_format(environment);
    problems.extend(problem);
    let report = Reporter::open(environment, printer.clone());
    let mut run = RunReport { problems, ..RunReport::default() };
    let result = tracing::dispatcher::with_default(&log, || decided(environment, printer, &report, &mut run));
    let code = report.close(&run, result);
    assert!(code == 0 || code == 2, "{code}");
    for problem in &run.problems {
        let name = problem.location.as_ref().map(|place| place.origin_name().into_owned());
        let name = name.expect("a bad value is a variable's");
        assert!(environment.names().any(|known| known == name), "{problem:?}");
        assert!(problem.hint.is_some(), "{problem:?}");
    }
}

fn decided(
    environment: &Environment,
    printer: &report::Printer,
    report: &Reporter,
    run: &mut RunReport,
) -> Result<(), Error> {
    let config = crate::configuration(environment, report, run)?;
    assert!(ProblemCounts::of(&run.problems).has_no_errors());
    hold(&config);
    let ci = run.ci.insert(ci::detect(environment).map_err(Error::Ci)?).clone();
    let plan = run.plan.insert(decide(&config, &ci)).clone();
    hold_plan(&config, &ci, &plan);
    crate::log(&config, &ci, &plan, config.shard, printer);
    match plan.decision {
        Decision::Refuse(refusal) => Err(Error::Refused(refusal)),
        _ => Ok(()),
    }
}

/// Holds that a configuration is one that the contract allows.
fn hold(config: &Config) {
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

/// Holds that a decision is one that somebody asked for.
fn hold_plan(config: &Config, ci: &Ci, plan: &Plan) {
    let Plan { decision, reason } = plan;
    let publishes = matches!(decision, Decision::Publish | Decision::Preview(_));
    assert!(!reason.is_empty() && !reason.contains(char::is_control), "{plan:?}");
    assert!(config.has_token() || !decision.concerns_forge(), "{plan:?} without a token");
    assert!(!(publishes && (ci.fork_as_base || ci.stops)), "{plan:?} of {ci:?}");
    let refuses = matches!(decision, Decision::Refuse(_) | Decision::Nothing);
    let is_asked_for = match config.mode {
        Mode::Auto => match decision {
            Decision::Publish => match &ci.event {
                Event::Push(branch) | Event::Manual(Some(branch)) => is_production(config, ci, branch),
                Event::Release => true,
                event => *event == Event::None && config.endpoint == Endpoint::Sandbox,
            },
            Decision::Plan(_) => false,
            Decision::Sweep => ci.event == Event::Schedule,
            _ => true,
        },
        Mode::Publish => refuses || *decision == Decision::Publish,
        Mode::Preview => refuses || matches!(decision, Decision::Preview(_)),
        Mode::Delete => refuses || matches!(decision, Decision::Delete(_)),
        Mode::Sweep => refuses || *decision == Decision::Sweep,
        Mode::Check => *decision == Decision::Check,
        Mode::Plan => matches!(decision, Decision::Plan(_)),
    };
    assert!(is_asked_for, "{plan:?} of {:?} in {:?}", ci.event, config.mode);
}

fn is_production(config: &Config, ci: &Ci, branch: &Branch) -> bool {
    match &config.production_branch {
        Some(patterns) => patterns.matches(branch.as_str()),
        None => ci.default_branch.as_deref() == Some(branch.as_str()),
    }
}

/// The variables that a text gives.
fn variables(data: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut variables: Vec<(String, Vec<u8>)> = Vec::new();
    // No variable holds NUL.
    let data: Vec<_> = data.iter().copied().filter(|byte| *byte != 0).collect();
    for line in data.split(|byte| *byte == b'\n') {
        match (assigned(line), variables.last_mut()) {
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

/// The name and the value of a line that assigns one.
fn assigned(line: &[u8]) -> Option<(String, &[u8])> {
    let end = line.iter().position(|byte| *byte == b'=').filter(|end| *end > 0)?;
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let name = line[..end].iter().all(is_name).then(|| String::from_utf8_lossy(&line[..end]).into_owned())?;
    Some((name, &line[end + 1..]))
}

/// Whether the canary is in tokens, and nowhere else.
fn is_in_tokens_only(variables: &BTreeMap<String, Vec<u8>>) -> bool {
    let holds = |value: &[u8]| value.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
    let is_token = |name: &&String| crate::environment::is_token(name);
    let mut holders = variables.iter().filter(|(_, value)| holds(value)).map(|(name, _)| name).peekable();
    holders.peek().is_some() && holders.all(|name| is_token(&name))
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
