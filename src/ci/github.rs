//! GitHub Actions, and what speaks its language: GitHub Enterprise, Gitea and Forgejo.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Activity, Author, Ci, CiError, Event, PullRequest, short};
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
    deleted: bool,
    pull_request: Option<PullRequestPayload>,
    repository: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct PullRequestPayload {
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
        system: "GitHub Actions",
        event: event(name, &payload, environment),
        repository: repository.map(|name| format!("{}/{name}", host(server))),
        default_branch: payload.repository.as_ref().and_then(|repository| repository.default_branch.clone()),
        commit: commit(&payload, environment),
        // Unlike the run number, the id counts over all workflows of a repository.
        run: run_id.and_then(|id| id.parse().ok()).unwrap_or(0),
        run_url,
        workspace: environment.get("GITHUB_WORKSPACE").map(PathBuf::from),
    })
}

fn payload(environment: &Environment, event: &str) -> Result<Payload, CiError> {
    let Some(path) = environment.get("GITHUB_EVENT_PATH") else { return Ok(Payload::default()) };
    let path = environment.folder().join(path);
    let size = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        // What happened is said in other words, so that the file is not needed.
        Err(_) if environment.get("GITBOOK_EVENT").is_some() => return Ok(Payload::default()),
        Err(error) => return Err(CiError::EventFile(error)),
    };
    if size > LARGEST_PAYLOAD {
        return Err(CiError::EventFileTooLarge(size));
    }
    let text = std::fs::read(&path).map_err(CiError::EventFile)?;
    serde_json::from_slice(&text).map_err(|source| CiError::Payload { event: event.to_owned(), source })
}

/// The event comes first: on many of them `GITHUB_REF` is a branch that the event is not about.
fn event(name: &str, payload: &Payload, environment: &Environment) -> Event {
    let reference =
        payload.reference.as_deref().or_else(|| environment.get("GITHUB_REF")).unwrap_or_default();
    match name {
        "push" => push(reference, payload.deleted),
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
        // A merge queue's candidate, which lives for the length of its checks.
        Some(branch) if branch.starts_with("gh-readonly-queue/") => Event::MergeQueue,
        Some(branch) => Event::Push(Branch::new(branch)),
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
    let fork = head.repo.as_ref().is_none_or(|repository| repository.id != pull_request.base.repo.id);
    let by_dependabot = environment.get("GITHUB_ACTOR") == Some(DEPENDABOT)
        || pull_request.user.as_ref().is_some_and(|user| user.login == DEPENDABOT);
    let activity = match payload.action.as_deref().unwrap_or_default() {
        "opened" | "reopened" | "synchronize" | "synchronized" | "ready_for_review" => Activity::Updated,
        "closed" => Activity::Closed,
        other => Activity::Other(other.to_owned()),
    };
    PullRequest {
        number: payload.number.unwrap_or_default(),
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
    owner.map(|account| account.login.clone()).or_else(labelled).unwrap_or_else(|| "unknown".to_owned())
}

/// The head commit. `GITHUB_SHA` is a merge commit on pull requests, and another branch's on deletes.
fn commit(payload: &Payload, environment: &Environment) -> Option<String> {
    if let Some(pull_request) = &payload.pull_request {
        return Some(pull_request.head.sha.clone());
    }
    if payload.deleted || environment.get("GITHUB_EVENT_NAME") == Some("delete") {
        return None;
    }
    payload.after.clone().or_else(|| environment.get("GITHUB_SHA").map(str::to_owned))
}

fn host(server: &str) -> &str {
    server.split_once("://").map_or(server, |(_, host)| host)
}
