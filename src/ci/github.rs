//! Detects the event on GitHub Actions and compatible systems: GitHub Enterprise, Gitea and Forgejo.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{
    Activity, Ci, CiError, Event, PullRequest, PullRequestOrigin, UNKNOWN_OWNER, read_path,
    strip_heads_prefix,
};
use crate::environment::Environment;
use crate::repository::Branch;

/// The maximum size of an event file. GitHub's limit for payloads is 25 MB.
const MAX_PAYLOAD_BYTES: u64 = 32 * 1024 * 1024;

const DEPENDABOT_LOGIN: &str = "dependabot[bot]";

/// The fields of an event's payload that this program uses. Each event has only some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EventPayload {
    action: Option<String>,
    number: Option<u64>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    ref_type: Option<String>,
    after: Option<String>,
    deleted: Option<bool>,
    head_commit: Option<PayloadCommit>,
    pull_request: Option<PayloadPullRequest>,
    repository: Option<PayloadRepository>,
    workflow_run: Option<PayloadWorkflowRun>,
    issue: Option<PayloadIssue>,
}

/// The issue or pull request of an `issue_comment` event.
#[derive(Debug, Deserialize)]
struct PayloadIssue {
    number: u64,
    /// A field that only pull requests have.
    pull_request: Option<IgnoredAny>,
}

/// The workflow run that triggered a `workflow_run` event.
#[derive(Debug, Deserialize)]
struct PayloadWorkflowRun {
    event: Option<String>,
    /// The repository of the source branch, or null if the fork was deleted.
    head_repository: Option<PayloadRepository>,
}

#[derive(Debug, Deserialize)]
struct PayloadCommit {
    id: String,
}

#[derive(Debug, Deserialize)]
struct PayloadPullRequest {
    number: Option<u64>,
    head: PayloadHead,
    base: PayloadBase,
    user: Option<PayloadAccount>,
}

#[derive(Debug, Deserialize)]
struct PayloadHead {
    #[serde(rename = "ref")]
    reference: String,
    sha: String,
    label: Option<String>,
    user: Option<PayloadAccount>,
    /// The repository of the source branch, or null if the fork was deleted.
    repo: Option<PayloadRepository>,
}

#[derive(Debug, Deserialize)]
struct PayloadBase {
    repo: PayloadRepository,
}

#[derive(Debug, Deserialize)]
struct PayloadAccount {
    login: String,
}

#[derive(Debug, Deserialize)]
struct PayloadRepository {
    id: u64,
    full_name: Option<String>,
    default_branch: Option<String>,
    owner: Option<PayloadAccount>,
}

/// Detects the event from the variables and the event file.
pub(super) fn detect(environment: &Environment) -> Result<Ci, CiError> {
    let name = environment.get("GITHUB_EVENT_NAME").unwrap_or_default();
    let payload = read_payload(environment, name)?;
    let repository = environment.get("GITHUB_REPOSITORY").map(str::to_owned);
    let repository = repository.or_else(|| payload.repository.as_ref()?.full_name.clone());
    let server = environment.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").trim_end_matches('/');
    let run_id = environment.get("GITHUB_RUN_ID");
    let run_url =
        repository.as_ref().zip(run_id).map(|(repo, id)| format!("{server}/{repo}/actions/runs/{id}"));
    Ok(Ci {
        repository: repository.map(|name| format!("{}/{name}", host_of_url(server))),
        repository_id: payload
            .repository
            .as_ref()
            .map(|repository| repository.id)
            .or_else(|| environment.get("GITHUB_REPOSITORY_ID")?.parse().ok()),
        default_branch: payload.repository.as_ref().and_then(|repository| repository.default_branch.clone()),
        commit: head_commit(&payload, environment),
        // The run ID increases across all workflows of a repository; the run number does not.
        run_number: run_id.and_then(|id| id.parse().ok()).unwrap_or(0),
        attempt: environment.get("GITHUB_RUN_ATTEMPT").and_then(|attempt| attempt.parse().ok()).unwrap_or(0),
        run_url,
        workspace: workspace(environment),
        // A `workflow_run` event gives the run the base repository's secrets, even if the job has checked out a fork's code.
        is_fork_with_base_secrets: payload.was_triggered_by_fork_run(),
        is_from_fork: payload.is_about_fork(),
        commented_pull_request: payload.commented_pull_request(),
        ..Ci::new(system_name(environment), detect_event(name, &payload, environment))
    })
}

/// Returns the folder of the checkout.
pub(super) fn workspace(environment: &Environment) -> Option<PathBuf> {
    read_path(environment, "GITHUB_WORKSPACE")
}

/// Returns the name of the CI system for the log. Gitea and Forgejo do not document the variables that identify them.
fn system_name(environment: &Environment) -> &'static str {
    if environment.get("FORGEJO_ACTIONS").is_some() {
        "Forgejo Actions"
    } else if environment.get("GITEA_ACTIONS").is_some() {
        "Gitea Actions"
    } else {
        "GitHub Actions"
    }
}

/// Reads the event file. The file is optional if `GITBOOK_EVENT` is set.
fn read_payload(environment: &Environment, event: &str) -> Result<EventPayload, CiError> {
    match read_event_file(environment, event) {
        // A fork's script must never run with the base repository's secrets, so the event must be known.
        Err(error) if may_be_fork_with_base_secrets(event) => Err(error),
        Err(_) if environment.get("GITBOOK_EVENT").is_some() => Ok(EventPayload::default()),
        result => result,
    }
}

/// Returns true if runs for an event have the base repository's secrets, even if the event is about a fork.
fn may_be_fork_with_base_secrets(event: &str) -> bool {
    matches!(event, "pull_request_target" | "workflow_run" | "issue_comment")
}

fn read_event_file(environment: &Environment, event: &str) -> Result<EventPayload, CiError> {
    let Some(path) = environment.get("GITHUB_EVENT_PATH") else { return payload_without_file(event) };
    let path = environment.current_folder().join(path);
    let metadata = std::fs::metadata(&path).map_err(CiError::UnreadableEventFile)?;
    if !metadata.is_file() {
        // Reading a device may never end, and the length of a device is unknown in advance.
        return Err(CiError::UnreadableEventFile(std::io::Error::other("not a file")));
    }
    if metadata.len() > MAX_PAYLOAD_BYTES {
        return Err(CiError::EventFileTooLarge(metadata.len()));
    }
    let bytes = std::fs::read(&path).map_err(CiError::UnreadableEventFile)?;
    let invalid = |source| CiError::InvalidEventFile { event: event.to_owned(), source };
    let object: serde_json::Map<_, _> = serde_json::from_slice(&bytes).map_err(invalid)?;
    let payload = EventPayload::deserialize(serde_json::Value::from(object)).map_err(invalid)?;
    match payload.missing_field(event) {
        Some(field) => Err(invalid(serde::de::Error::missing_field(field))),
        None => Ok(payload),
    }
}

/// Returns an empty payload for events that the variables describe completely, such as a push. For other events, such as pull
/// requests and deletions, a missing file is an error.
fn payload_without_file(event: &str) -> Result<EventPayload, CiError> {
    match EventPayload::default().missing_field(event) {
        Some(_) => Err(CiError::NoEventFile),
        None => Ok(EventPayload::default()),
    }
}

impl EventPayload {
    /// Returns the name of a required field that the payload lacks.
    fn missing_field(&self, event: &str) -> Option<&'static str> {
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

    /// Returns true if a fork's workflow run triggered this event (`workflow_run`).
    fn was_triggered_by_fork_run(&self) -> bool {
        let Some(run) = &self.workflow_run else { return false };
        match (&run.head_repository, &self.repository) {
            (Some(head), Some(base)) => head.id != base.id,
            _ => run.event.as_deref().is_some_and(|event| event.starts_with("pull_request")),
        }
    }

    /// Returns true if the event is about a fork's pull request or workflow run.
    fn is_about_fork(&self) -> bool {
        let is_from_fork = self.pull_request.as_ref().is_some_and(PayloadPullRequest::is_from_fork);
        is_from_fork || self.was_triggered_by_fork_run()
    }

    /// Returns the pull request number if the event is a comment on a pull request. The payload does not include the source
    /// branch.
    fn commented_pull_request(&self) -> Option<u64> {
        let issue = self.issue.as_ref()?;
        issue.pull_request.is_some().then_some(issue.number)
    }

    fn pull_request_number(&self) -> Option<u64> {
        self.number.or_else(|| self.pull_request.as_ref()?.number)
    }

    /// Returns true if a push deleted a branch or tag. Some compatible systems do not set `deleted`, so an `after` of zeros
    /// also counts.
    fn is_deletion(&self) -> bool {
        let is_zero = |after: &str| !after.is_empty() && after.bytes().all(|digit| digit == b'0');
        self.deleted == Some(true) || self.after.as_deref().is_some_and(is_zero)
    }
}

impl PayloadPullRequest {
    fn is_from_fork(&self) -> bool {
        self.head.repo.as_ref().is_none_or(|repository| repository.id != self.base.repo.id)
    }
}

/// Returns the event. Prefers the ref in the payload, because `GITHUB_REF` is the default branch for some events, such as
/// `delete`.
fn detect_event(name: &str, payload: &EventPayload, environment: &Environment) -> Event {
    let reference =
        payload.reference.as_deref().or_else(|| environment.get("GITHUB_REF")).unwrap_or_default();
    match name {
        "push" => push_event(reference, payload.is_deletion()),
        "delete" => match payload.ref_type.as_deref() {
            Some("branch") => Event::BranchDeleted(Branch::new(strip_heads_prefix(reference))),
            _ => Event::Tag { deleted: true },
        },
        "pull_request" | "pull_request_target" => match &payload.pull_request {
            Some(pull_request) => {
                Event::PullRequest(parse_pull_request(name, payload, pull_request, environment))
            }
            None => Event::Other(name.to_owned()),
        },
        "" => Event::without_name("GITHUB_EVENT_NAME"),
        "merge_group" if payload.action.as_deref() == Some("checks_requested") => Event::MergeQueue,
        "schedule" => Event::Schedule,
        "workflow_dispatch" => Event::Manual(reference.strip_prefix("refs/heads/").map(Branch::new)),
        "release" if payload.action.as_deref() == Some("published") => Event::Release,
        _ => Event::Other(
            payload.action.iter().fold(name.to_owned(), |name, action| format!("{name}: {action}")),
        ),
    }
}

fn push_event(reference: &str, deleted: bool) -> Event {
    match reference.strip_prefix("refs/heads/") {
        Some(branch) if deleted => Event::BranchDeleted(Branch::new(branch)),
        Some(branch) => Event::from_pushed_branch(branch),
        None if reference.starts_with("refs/tags/") => Event::Tag { deleted },
        None => Event::Other(format!("push to {reference}")),
    }
}

fn parse_pull_request(
    name: &str,
    payload: &EventPayload,
    pull_request: &PayloadPullRequest,
    environment: &Environment,
) -> PullRequest {
    let head = &pull_request.head;
    let is_from_fork = pull_request.is_from_fork();
    let is_by_dependabot = environment.get("GITHUB_ACTOR") == Some(DEPENDABOT_LOGIN)
        || pull_request.user.as_ref().is_some_and(|user| user.login == DEPENDABOT_LOGIN);
    let activity = match payload.action.as_deref() {
        Some("opened" | "reopened" | "synchronize" | "synchronized" | "ready_for_review") => {
            Activity::Updated
        }
        Some("closed") => Activity::Closed,
        Some(other) => Activity::Other(other.to_owned()),
        None => Activity::Unnamed,
    };
    PullRequest {
        number: payload.pull_request_number().unwrap_or_default(),
        branch: if is_from_fork {
            Branch::of_fork(&fork_owner(head), &head.reference)
        } else {
            Branch::new(&head.reference)
        },
        activity,
        origin: match (is_from_fork, is_by_dependabot) {
            (true, _) => PullRequestOrigin::Fork,
            (false, true) => PullRequestOrigin::Dependabot,
            (false, false) => PullRequestOrigin::SameRepository,
        },
        has_base_secrets: name == "pull_request_target",
    }
}

/// Returns the owner of the fork, even if the fork was deleted.
fn fork_owner(head: &PayloadHead) -> String {
    let owner = head.repo.as_ref().and_then(|repository| repository.owner.as_ref()).or(head.user.as_ref());
    let from_label = || head.label.as_deref()?.split_once(':').map(|(owner, _)| owner.to_owned());
    owner.map(|account| account.login.clone()).or_else(from_label).unwrap_or_else(|| UNKNOWN_OWNER.to_owned())
}

/// Returns the head commit. `GITHUB_SHA` is a merge commit for pull requests, and a commit of another branch for deletions.
fn head_commit(payload: &EventPayload, environment: &Environment) -> Option<String> {
    if let Some(pull_request) = &payload.pull_request {
        return Some(pull_request.head.sha.clone());
    }
    if payload.is_deletion() || environment.get("GITHUB_EVENT_NAME") == Some("delete") {
        return None;
    }
    // For an annotated tag, `after` is the ID of the tag object, not of the commit.
    let pushed =
        payload.head_commit.as_ref().map(|commit| commit.id.clone()).or_else(|| payload.after.clone());
    pushed.or_else(|| environment.get("GITHUB_SHA").map(str::to_owned))
}

fn host_of_url(server: &str) -> &str {
    server.split_once("://").map_or(server, |(_, host)| host)
}

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
