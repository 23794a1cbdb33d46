//! Detects the event on GitLab CI: pipelines for branches, tags and merge requests, and jobs that stop an environment.

use super::{
    Activity, Ci, Event, ParallelJob, PullRequest, UNKNOWN_OWNER, read_commit, read_number, read_path,
    read_text, repository_name,
};
use crate::environment::Environment;
use crate::repository::Branch;

/// Detects the event from GitLab's variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let (id, path) = target_project(environment);
    let host_and_path = environment.get("CI_SERVER_HOST").zip(path);
    let project_url = || repository_name(environment.get("CI_PROJECT_URL")?);
    Ci {
        repository: host_and_path.map(|(host, path)| format!("{host}/{path}")).or_else(project_url),
        repository_id: id.and_then(|id| id.parse().ok()),
        stops_environment: is_stop_job(environment),
        default_branch: read_text(environment, "CI_DEFAULT_BRANCH"),
        commit: head_commit(environment),
        // Unlike `CI_PIPELINE_IID`, `CI_PIPELINE_ID` increases across all projects. This is necessary because a fork's merge
        // request may have pipelines in two projects.
        run_number: read_number(environment, "CI_PIPELINE_ID").unwrap_or(0),
        run_url: read_text(environment, "CI_JOB_URL").or_else(|| read_text(environment, "CI_PIPELINE_URL")),
        parallel_job: parallel_job(environment),
        workspace: read_path(environment, "CI_PROJECT_DIR"),
        ..Ci::new("GitLab CI", detect_event(environment))
    }
}

/// Returns the position of this job among the jobs of `parallel: N`. Ignores the jobs of `parallel: matrix`, which have the
/// same variables but different tasks.
fn parallel_job(environment: &Environment) -> Option<ParallelJob> {
    let job = ParallelJob::from_variables(environment, ["CI_NODE_INDEX", "CI_NODE_TOTAL"], 1)?;
    let ParallelJob { index, total, .. } = job;
    // The name of a job ends with ` 1/3` on GitLab, and with `: [1/3]` in `gitlab-ci-local`.
    let endings = [format!(" {index}/{total}"), format!(": [{index}/{total}]")];
    let name = environment.get("CI_JOB_NAME")?;
    endings.iter().any(|ending| name.ends_with(ending)).then_some(job)
}

/// Returns the ID and path of the project. A merge request belongs to its target project, even if the pipeline runs in the
/// fork.
fn target_project(environment: &Environment) -> (Option<&str>, Option<&str>) {
    let target =
        ["CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_PROJECT_PATH"].map(|name| environment.get(name));
    match target {
        [Some(id), Some(path)] => (Some(id), Some(path)),
        _ => (environment.get("CI_PROJECT_ID"), environment.get("CI_PROJECT_PATH")),
    }
}

fn is_stop_job(environment: &Environment) -> bool {
    environment.get("CI_ENVIRONMENT_ACTION") == Some("stop")
}

/// Returns the event. Checks for a stop job first, because a stop job also has the variables of the pipeline that created the
/// environment.
fn detect_event(environment: &Environment) -> Event {
    let is_stop = is_stop_job(environment);
    let source = environment.get("CI_PIPELINE_SOURCE").unwrap_or_default();
    let branch = environment.get("CI_COMMIT_BRANCH").map(Branch::new);
    if source == "merge_request_event" || environment.get("CI_MERGE_REQUEST_IID").is_some() {
        return merge_request_event(environment, is_stop);
    }
    let is_tag = environment.get("CI_COMMIT_TAG").is_some();
    match (source, branch) {
        _ if is_stop && is_tag => Event::Tag { deleted: true },
        (_, Some(branch)) if is_stop => Event::BranchDeleted(branch),
        ("schedule", _) => Event::Schedule,
        ("web" | "api" | "trigger" | "pipeline" | "parent_pipeline", branch)
            if is_tag || branch.is_some() =>
        {
            Event::Manual(branch)
        }
        ("push" | "webide", _) if is_tag => Event::Tag { deleted: false },
        ("push" | "webide", Some(branch)) => Event::from_pushed_branch(branch.as_str()),
        ("", _) => Event::without_name("CI_PIPELINE_SOURCE"),
        (source, _) => Event::Other(source.to_owned()),
    }
}

/// Returns the event of a merge request pipeline or its child pipeline.
fn merge_request_event(environment: &Environment, is_stop: bool) -> Event {
    let branch = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME");
    let iid = read_number(environment, "CI_MERGE_REQUEST_IID");
    let Some((number, branch)) = iid.zip(branch) else {
        return Event::incomplete(
            "merge request",
            iid.is_some(),
            ["CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"],
        );
    };
    let updated = PullRequest::updated(number, fork_owner(environment), branch);
    match environment.get("CI_MERGE_REQUEST_EVENT_TYPE") {
        _ if is_stop => Event::PullRequest(PullRequest { activity: Activity::Closed, ..updated }),
        Some("merge_train") => Event::MergeQueue,
        _ => Event::PullRequest(updated),
    }
}

/// Returns the namespace of the fork, or `None` if the source is this project. An unknown source counts as a fork, so that the
/// `main` branch of a fork is never mistaken for this project's `main`.
fn fork_owner(environment: &Environment) -> Option<&str> {
    let source = environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID");
    if source.is_some() && source == environment.get("CI_MERGE_REQUEST_PROJECT_ID") {
        return None;
    }
    let path = environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH");
    Some(path.and_then(|path| path.rsplit_once('/')).map_or(UNKNOWN_OWNER, |(namespace, _)| namespace))
}

/// Returns the head commit. In a merged results pipeline, `CI_COMMIT_SHA` is a temporary merge commit.
fn head_commit(environment: &Environment) -> Option<String> {
    let is_merge_commit =
        matches!(environment.get("CI_MERGE_REQUEST_EVENT_TYPE"), Some("merged_result" | "merge_train"));
    let head = read_commit(environment, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA");
    head.or_else(|| read_commit(environment, "CI_COMMIT_SHA").filter(|_| !is_merge_commit))
}

#[cfg(test)]
mod tests;
