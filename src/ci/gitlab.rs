//! GitLab CI: branch, tag and merge request pipelines, and the jobs that stop an environment.

use super::{
    Activity, Ci, Event, ParallelJob, PullRequest, UNKNOWN_OWNER, folder, number, pushed, repository, text,
};
use crate::environment::Environment;
use crate::preview::Branch;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let (id, path) = project(environment);
    let host = environment.get("CI_SERVER_HOST").zip(path);
    let project_url = || repository::at(environment.get("CI_PROJECT_URL")?);
    Ci {
        repository: host.map(|(host, path)| format!("{host}/{path}")).or_else(project_url),
        repository_id: id.and_then(|id| id.parse().ok()),
        stops: stops(environment),
        default_branch: text(environment, "CI_DEFAULT_BRANCH"),
        commit: commit(environment),
        // Unlike `CI_PIPELINE_IID` it counts over all projects: a merge request of a fork may have pipelines in two.
        run: number(environment, "CI_PIPELINE_ID").unwrap_or(0),
        run_url: text(environment, "CI_JOB_URL").or_else(|| text(environment, "CI_PIPELINE_URL")),
        node: node(environment),
        workspace: folder(environment, "CI_PROJECT_DIR"),
        ..Ci::of("GitLab CI", event(environment))
    }
}

/// Which of the jobs of `parallel: N` this is. Those of `parallel: matrix` have the same variables, but each its own work.
fn node(environment: &Environment) -> Option<ParallelJob> {
    let node = ParallelJob::of(environment, ["CI_NODE_INDEX", "CI_NODE_TOTAL"], 1)?;
    let ParallelJob { index, total, .. } = node;
    // The second is how gitlab-ci-local calls it.
    let endings = [format!(" {index}/{total}"), format!(": [{index}/{total}]")];
    let name = environment.get("CI_JOB_NAME")?;
    endings.iter().any(|ending| name.ends_with(ending)).then_some(node)
}

/// Number and path of the project. A fork's merge request is its target's, where the number that it has is from, also
/// in a pipeline that runs in the fork.
fn project(environment: &Environment) -> (Option<&str>, Option<&str>) {
    let target =
        ["CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_PROJECT_PATH"].map(|name| environment.get(name));
    match target {
        [Some(id), Some(path)] => (Some(id), Some(path)),
        _ => (environment.get("CI_PROJECT_ID"), environment.get("CI_PROJECT_PATH")),
    }
}

fn stops(environment: &Environment) -> bool {
    environment.get("CI_ENVIRONMENT_ACTION") == Some("stop")
}

/// The stop job comes first: it is one more job of whatever pipeline made the environment, and has its variables.
fn event(environment: &Environment) -> Event {
    let stops = stops(environment);
    let source = environment.get("CI_PIPELINE_SOURCE").unwrap_or("a pipeline without a source");
    let branch = environment.get("CI_COMMIT_BRANCH").map(Branch::new);
    if source == "merge_request_event" || environment.get("CI_MERGE_REQUEST_IID").is_some() {
        return of_merge_request(environment, stops);
    }
    let is_tag = environment.get("CI_COMMIT_TAG").is_some();
    match (source, branch) {
        _ if stops && is_tag => Event::Tag { deleted: true },
        (_, Some(branch)) if stops => Event::BranchDeleted(branch),
        ("schedule", _) => Event::Schedule,
        ("web" | "api" | "trigger" | "pipeline" | "parent_pipeline", branch)
            if is_tag || branch.is_some() =>
        {
            Event::Manual(branch)
        }
        ("push" | "webide", _) if is_tag => Event::Tag { deleted: false },
        ("push" | "webide", Some(branch)) => pushed(branch.as_str()),
        (source, _) => Event::Other(source.to_owned()),
    }
}

/// A merge request's pipeline, or a child of it, which has another source but the same variables.
fn of_merge_request(environment: &Environment, stops: bool) -> Event {
    let branch = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME");
    let iid = number(environment, "CI_MERGE_REQUEST_IID");
    let Some((number, branch)) = iid.zip(branch) else {
        return Event::Other("a merge request without number or branch".to_owned());
    };
    let updated = PullRequest::updated(number, fork(environment), branch);
    match environment.get("CI_MERGE_REQUEST_EVENT_TYPE") {
        _ if stops => Event::PullRequest(PullRequest { activity: Activity::Closed, ..updated }),
        Some("merge_train") => Event::MergeQueue,
        _ => Event::PullRequest(updated),
    }
}

/// The namespace of the fork that a merge request comes from. One whose source can't be told counts as a fork's, so
/// that nobody's `main` is taken for the project's.
fn fork(environment: &Environment) -> Option<&str> {
    let source = environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID");
    if source.is_some() && source == environment.get("CI_MERGE_REQUEST_PROJECT_ID") {
        return None;
    }
    let path = environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH");
    Some(path.and_then(|path| path.rsplit_once('/')).map_or(UNKNOWN_OWNER, |(namespace, _)| namespace))
}

/// The head commit. In a pipeline for merged results `CI_COMMIT_SHA` is a merge commit that nobody made.
fn commit(environment: &Environment) -> Option<String> {
    let merged =
        matches!(environment.get("CI_MERGE_REQUEST_EVENT_TYPE"), Some("merged_result" | "merge_train"));
    let head = super::commit(environment, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA");
    head.or_else(|| super::commit(environment, "CI_COMMIT_SHA").filter(|_| !merged))
}

#[cfg(test)]
mod tests;
