//! What a CI system tells us: which system it is, and what happened to which branch.

mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod drone;
mod forge;
mod generic;
mod github;
mod gitlab;
mod jenkins;
mod node;
#[cfg(test)]
pub(crate) mod payloads;
mod repository;
#[cfg(test)]
mod told;
mod travis;
mod woodpecker;

pub(crate) use forge::ForgeKind;
pub(crate) use node::Node;

use std::path::PathBuf;

use url::Url;

use crate::environment::Environment;
use crate::preview::{Branch, UNKNOWN_OWNER};

/// What is known of where and why this runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ci {
    /// The system, as it is called in the log.
    pub system: &'static str,
    /// The variable that it was known by.
    pub detected_by: Option<&'static str>,
    /// What happened.
    pub event: Event,
    /// The branch that it is about: as the variables say, or else as the event does.
    pub branch: Option<Branch>,
    /// The pull request that it is about, in the same way, or the one that the pushed branch is known to have.
    pub pull_request: Option<u64>,
    /// True if a fork's change started this run with the base's rights. Variables do not override it.
    pub fork_as_base: bool,
    /// True if a fork's change started this run, with or without the base's rights.
    pub is_of_fork: bool,
    /// The pull request that a comment is on, where the event does not tell whether that comes from a fork.
    pub commented_on: Option<u64>,
    /// The branch of the event's pull request, on a system that does not tell whether it is a fork's.
    pub possible_fork: Option<Branch>,
    /// The repository with its host, such as `github.com/acme/integrations`.
    pub repository: Option<String>,
    /// The forge that it is on.
    pub forge: ForgeKind,
    /// The root of the forge's API, where it is known.
    pub api: Option<Url>,
    /// The number that the forge knows the repository by, whatever it is called.
    pub repository_id: Option<u64>,
    /// Whether the preview is to go because its environment is stopped, which is no word on its branch.
    pub stops: bool,
    /// The repository's default branch.
    pub default_branch: Option<String>,
    /// The head commit; never a merge commit that the system made up.
    pub commit: Option<String>,
    /// A number that is higher for newer runs; 0 where the system gives none.
    pub run: u64,
    /// The source of the run number: the CI system, and the job if each job numbers its own runs.
    pub counter: String,
    /// Which attempt at the run this is, from 1; 0 where the system gives no number.
    pub attempt: u64,
    /// Where the run's log can be read.
    pub run_url: Option<String>,
    /// The folder of the checkout.
    pub workspace: Option<PathBuf>,
    /// Which of the machines this is that run the same job, where there are several.
    pub node: Option<Node>,
}

impl Ci {
    /// A system on which something happened, and nothing else is known yet.
    fn of(system: &'static str, event: Event) -> Self {
        Self {
            system,
            detected_by: None,
            event,
            branch: None,
            pull_request: None,
            fork_as_base: false,
            is_of_fork: false,
            commented_on: None,
            possible_fork: None,
            repository: None,
            forge: ForgeKind::default(),
            api: None,
            repository_id: None,
            stops: false,
            default_branch: None,
            commit: None,
            run: 0,
            counter: system.to_owned(),
            attempt: 0,
            run_url: None,
            workspace: None,
            node: None,
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Commits came to a branch.
    Push(Branch),
    /// A branch is gone.
    BranchDeleted(Branch),
    /// A tag came, or went if `deleted`.
    Tag { deleted: bool },
    /// Something about a pull request.
    PullRequest(PullRequest),
    /// A merge queue wants its candidate checked.
    MergeQueue,
    /// A scheduled run.
    Schedule,
    /// Somebody started a run, on a branch or (`None`) on a tag.
    Manual(Option<Branch>),
    /// A release was published.
    Release,
    /// Not run by any CI system, and no event given.
    None,
    /// Something else, by the system's name for it.
    Other(String),
}

/// A pull or merge request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its head branch.
    pub branch: Branch,
    /// What happened to it.
    pub activity: Activity,
    /// Who it comes from, where that matters.
    pub author: Author,
    /// Whether this runs with the base branch's rights and secrets (`pull_request_target`).
    pub runs_as_base: bool,
}

/// What happened to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It has new commits to show: opened, reopened, pushed to, ready for review.
    Updated,
    /// It was closed, merged or not.
    Closed,
    /// Something else, by the system's name for it.
    Other(String),
}

/// Who a pull request comes from, as far as it decides which secrets its runs are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// A branch of the repository itself.
    Own,
    /// A fork.
    Fork,
    /// Dependabot, whose runs are treated as a fork's.
    Dependabot,
}

impl PullRequest {
    /// One that has new commits to show, from a branch of the repository or, with its owner, of a fork.
    fn updated(number: u64, owner: Option<&str>, branch: &str) -> Self {
        let (branch, author) = match owner {
            Some(owner) => (Branch::of_fork(owner, branch), Author::Fork),
            None => (Branch::new(branch), Author::Own),
        };
        Self { number, branch, activity: Activity::Updated, author, runs_as_base: false }
    }
}

impl Event {
    /// What happened, in few words.
    #[must_use]
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Push(_) => "push",
            Self::BranchDeleted(_) => "branch deleted",
            Self::Tag { deleted: false } => "tag",
            Self::Tag { deleted: true } => "tag deleted",
            Self::PullRequest(PullRequest { activity: Activity::Updated, .. }) => "pull request updated",
            Self::PullRequest(PullRequest { activity: Activity::Closed, .. }) => "pull request closed",
            Self::PullRequest(PullRequest { activity: Activity::Other(name), .. }) | Self::Other(name) => {
                name
            }
            Self::MergeQueue => "merge queue",
            Self::Schedule => "schedule",
            Self::Manual(_) => "manual run",
            Self::Release => "release",
            Self::None => "none",
        }
    }

    /// The branch it is about.
    #[must_use]
    pub(crate) fn branch(&self) -> Option<&Branch> {
        match self {
            Self::Push(branch) | Self::BranchDeleted(branch) | Self::Manual(Some(branch)) => Some(branch),
            Self::PullRequest(pull_request) => Some(&pull_request.branch),
            _ => None,
        }
    }

    /// The number of the pull request it is about.
    #[must_use]
    pub(crate) fn pull_request(&self) -> Option<u64> {
        match self {
            Self::PullRequest(pull_request) => Some(pull_request.number),
            _ => None,
        }
    }
}

/// Why the CI system could not be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CiError {
    /// The system says that there is an event file, and there is none.
    #[error("the event file that `GITHUB_EVENT_PATH` names can't be read")]
    EventFile(#[source] std::io::Error),
    /// The event file is larger than any event.
    #[error("the event file that `GITHUB_EVENT_PATH` names has {0} bytes, 32 MiB are the most")]
    EventFileTooLarge(u64),
    /// The event file is not what the system documents.
    #[error("the event file that `GITHUB_EVENT_PATH` names is no `{event}` event")]
    Payload {
        /// The event that it should hold.
        event: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Variables of two systems are there, one of which must be left over from elsewhere.
    #[error("both `{0}` and `{1}` are set: which CI system this is can't be told")]
    TwoSystems(&'static str, &'static str),
    /// The event's branch has a name that Git does not allow.
    #[error("`{0}` is not a valid branch name")]
    Branch(Branch),
    /// A value that says what happened is not understood.
    #[error("`{variable}` is {problem}")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl CiError {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::EventFile(_) => "in a container, mount it: `-v \"$GITHUB_EVENT_PATH:$GITHUB_EVENT_PATH:ro\"`; or say what happened with `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned(),
            Self::EventFileTooLarge(_) | Self::Payload { .. } => {
                "say what happened with `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned()
            }
            Self::TwoSystems(first, second) => format!(
                "unset `{first}` or `{second}`, whichever is not of this system; or say what happened with `GITBOOK_EVENT` and `GITBOOK_BRANCH`"
            ),
            Self::Branch(_) => "set `GITBOOK_BRANCH` to the branch of this run".to_owned(),
            Self::Variable { variable, .. } => match *variable {
                "GITBOOK_EVENT" => format!("accepted: {}", generic::EVENTS.join(", ")),
                "GITBOOK_BRANCH" => "use the branch's name as `git branch` prints it".to_owned(),
                "GITBOOK_PULL_REQUEST" => "give the pull request's number, with the event `pull_request` or `closed`, and leave it out with others".to_owned(),
                "GITBOOK_REPOSITORY" => "such as `github.com/acme/integrations`".to_owned(),
                _ => "see `gitbook-deploy --help`".to_owned(),
            },
        }
    }
}

/// How a system is known, and how it is understood.
struct System {
    /// The variable that is there.
    variable: &'static str,
    /// What it says; with `None` it may say anything.
    value: Option<&'static str>,
    detect: fn(&Environment) -> Ci,
}

/// The variable by which GitHub's runner is known, and those of its kin.
const GITHUB: &str = "GITHUB_ACTIONS";

/// All other systems, in the order in which they are looked for. `CI=true` is said by many and tells nothing.
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

/// Variables that may be there on another system, too: Drone's descendant Woodpecker once set Drone's, and a server's
/// address may be left in the environment of what runs inside another system.
const SHARED: [&str; 2] = ["DRONE", "JENKINS_URL"];

impl System {
    fn is_here(&self, environment: &Environment) -> bool {
        let said = environment.get(self.variable);
        said.is_some_and(|said| self.value.is_none_or(|value| said == value))
    }
}

/// Finds out what happened. What the generic variables say goes before what was detected.
///
/// # Errors
/// When the CI system's own event can't be read, or a variable makes no sense.
pub(crate) fn detect(environment: &Environment) -> Result<Ci, CiError> {
    let ci = generic::apply(detected(environment)?, environment)?;
    match ci.event.branch().filter(|branch| !branch.is_valid()) {
        Some(branch) => Err(CiError::Branch(branch.clone())),
        None => Ok(ci),
    }
}

/// What the CI system itself says. Which one it is must not be a guess: it decides what is taken for production.
fn detected(environment: &Environment) -> Result<Ci, CiError> {
    let is_github = environment.get(GITHUB) == Some("true");
    let mut others = SYSTEMS.iter().filter(|system| system.is_here(environment));
    let (system, next) = if is_github { (None, others.next()) } else { (others.next(), others.next()) };
    let first = system.map_or(GITHUB, |system| system.variable);
    match next.filter(|next| !SHARED.contains(&next.variable)) {
        Some(next) if environment.get("GITBOOK_EVENT").is_none() => {
            return Err(CiError::TwoSystems(first, next.variable));
        }
        _ => {}
    }
    if is_github {
        return Ok(Ci { detected_by: Some(GITHUB), ..github::detect(environment)? });
    }
    Ok(match system {
        Some(system) => Ci { detected_by: Some(system.variable), ..(system.detect)(environment) },
        None => generic::nothing_detected(environment),
    })
}

/// Returns the folder of the checkout, as the CI system gives it, whatever the event is.
pub(crate) fn workspace(environment: &Environment) -> Option<PathBuf> {
    let other = || SYSTEMS.iter().find(|system| system.is_here(environment));
    let is_github = environment.get(GITHUB) == Some("true");
    if is_github { github::workspace(environment) } else { (other()?.detect)(environment).workspace }
}

/// A branch's name without the `refs/heads/` that some put before it.
fn short(branch: &str) -> &str {
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}

/// The number that a variable holds.
fn number(environment: &Environment, variable: &str) -> Option<u64> {
    environment.get(variable)?.parse().ok()
}

/// The commit that a variable names; some say `HEAD` where they do not know.
fn commit(environment: &Environment, variable: &str) -> Option<String> {
    let is_commit = |text: &&str| text.len() >= 7 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    environment.get(variable).filter(is_commit).map(str::to_owned)
}

/// Commits on a branch, unless it is a merge queue's candidate, which lives for the length of its checks.
fn pushed(branch: &str) -> Event {
    if branch.starts_with("gh-readonly-queue/") {
        return Event::MergeQueue;
    }
    Event::Push(Branch::new(branch))
}

/// Who counts as the owner of a pull request's branch where the system tells nothing of forks. Nobody proposes a branch
/// to itself, and hardly anybody the default branch: that is a fork's, and its `main` must not pass for ours.
fn untold_owner(branch: &str, others: [Option<&str>; 2]) -> Option<&'static str> {
    others.contains(&Some(branch)).then_some(UNKNOWN_OWNER)
}

/// The folder that a variable names.
fn folder(environment: &Environment, variable: &str) -> Option<PathBuf> {
    environment.get(variable).map(PathBuf::from)
}

/// A copy of what a variable holds.
fn text(environment: &Environment, variable: &str) -> Option<String> {
    environment.get(variable).map(str::to_owned)
}

#[cfg(test)]
mod tests;
