//! Azure Pipelines, over repositories of Azure, GitHub or Bitbucket.

use super::{Ci, Event, PullRequest, UNKNOWN_OWNER, commit, folder, number, pushed, repository, short};
use crate::environment::Environment;
use crate::preview::Branch;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    Ci {
        repository: environment.get("BUILD_REPOSITORY_URI").and_then(repository::at),
        commit: head(environment),
        // It counts over all pipelines of the organization.
        run: number(environment, "BUILD_BUILDID").unwrap_or(0),
        run_url: run_url(environment),
        workspace: folder(environment, "BUILD_SOURCESDIRECTORY"),
        ..Ci::of("Azure Pipelines", event(environment))
    }
}

/// The branch is that of the whole ref: `BUILD_SOURCEBRANCHNAME` is its last part only, `main` for `feature/main`.
fn event(environment: &Environment) -> Event {
    let reason = environment.get("BUILD_REASON").unwrap_or("a run without a reason");
    let reference = environment.get("BUILD_SOURCEBRANCH").unwrap_or_default();
    let branch = reference.strip_prefix("refs/heads/");
    match reason {
        "PullRequest" => of_pull_request(environment),
        "Schedule" => Event::Schedule,
        "Manual" => Event::Manual(branch.map(Branch::new)),
        "IndividualCI" | "BatchedCI" => match branch {
            Some(branch) => pushed(branch),
            None if reference.starts_with("refs/tags/") => Event::Tag { deleted: false },
            None => Event::Other(format!("push to {reference}")),
        },
        // Another pipeline ended, for one; what became of which branch is not told.
        other => Event::Other(other.to_owned()),
    }
}

fn of_pull_request(environment: &Environment) -> Event {
    // The id is the forge's own, and only where there is no number the pull request's.
    let number = number(environment, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
        .or_else(|| number(environment, "SYSTEM_PULLREQUEST_PULLREQUESTID"));
    match number.zip(environment.get("SYSTEM_PULLREQUEST_SOURCEBRANCH")) {
        Some((number, branch)) => {
            let owner = fork(environment);
            Event::PullRequest(PullRequest::updated(number, owner.as_deref(), short(branch)))
        }
        None => Event::Other("a pull request without number or branch".to_owned()),
    }
}

/// The owner of the fork, unless it is told that there is none. A fork within Azure may share all but its name with the
/// original, so that counts there, too.
fn fork(environment: &Environment) -> Option<String> {
    let at = |variable| environment.get(variable).and_then(repository::at);
    let source = at("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI");
    let is_own = match environment.get("SYSTEM_PULLREQUEST_ISFORK") {
        Some(said) => said.eq_ignore_ascii_case("false"),
        None => source.is_some() && source == at("BUILD_REPOSITORY_URI"),
    };
    if is_own {
        return None;
    }
    let path = source.as_deref().and_then(|source| source.split_once('/')).map(|(_, path)| path);
    let owner = path.map(|path| match path.split_once("/_git/") {
        Some((project, name)) => format!("{project}/{name}"),
        None => path.rsplit_once('/').map_or(path, |(owner, _)| owner).to_owned(),
    });
    Some(owner.unwrap_or_else(|| UNKNOWN_OWNER.to_owned()))
}

/// The head commit. `BUILD_SOURCEVERSION` is a merge commit on pull requests, however they were started.
fn head(environment: &Environment) -> Option<String> {
    // Not in the documentation's list of variables, but in public logs.
    let head = commit(environment, "SYSTEM_PULLREQUEST_SOURCECOMMITID");
    let is_pull_request = environment.get("BUILD_REASON") == Some("PullRequest")
        || environment.get("BUILD_SOURCEBRANCH").is_some_and(|name| name.starts_with("refs/pull/"));
    if is_pull_request { head } else { commit(environment, "BUILD_SOURCEVERSION") }
}

fn run_url(environment: &Environment) -> Option<String> {
    let collection = environment.get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")?.trim_end_matches('/');
    let project = environment.get("SYSTEM_TEAMPROJECT")?.replace(' ', "%20");
    let build = environment.get("BUILD_BUILDID")?;
    Some(format!("{collection}/{project}/_build/results?buildId={build}"))
}

#[cfg(test)]
mod tests;
