//! Detects the event on Bitbucket Pipelines. No variable names the event, so the detection combines other variables.

use super::{
    Ci, Event, ParallelJob, PullRequest, presumed_fork_owner, read_commit, read_number, read_path, read_text,
    repository_name,
};
use crate::environment::Environment;

/// Detects the event from the variables of Bitbucket Pipelines.
pub(super) fn detect(environment: &Environment) -> Ci {
    let name = environment.get("BITBUCKET_REPO_FULL_NAME");
    let origin = || repository_name(environment.get("BITBUCKET_GIT_HTTP_ORIGIN")?);
    let build = environment.get("BITBUCKET_BUILD_NUMBER");
    let run_url = name
        .zip(build)
        .map(|(name, build)| format!("https://bitbucket.org/{name}/pipelines/results/{build}"));
    let event = detect_event(environment);
    Ci {
        repository: name.map(|name| format!("bitbucket.org/{name}")).or_else(origin),
        commit: read_commit(environment, "BITBUCKET_COMMIT"),
        run_number: read_number(environment, "BITBUCKET_BUILD_NUMBER").unwrap_or(0),
        run_url,
        parallel_job: parallel_job(environment),
        workspace: read_path(environment, "BITBUCKET_CLONE_DIR"),
        possible_fork_branch: event.pull_request_number().and(event.branch()).cloned(),
        ..Ci::new("Bitbucket Pipelines", event)
    }
}

/// Returns the position of this step in its parallel group. The variables do not show whether all steps of the group run the same
/// task.
fn parallel_job(environment: &Environment) -> Option<ParallelJob> {
    let job = ParallelJob::from_variables(
        environment,
        ["BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT"],
        0,
    )?;
    Some(ParallelJob { tasks_may_differ: true, ..job })
}

/// Returns the event. A scheduled or manual pipeline counts as a push, because its variables are the same.
fn detect_event(environment: &Environment) -> Event {
    let branch = environment.get("BITBUCKET_BRANCH");
    match (read_text(environment, "BITBUCKET_PR_ID"), branch) {
        (Some(id), Some(branch)) => pull_request_event(&id, branch, environment),
        (Some(_), None) => Event::incomplete("pull request", true, ["BITBUCKET_PR_ID", "BITBUCKET_BRANCH"]),
        _ if environment.get("BITBUCKET_TAG").is_some() => Event::Tag { deleted: false },
        (None, Some(branch)) => Event::from_pushed_branch(branch),
        // A custom pipeline for a commit has neither a branch nor a tag.
        (None, None) => Event::Unknown,
    }
}

/// Returns the pull request event. Assumes that a fork's pipelines run only in the fork; Bitbucket does not document this.
fn pull_request_event(id: &str, branch: &str, environment: &Environment) -> Event {
    let Ok(number) = id.parse() else {
        return Event::incomplete("pull request", false, ["BITBUCKET_PR_ID", "BITBUCKET_BRANCH"]);
    };
    let target = environment.get("BITBUCKET_PR_DESTINATION_BRANCH");
    Event::PullRequest(PullRequest::updated(number, presumed_fork_owner(branch, [target, None]), branch))
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_possible_fork, check_run, detect_ci};

    const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// The variables that Bitbucket sets in every step, from its documentation.
    const STEP: Variables<'_> = &[
        ("BITBUCKET_BUILD_NUMBER", "7"),
        ("BITBUCKET_CLONE_DIR", "/opt/atlassian/pipelines/agent/build"),
        ("BITBUCKET_COMMIT", HEAD_COMMIT),
        ("BITBUCKET_GIT_HTTP_ORIGIN", "http://bitbucket.org/acme/hello"),
        ("BITBUCKET_GIT_SSH_ORIGIN", "git@bitbucket.org:acme/hello.git"),
        ("BITBUCKET_PIPELINE_UUID", "{0d3b5dd6-cf0c-4c5b-9a5c-7c0c8d6f1c11}"),
        ("BITBUCKET_PROJECT_KEY", "DOCS"),
        ("BITBUCKET_REPO_FULL_NAME", "acme/hello"),
        ("BITBUCKET_REPO_IS_PRIVATE", "true"),
        ("BITBUCKET_REPO_OWNER", "acme"),
        ("BITBUCKET_REPO_SLUG", "hello"),
        ("BITBUCKET_STEP_TRIGGERER_UUID", "{5c4e5b5d-8a1f-4a70-8c7a-1a5f6d2a9f22}"),
        ("BITBUCKET_WORKSPACE", "acme"),
        ("CI", "true"),
        ("GITBOOK_DEFAULT_BRANCH", "main"),
    ];
    const PULL_REQUEST: Variables<'_> = &[
        ("BITBUCKET_BRANCH", "fix"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
        ("BITBUCKET_PR_DESTINATION_COMMIT", "3333333"),
        ("BITBUCKET_PR_ID", "12"),
    ];

    #[test]
    fn detects_pushes_and_tags() {
        let on_branch = |name: &'static str| [("BITBUCKET_BRANCH", name)];
        let expected = "publish: push to `main`, the production branch";
        check(&[STEP, &on_branch("main")], "push to main", HEAD_COMMIT, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[STEP, &on_branch("feature/main")], "push to feature/main", HEAD_COMMIT, expected);
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[STEP, &[("BITBUCKET_TAG", "v1")]], "tag pushed", HEAD_COMMIT, expected);
        check(&[STEP], "no event", HEAD_COMMIT, "refuse: no CI event detected");
        // Bitbucket does not provide the default branch.
        let unknown = &[("GITBOOK_DEFAULT_BRANCH", "")][..];
        check(
            &[STEP, &on_branch("main"), unknown],
            "push to main",
            HEAD_COMMIT,
            "refuse: push to branch `main`",
        );
    }

    #[test]
    fn detects_pull_requests() {
        let expected = "preview: pull request #12 from `fix` was updated";
        check(&[STEP, PULL_REQUEST], "#12 of fix updated", HEAD_COMMIT, expected);
        let expected =
            "check: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check(&[STEP, PULL_REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD_COMMIT, expected);
        // A pull request from a fork.
        let expected = "preview: pull request #12 from `unknown:main` (fork) was updated";
        let main = &[("BITBUCKET_BRANCH", "main")][..];
        check(&[STEP, PULL_REQUEST, main], "#12 of unknown:main updated (fork)", HEAD_COMMIT, expected);
        let expected = "nothing: pull request, but `BITBUCKET_BRANCH` is not set";
        let no_branch = &[("BITBUCKET_BRANCH", "")][..];
        check(
            &[STEP, PULL_REQUEST, no_branch],
            "incomplete: pull request, but `BITBUCKET_BRANCH` is not set",
            HEAD_COMMIT,
            expected,
        );
        let expected = "nothing: pull request, but `BITBUCKET_PR_ID` is not set to a number";
        let no_number = &[("BITBUCKET_PR_ID", "x")][..];
        check(
            &[STEP, PULL_REQUEST, no_number],
            "incomplete: pull request, but `BITBUCKET_PR_ID` is not set to a number",
            HEAD_COMMIT,
            expected,
        );
    }

    #[test]
    fn detects_the_repository_and_the_build() {
        let url = "https://bitbucket.org/acme/hello/pipelines/results/7";
        let expected = ["Bitbucket Pipelines", "bitbucket.org/acme/hello", "main", url];
        check_run(&[STEP, PULL_REQUEST], expected, 7);
        assert_eq!(detect_ci(&[STEP]).detected_by, Some("BITBUCKET_BUILD_NUMBER"));
        let no_name = &[("BITBUCKET_REPO_FULL_NAME", "")][..];
        check_run(&[STEP, no_name], ["Bitbucket Pipelines", "bitbucket.org/acme/hello", "main", ""], 7);
    }

    #[test]
    fn detects_parallel_steps() {
        let job = |index, count| {
            let step = [("BITBUCKET_PARALLEL_STEP", index), ("BITBUCKET_PARALLEL_STEP_COUNT", count)];
            let job = detect_ci(&[STEP, &step]).parallel_job;
            job.map(|job| (job.index, job.total, job.tasks_may_differ))
        };
        assert_eq!(job("0", "3"), Some((1, 3, true)));
        assert_eq!(job("2", "3"), Some((3, 3, true)));
        assert_eq!(job("3", "3"), None);
        assert_eq!(job("0", "1"), None);
        assert_eq!(detect_ci(&[STEP]).parallel_job, None);
    }

    #[test]
    fn refuses_to_publish_a_possible_fork_under_another_name() {
        check_possible_fork(&[STEP, PULL_REQUEST]);
    }
}
