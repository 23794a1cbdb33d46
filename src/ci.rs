//! Detects the CI system and the event that started the run.

mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod drone;
mod error;
mod event;
mod forge_detection;
mod generic;
mod github;
mod gitlab;
mod jenkins;
mod parallel_job;
mod repository_url;
mod runner;
#[cfg(test)]
pub(crate) mod test_payloads;
#[cfg(test)]
mod test_support;
mod travis;
mod woodpecker;

pub(crate) use error::CiError;
pub(crate) use event::{Activity, Author, Event, PullRequest};
pub(crate) use parallel_job::ParallelJob;
pub(crate) use runner::Runner;

use std::path::PathBuf;

use url::Url;

use crate::environment::Environment;
use crate::repository::{Branch, ForgeKind, UNKNOWN_OWNER};
use repository_url::repository_name;

/// The CI system and the event that started the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ci {
    /// The name of the CI system in the log.
    pub system: &'static str,
    /// The variable that identified the CI system.
    pub detected_by: Option<&'static str>,
    /// The event that started the run.
    pub event: Event,
    /// The branch from the `GITBOOK_` variables, or else from the event.
    pub branch: Option<Branch>,
    /// The number of the pull request from the `GITBOOK_` variables, or else from the event or the pushed branch.
    pub pull_request: Option<u64>,
    /// True if a fork's change started this run with the base repository's secrets. No variable overrides this fact.
    pub is_fork_with_base_secrets: bool,
    /// True if a fork's change started this run, with or without the base repository's secrets.
    pub is_from_fork: bool,
    /// The number of the pull request that was commented on. The event does not include the source branch of that pull
    /// request.
    pub commented_pull_request: Option<u64>,
    /// The branch of the event's pull request, on a CI system that does not report whether it is in a fork.
    pub possible_fork: Option<Branch>,
    /// The repository with its host, such as `github.com/acme/integrations`.
    pub repository: Option<String>,
    /// The forge that hosts the repository.
    pub forge: ForgeKind,
    /// The root of the forge's API, if known.
    pub api: Option<Url>,
    /// The forge's ID of the repository. It does not change if the repository is renamed.
    pub repository_id: Option<u64>,
    /// True if the job stops an environment. Such a job deletes the preview even if the branch is still open.
    pub stops_environment: bool,
    /// The repository's default branch.
    pub default_branch: Option<String>,
    /// The head commit; never a merge commit that the CI system created.
    pub commit: Option<String>,
    /// A number that is higher for newer runs; 0 if the CI system gives none.
    pub run: u64,
    /// The scope in which run numbers increase: the CI system, or a job if each job numbers its own runs.
    pub counter: String,
    /// The number of the attempt to complete the run, from 1; 0 if the CI system gives no number.
    pub attempt: u64,
    /// The URL of the page with the run's log.
    pub run_url: Option<String>,
    /// The folder of the checkout.
    pub workspace: Option<PathBuf>,
    /// The position of this machine among those that run the same job.
    pub parallel_job: Option<ParallelJob>,
}

impl Ci {
    /// Creates a result with only a system and an event.
    fn new(system: &'static str, event: Event) -> Self {
        Self {
            system,
            detected_by: None,
            event,
            branch: None,
            pull_request: None,
            is_fork_with_base_secrets: false,
            is_from_fork: false,
            commented_pull_request: None,
            possible_fork: None,
            repository: None,
            forge: ForgeKind::default(),
            api: None,
            repository_id: None,
            stops_environment: false,
            default_branch: None,
            commit: None,
            run: 0,
            counter: system.to_owned(),
            attempt: 0,
            run_url: None,
            workspace: None,
            parallel_job: None,
        }
    }
}

/// A CI system and its detector.
struct System {
    /// The variable that identifies the system.
    variable: &'static str,
    /// The required value; `None` accepts any.
    value: Option<&'static str>,
    detect: fn(&Environment) -> Ci,
}

/// The variable that identifies GitHub Actions and compatible systems.
const GITHUB_VARIABLE: &str = "GITHUB_ACTIONS";

/// All CI systems except GitHub Actions, in the order of detection. Many systems set `CI=true`, so that variable identifies
/// none of them.
const SYSTEMS: [System; 9] = [
    System { variable: "GITLAB_CI", value: Some("true"), detect: gitlab::detect },
    System { variable: "BITBUCKET_BUILD_NUMBER", value: None, detect: bitbucket::detect },
    System { variable: "CIRCLECI", value: Some("true"), detect: circleci::detect },
    System { variable: "TF_BUILD", value: None, detect: azure::detect },
    System { variable: "BUILDKITE", value: Some("true"), detect: buildkite::detect },
    System { variable: "CI", value: Some("woodpecker"), detect: woodpecker::detect },
    System { variable: "TRAVIS", value: Some("true"), detect: travis::detect },
    System { variable: "DRONE", value: Some("true"), detect: drone::detect },
    System { variable: "JENKINS_URL", value: None, detect: jenkins::detect },
];

/// Variables that may be set on other CI systems, too: early versions of Woodpecker set `DRONE`, and a job on any system may
/// set the address of a Jenkins server.
const SHARED_VARIABLES: [&str; 2] = ["DRONE", "JENKINS_URL"];

impl System {
    fn is_present(&self, environment: &Environment) -> bool {
        let found = environment.get(self.variable);
        found.is_some_and(|found| self.value.is_none_or(|value| found == value))
    }
}

/// Detects the CI system and the event. Generic variables such as `GITBOOK_EVENT` override the detected values.
///
/// # Errors
/// Returns an error if the event cannot be read, or if a variable is invalid.
pub(crate) fn detect(environment: &Environment) -> Result<Ci, CiError> {
    let ci = generic::apply_overrides(detect_system(environment)?, environment)?;
    match ci.event.branch().filter(|branch| !branch.is_valid()) {
        Some(branch) => Err(CiError::Branch(branch.clone())),
        None => Ok(ci),
    }
}

/// Returns the values that the CI system itself provides. An ambiguous CI system is an error, because a wrong guess could
/// publish to production.
fn detect_system(environment: &Environment) -> Result<Ci, CiError> {
    let is_github = environment.get(GITHUB_VARIABLE) == Some("true");
    let mut others = SYSTEMS.iter().filter(|system| system.is_present(environment));
    let (system, next) = if is_github { (None, others.next()) } else { (others.next(), others.next()) };
    let first = system.map_or(GITHUB_VARIABLE, |system| system.variable);
    match next.filter(|next| !SHARED_VARIABLES.contains(&next.variable)) {
        Some(next) if environment.get("GITBOOK_EVENT").is_none() => {
            return Err(CiError::TwoSystems(first, next.variable));
        }
        _ => {}
    }
    if is_github {
        return Ok(Ci { detected_by: Some(GITHUB_VARIABLE), ..github::detect(environment)? });
    }
    Ok(match system {
        Some(system) => Ci { detected_by: Some(system.variable), ..(system.detect)(environment) },
        None => generic::unknown_system(environment),
    })
}

/// Returns the checkout folder that the CI system reports. Works for every event, even one that cannot be read.
pub(crate) fn workspace(environment: &Environment) -> Option<PathBuf> {
    let is_github = environment.get(GITHUB_VARIABLE) == Some("true");
    if is_github {
        return github::workspace(environment);
    }
    let system = SYSTEMS.iter().find(|system| system.is_present(environment))?;
    (system.detect)(environment).workspace
}

/// Removes `refs/heads/` from the start of a branch name.
fn strip_heads_prefix(branch: &str) -> &str {
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}

/// Reads a number from a variable.
fn read_number(environment: &Environment, variable: &str) -> Option<u64> {
    environment.get(variable)?.parse().ok()
}

/// Reads a commit ID from a variable. Some systems write `HEAD` if they do not know the commit.
fn read_commit(environment: &Environment, variable: &str) -> Option<String> {
    let is_commit = |text: &&str| text.len() >= 7 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    environment.get(variable).filter(is_commit).map(str::to_owned)
}

/// Reads a path from a variable.
fn read_path(environment: &Environment, variable: &str) -> Option<PathBuf> {
    environment.get(variable).map(PathBuf::from)
}

/// Reads a text from a variable.
fn read_text(environment: &Environment, variable: &str) -> Option<String> {
    environment.get(variable).map(str::to_owned)
}

/// Returns `unknown` as the fork owner if the source branch of a pull request has the same name as the target branch or the
/// default branch. Some CI systems do not report forks, and a fork's `main` must not be mistaken for the repository's own.
fn presumed_fork_owner(branch: &str, targets: [Option<&str>; 2]) -> Option<&'static str> {
    targets.contains(&Some(branch)).then_some(UNKNOWN_OWNER)
}

#[cfg(test)]
mod tests;
