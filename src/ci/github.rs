//! GitHub Actions, and what speaks its language: GitHub Enterprise, Gitea and Forgejo.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Activity, Author, Ci, CiError, Event, PullRequest, UNKNOWN_OWNER, folder, pushed, short};
use crate::environment::Environment;
use crate::preview::Branch;

/// GitHub sends no payload above 25 MB.
const LARGEST_PAYLOAD: u64 = 32 * 1024 * 1024;

const DEPENDABOT: &str = "dependabot[bot]";

/// The parts of an event's payload that matter; each event has some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    action: Option<String>,
    number: Option<u64>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    ref_type: Option<String>,
    after: Option<String>,
    deleted: Option<bool>,
    head_commit: Option<Commit>,
    pull_request: Option<PullRequestPayload>,
    repository: Option<Repository>,
    workflow_run: Option<WorkflowRun>,
    issue: Option<Issue>,
}

/// An issue, or the pull request that GitHub keeps as one.
#[derive(Debug, Deserialize)]
struct Issue {
    number: u64,
    /// On pull requests only.
    pull_request: Option<IgnoredAny>,
}

/// The run that another workflow waited for.
#[derive(Debug, Deserialize)]
struct WorkflowRun {
    event: Option<String>,
    /// Gone when the fork is.
    head_repository: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Commit {
    id: String,
}

#[derive(Debug, Deserialize)]
struct PullRequestPayload {
    number: Option<u64>,
    head: Head,
    base: Base,
    user: Option<Account>,
}

#[derive(Debug, Deserialize)]
struct Head {
    #[serde(rename = "ref")]
    reference: String,
    sha: String,
    label: Option<String>,
    user: Option<Account>,
    /// Gone when the fork is.
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Base {
    repo: Repository,
}

#[derive(Debug, Deserialize)]
struct Account {
    login: String,
}

#[derive(Debug, Deserialize)]
struct Repository {
    id: u64,
    full_name: Option<String>,
    default_branch: Option<String>,
    owner: Option<Account>,
}

/// Reads the variables and the event file.
pub(super) fn detect(environment: &Environment) -> Result<Ci, CiError> {
    let name = environment.get("GITHUB_EVENT_NAME").unwrap_or("an event without a name");
    let payload = payload(environment, name)?;
    let repository = environment.get("GITHUB_REPOSITORY").map(str::to_owned);
    let repository = repository.or_else(|| payload.repository.as_ref()?.full_name.clone());
    let server = environment.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").trim_end_matches('/');
    let run_id = environment.get("GITHUB_RUN_ID");
    let run_url =
        repository.as_ref().zip(run_id).map(|(repo, id)| format!("{server}/{repo}/actions/runs/{id}"));
    Ok(Ci {
        repository: repository.map(|name| format!("{}/{name}", host(server))),
        repository_id: payload
            .repository
            .as_ref()
            .map(|repository| repository.id)
            .or_else(|| environment.get("GITHUB_REPOSITORY_ID")?.parse().ok()),
        default_branch: payload.repository.as_ref().and_then(|repository| repository.default_branch.clone()),
        commit: commit(&payload, environment),
        // Unlike the run number, the id counts over all workflows of a repository.
        run: run_id.and_then(|id| id.parse().ok()).unwrap_or(0),
        attempt: environment.get("GITHUB_RUN_ATTEMPT").and_then(|attempt| attempt.parse().ok()).unwrap_or(0),
        run_url,
        workspace: workspace(environment),
        // Such a run has the base's secrets, and may have checked out the fork's code.
        fork_as_base: payload.is_after_run_of_fork(),
        is_of_fork: payload.is_of_fork(),
        commented_on: payload.commented_pull_request(),
        ..Ci::of(system(environment), event(name, &payload, environment))
    })
}

/// Returns the folder of the checkout.
pub(super) fn workspace(environment: &Environment) -> Option<PathBuf> {
    folder(environment, "GITHUB_WORKSPACE")
}

/// Whose runner it is. This is for the log only: that Gitea's and Forgejo's have these variables is not sure.
fn system(environment: &Environment) -> &'static str {
    if environment.get("FORGEJO_ACTIONS").is_some() {
        "Forgejo Actions"
    } else if environment.get("GITEA_ACTIONS").is_some() {
        "Gitea Actions"
    } else {
        "GitHub Actions"
    }
}

/// The event file. It is not needed where the variables say in other words what happened.
fn payload(environment: &Environment, event: &str) -> Result<Payload, CiError> {
    match read(environment, event) {
        // Whose script would run with the base's secrets must not be a guess.
        Err(error) if may_have_secrets_beside_fork(event) => Err(error),
        Err(_) if environment.get("GITBOOK_EVENT").is_some() => Ok(Payload::default()),
        result => result,
    }
}

/// Returns whether an event may be about a fork, and runs with the base repository's secrets.
fn may_have_secrets_beside_fork(event: &str) -> bool {
    matches!(event, "pull_request_target" | "workflow_run" | "issue_comment")
}

fn read(environment: &Environment, event: &str) -> Result<Payload, CiError> {
    let Some(path) = environment.get("GITHUB_EVENT_PATH") else { return without_file(event) };
    let path = environment.folder().join(path);
    let metadata = std::fs::metadata(&path).map_err(CiError::EventFile)?;
    if !metadata.is_file() {
        // A device has no length, and may have no end.
        return Err(CiError::EventFile(std::io::Error::other("it is not a file")));
    }
    if metadata.len() > LARGEST_PAYLOAD {
        return Err(CiError::EventFileTooLarge(metadata.len()));
    }
    let text = std::fs::read(&path).map_err(CiError::EventFile)?;
    let problem = |source| CiError::Payload { event: event.to_owned(), source };
    let object: serde_json::Map<_, _> = serde_json::from_slice(&text).map_err(problem)?;
    let payload = Payload::deserialize(serde_json::Value::from(object)).map_err(problem)?;
    match payload.lacks(event) {
        Some(field) => Err(problem(serde::de::Error::missing_field(field))),
        None => Ok(payload),
    }
}

/// Variables tell a push or a schedule; what a pull request or a deletion is about stands in the file only.
fn without_file(event: &str) -> Result<Payload, CiError> {
    match Payload::default().lacks(event) {
        Some(_) => {
            let unset = std::io::Error::new(std::io::ErrorKind::NotFound, "the variable is unset");
            Err(CiError::EventFile(unset))
        }
        None => Ok(Payload::default()),
    }
}

impl Payload {
    /// The field that the event is about and that is not there.
    fn lacks(&self, event: &str) -> Option<&'static str> {
        match event {
            "pull_request" | "pull_request_target" if self.pull_request.is_none() => Some("pull_request"),
            "pull_request" | "pull_request_target" if self.pull_request_number().is_none() => Some("number"),
            "workflow_run" if self.workflow_run.is_none() => Some("workflow_run"),
            "issue_comment" if self.issue.is_none() => Some("issue"),
            "delete" if self.reference.is_none() => Some("ref"),
            "delete" if self.ref_type.is_none() => Some("ref_type"),
            _ => None,
        }
    }

    /// Returns whether this follows a run for a fork.
    fn is_after_run_of_fork(&self) -> bool {
        let Some(run) = &self.workflow_run else { return false };
        match (&run.head_repository, &self.repository) {
            (Some(head), Some(base)) => head.id != base.id,
            _ => run.event.as_deref().is_some_and(|event| event.starts_with("pull_request")),
        }
    }

    /// Returns whether this is about a fork.
    fn is_of_fork(&self) -> bool {
        let is_from_fork = self.pull_request.as_ref().is_some_and(PullRequestPayload::is_from_fork);
        is_from_fork || self.is_after_run_of_fork()
    }

    /// Returns the number of the pull request that a comment is on. It does not tell whether that comes from a fork.
    fn commented_pull_request(&self) -> Option<u64> {
        let issue = self.issue.as_ref()?;
        issue.pull_request.is_some().then_some(issue.number)
    }

    fn pull_request_number(&self) -> Option<u64> {
        self.number.or_else(|| self.pull_request.as_ref()?.number)
    }

    /// Whether a branch or tag is gone. Not every system that speaks GitHub's language says so in `deleted`.
    fn is_deletion(&self) -> bool {
        let no_commit = |after: &str| !after.is_empty() && after.bytes().all(|digit| digit == b'0');
        self.deleted == Some(true) || self.after.as_deref().is_some_and(no_commit)
    }
}

impl PullRequestPayload {
    fn is_from_fork(&self) -> bool {
        self.head.repo.as_ref().is_none_or(|repository| repository.id != self.base.repo.id)
    }
}

/// The event comes first: on many of them `GITHUB_REF` is a branch that the event is not about.
fn event(name: &str, payload: &Payload, environment: &Environment) -> Event {
    let reference =
        payload.reference.as_deref().or_else(|| environment.get("GITHUB_REF")).unwrap_or_default();
    match name {
        "push" => push(reference, payload.is_deletion()),
        "delete" => match payload.ref_type.as_deref() {
            Some("branch") => Event::BranchDeleted(Branch::new(short(reference))),
            _ => Event::Tag { deleted: true },
        },
        "pull_request" | "pull_request_target" => match &payload.pull_request {
            Some(pull_request) => {
                Event::PullRequest(self::pull_request(name, payload, pull_request, environment))
            }
            None => Event::Other(name.to_owned()),
        },
        "merge_group" if payload.action.as_deref() == Some("checks_requested") => Event::MergeQueue,
        "schedule" => Event::Schedule,
        "workflow_dispatch" => Event::Manual(reference.strip_prefix("refs/heads/").map(Branch::new)),
        "release" if payload.action.as_deref() == Some("published") => Event::Release,
        _ => Event::Other(
            payload.action.iter().fold(name.to_owned(), |name, action| format!("{name}: {action}")),
        ),
    }
}

fn push(reference: &str, deleted: bool) -> Event {
    match reference.strip_prefix("refs/heads/") {
        Some(branch) if deleted => Event::BranchDeleted(Branch::new(branch)),
        Some(branch) => pushed(branch),
        None if reference.starts_with("refs/tags/") => Event::Tag { deleted },
        None => Event::Other(format!("push to {reference}")),
    }
}

fn pull_request(
    name: &str,
    payload: &Payload,
    pull_request: &PullRequestPayload,
    environment: &Environment,
) -> PullRequest {
    let head = &pull_request.head;
    let fork = pull_request.is_from_fork();
    let by_dependabot = environment.get("GITHUB_ACTOR") == Some(DEPENDABOT)
        || pull_request.user.as_ref().is_some_and(|user| user.login == DEPENDABOT);
    let activity = match payload.action.as_deref().unwrap_or("an activity without a name") {
        "opened" | "reopened" | "synchronize" | "synchronized" | "ready_for_review" => Activity::Updated,
        "closed" => Activity::Closed,
        other => Activity::Other(other.to_owned()),
    };
    PullRequest {
        number: payload.pull_request_number().unwrap_or_default(),
        branch: if fork {
            Branch::of_fork(&owner(head), &head.reference)
        } else {
            Branch::new(&head.reference)
        },
        activity,
        author: match (fork, by_dependabot) {
            (true, _) => Author::Fork,
            (false, true) => Author::Dependabot,
            (false, false) => Author::Own,
        },
        runs_as_base: name == "pull_request_target",
    }
}

/// Whose fork it is, or was.
fn owner(head: &Head) -> String {
    let owner = head.repo.as_ref().and_then(|repository| repository.owner.as_ref()).or(head.user.as_ref());
    let labelled = || head.label.as_deref()?.split_once(':').map(|(owner, _)| owner.to_owned());
    owner.map(|account| account.login.clone()).or_else(labelled).unwrap_or_else(|| UNKNOWN_OWNER.to_owned())
}

/// The head commit. `GITHUB_SHA` is a merge commit on pull requests, and another branch's on deletes.
fn commit(payload: &Payload, environment: &Environment) -> Option<String> {
    if let Some(pull_request) = &payload.pull_request {
        return Some(pull_request.head.sha.clone());
    }
    if payload.is_deletion() || environment.get("GITHUB_EVENT_NAME") == Some("delete") {
        return None;
    }
    // The `after` of an annotated tag is the tag, which is an object of its own.
    let pushed =
        payload.head_commit.as_ref().map(|commit| commit.id.clone()).or_else(|| payload.after.clone());
    pushed.or_else(|| environment.get("GITHUB_SHA").map(str::to_owned))
}

fn host(server: &str) -> &str {
    server.split_once("://").map_or(server, |(_, host)| host)
}

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
