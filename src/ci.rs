//! Detects the CI system and the event that started the run. To add a system, copy `travis.rs` and add a row to `SYSTEMS`.

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
pub(crate) use event::{Activity, Event, PullRequest, PullRequestOrigin};
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
    /// True if a change in a fork started this run, and the run has the base repository's secrets. No variable overrides this
    /// value.
    pub is_fork_with_base_secrets: bool,
    /// True if a change in a fork started this run, with or without the base repository's secrets.
    pub is_from_fork: bool,
    /// The number of the pull request if a comment on it started this run. The event does not include the source branch.
    pub commented_pull_request: Option<u64>,
    /// The source branch of the pull request, on CI systems that do not report forks. The branch may be in a fork.
    pub possible_fork_branch: Option<Branch>,
    /// The host, owner and name of the repository, such as `github.com/acme/integrations`.
    pub repository: Option<String>,
    /// The forge that hosts the repository.
    pub forge: ForgeKind,
    /// The root of the forge's API, if known.
    pub api_root: Option<Url>,
    /// True if a variable contains the root of the forge's API, even if the value is rejected.
    pub has_api_variable: bool,
    /// The forge's ID of the repository. It does not change if the repository is renamed.
    pub repository_id: Option<u64>,
    /// True if the job stops a GitLab environment. The run then deletes the preview, even if the branch or merge request is
    /// still open.
    pub stops_environment: bool,
    /// The repository's default branch.
    pub default_branch: Option<String>,
    /// The head commit; never a merge commit that the CI system created.
    pub commit: Option<String>,
    /// The number of the run; 0 if the CI system provides no number. Newer runs have higher numbers.
    pub run_number: u64,
    /// The scope of `run_number`: the CI system, or the job if each job numbers its own runs. Run numbers are comparable only
    /// within the same scope.
    pub run_number_scope: String,
    /// The number of this attempt, which starts at 1 and increases when a user restarts the run; 0 if the CI system provides no
    /// number.
    pub attempt: u64,
    /// The URL of the run's log page.
    pub run_url: Option<String>,
    /// The folder of the checkout.
    pub workspace: Option<PathBuf>,
    /// The position of this machine among the machines that run the same job.
    pub parallel_job: Option<ParallelJob>,
}

impl Ci {
    /// Creates a `Ci` with only a CI system and an event.
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
            possible_fork_branch: None,
            repository: None,
            forge: ForgeKind::default(),
            api_root: None,
            has_api_variable: false,
            repository_id: None,
            stops_environment: false,
            default_branch: None,
            commit: None,
            run_number: 0,
            run_number_scope: system.to_owned(),
            attempt: 0,
            run_url: None,
            workspace: None,
            parallel_job: None,
        }
    }
}

/// A CI system, the variable that identifies it, and its detector.
struct CiSystem {
    /// The variable that identifies the system.
    variable: &'static str,
    /// The required value of the variable; `None` accepts any value.
    value: Option<&'static str>,
    detect: fn(&Environment) -> Ci,
}

/// The variable that identifies GitHub Actions and compatible systems.
const GITHUB_VARIABLE: &str = "GITHUB_ACTIONS";

/// All CI systems except GitHub Actions, in the order of detection. `CI=true` identifies no system, because many systems set it.
const SYSTEMS: [CiSystem; 9] = [
    CiSystem { variable: "GITLAB_CI", value: Some("true"), detect: gitlab::detect },
    CiSystem { variable: "BITBUCKET_BUILD_NUMBER", value: None, detect: bitbucket::detect },
    CiSystem { variable: "CIRCLECI", value: Some("true"), detect: circleci::detect },
    CiSystem { variable: "TF_BUILD", value: None, detect: azure::detect },
    CiSystem { variable: "BUILDKITE", value: Some("true"), detect: buildkite::detect },
    CiSystem { variable: "CI", value: Some("woodpecker"), detect: woodpecker::detect },
    CiSystem { variable: "TRAVIS", value: Some("true"), detect: travis::detect },
    CiSystem { variable: "DRONE", value: Some("true"), detect: drone::detect },
    CiSystem { variable: "JENKINS_URL", value: None, detect: jenkins::detect },
];

/// Variables that identify a CI system, but may also be set on other systems: early versions of Woodpecker set `DRONE`, and a job
/// on any system may set the address of a Jenkins server.
const AMBIGUOUS_VARIABLES: [&str; 2] = ["DRONE", "JENKINS_URL"];

impl CiSystem {
    fn is_present(&self, environment: &Environment) -> bool {
        let actual = environment.get(self.variable);
        actual.is_some_and(|actual| self.value.is_none_or(|required| actual == required))
    }
}

/// Detects the CI system and the event. Generic variables such as `GITBOOK_EVENT` override the detected values.
///
/// # Errors
/// Returns an error if the event cannot be read, or if a variable is invalid.
pub(crate) fn detect(environment: &Environment) -> Result<Ci, CiError> {
    let ci = generic::apply_overrides(detect_system(environment)?, environment)?;
    match ci.event.branch().filter(|branch| !branch.is_valid()) {
        Some(branch) => Err(CiError::InvalidBranch(branch.clone())),
        None => Ok(ci),
    }
}

/// Returns the values from the CI system's own variables, without overrides. An ambiguous CI system is an error, because a
/// wrong guess could publish to production.
fn detect_system(environment: &Environment) -> Result<Ci, CiError> {
    let is_github = environment.get(GITHUB_VARIABLE) == Some("true");
    let mut others = SYSTEMS.iter().filter(|system| system.is_present(environment));
    let (system, next) = if is_github { (None, others.next()) } else { (others.next(), others.next()) };
    let first = system.map_or(GITHUB_VARIABLE, |system| system.variable);
    match next.filter(|next| !AMBIGUOUS_VARIABLES.contains(&next.variable)) {
        Some(next) if environment.get("GITBOOK_EVENT").is_none() => {
            return Err(CiError::AmbiguousSystem(first, next.variable));
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

/// Returns the checkout folder that the CI system reports, even if the event cannot be read.
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

/// Reads a number from a variable. Returns `None` if the variable is unset or not a number.
fn read_number(environment: &Environment, variable: &str) -> Option<u64> {
    environment.get(variable)?.parse().ok()
}

/// Reads a commit ID from a variable. Returns `None` for other values, because some systems set `HEAD` for an unknown commit.
fn read_commit(environment: &Environment, variable: &str) -> Option<String> {
    let is_commit_id = |text: &&str| text.len() >= 7 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    environment.get(variable).filter(is_commit_id).map(str::to_owned)
}

/// Reads a path from a variable, or returns `None` if the variable is unset.
fn read_path(environment: &Environment, variable: &str) -> Option<PathBuf> {
    environment.get(variable).map(PathBuf::from)
}

/// Reads a string from a variable, or returns `None` if the variable is unset.
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
