//! Detects the event on Azure Pipelines, for repositories on Azure, GitHub and Bitbucket.

use super::{
    Ci, Event, PullRequest, UNKNOWN_OWNER, read_commit, read_number, read_path, repository_name,
    strip_heads_prefix,
};
use crate::environment::Environment;
use crate::repository::Branch;

/// Detects the event from the variables of Azure Pipelines.
pub(super) fn detect(environment: &Environment) -> Ci {
    Ci {
        repository: environment.get("BUILD_REPOSITORY_URI").and_then(repository_name),
        commit: head_commit(environment),
        // The build ID increases across all pipelines of the organization.
        run_number: read_number(environment, "BUILD_BUILDID").unwrap_or(0),
        run_url: run_url(environment),
        workspace: read_path(environment, "BUILD_SOURCESDIRECTORY"),
        ..Ci::new("Azure Pipelines", detect_event(environment))
    }
}

/// Returns the event. Reads the branch from `BUILD_SOURCEBRANCH`, because `BUILD_SOURCEBRANCHNAME` contains only the last
/// segment: `main` for `feature/main`.
fn detect_event(environment: &Environment) -> Event {
    let Some(reason) = environment.get("BUILD_REASON") else { return Event::without_name("BUILD_REASON") };
    let reference = environment.get("BUILD_SOURCEBRANCH").unwrap_or_default();
    let branch = reference.strip_prefix("refs/heads/");
    match reason {
        "PullRequest" => pull_request_event(environment),
        "Schedule" => Event::Schedule,
        "Manual" => Event::Manual(branch.map(Branch::new)),
        "IndividualCI" | "BatchedCI" => match branch {
            Some(branch) => Event::from_pushed_branch(branch),
            None if reference.starts_with("refs/tags/") => Event::Tag { deleted: false },
            None => Event::Other(format!("push to {reference}")),
        },
        // Another pipeline may have started this run. The variables do not contain the branch of that pipeline.
        other => Event::Other(other.to_owned()),
    }
}

fn pull_request_event(environment: &Environment) -> Event {
    // Pull requests in Azure Repos have an ID but no number. On other forges, Azure's ID differs from the pull request number.
    let number = read_number(environment, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
        .or_else(|| read_number(environment, "SYSTEM_PULLREQUEST_PULLREQUESTID"));
    match number.zip(environment.get("SYSTEM_PULLREQUEST_SOURCEBRANCH")) {
        Some((number, branch)) => {
            let owner = fork_owner(environment);
            Event::PullRequest(PullRequest::updated(number, owner.as_deref(), strip_heads_prefix(branch)))
        }
        None => Event::incomplete(
            "pull request",
            number.is_some(),
            ["SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_SOURCEBRANCH"],
        ),
    }
}

/// Returns the owner of the fork, or `None` if the variables show that the pull request comes from the repository itself. In
/// Azure Repos, a fork may have the same owner as the original repository, so the result includes the fork's name.
fn fork_owner(environment: &Environment) -> Option<String> {
    let read_repository = |variable| environment.get(variable).and_then(repository_name);
    let source = read_repository("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI");
    let is_same_repository = match environment.get("SYSTEM_PULLREQUEST_ISFORK") {
        Some(is_fork) => is_fork.eq_ignore_ascii_case("false"),
        None => source.is_some() && source == read_repository("BUILD_REPOSITORY_URI"),
    };
    if is_same_repository {
        return None;
    }
    let path = source.as_deref().and_then(|source| source.split_once('/')).map(|(_, path)| path);
    let owner = path.map(|path| match path.split_once("/_git/") {
        Some((project, name)) => format!("{project}/{name}"),
        None => path.rsplit_once('/').map_or(path, |(owner, _)| owner).to_owned(),
    });
    Some(owner.unwrap_or_else(|| UNKNOWN_OWNER.to_owned()))
}

/// Returns the head commit. For pull requests, `BUILD_SOURCEVERSION` is a merge commit.
fn head_commit(environment: &Environment) -> Option<String> {
    // `SYSTEM_PULLREQUEST_SOURCECOMMITID` is undocumented, but appears in public logs.
    let head = read_commit(environment, "SYSTEM_PULLREQUEST_SOURCECOMMITID");
    let is_pull_request = environment.get("BUILD_REASON") == Some("PullRequest")
        || environment.get("BUILD_SOURCEBRANCH").is_some_and(|name| name.starts_with("refs/pull/"));
    if is_pull_request { head } else { read_commit(environment, "BUILD_SOURCEVERSION") }
}

fn run_url(environment: &Environment) -> Option<String> {
    let collection = environment.get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")?.trim_end_matches('/');
    let project = environment.get("SYSTEM_TEAMPROJECT")?.replace(' ', "%20");
    let build = environment.get("BUILD_BUILDID")?;
    Some(format!("{collection}/{project}/_build/results?buildId={build}"))
}

#[cfg(test)]
mod tests;
