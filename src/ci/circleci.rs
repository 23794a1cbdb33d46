//! Detects the event on `CircleCI`. A job for a branch counts as a push, except a job for a fork's pull request: its branch name
//! contains the pull request number.

use std::path::{Path, PathBuf};

use super::{
    Ci, Event, ParallelJob, PullRequest, UNKNOWN_OWNER, read_commit, read_number, read_text, repository_name,
};
use crate::environment::Environment;

/// Detects the event from the variables of `CircleCI`.
pub(super) fn detect(environment: &Environment) -> Ci {
    let repository = environment.get("CIRCLE_REPOSITORY_URL").and_then(repository_name);
    Ci {
        pull_request: only_pull_request(environment, repository.as_deref()),
        commit: read_commit(environment, "CIRCLE_SHA1"),
        run_number: read_number(environment, "CIRCLE_BUILD_NUM").unwrap_or(0),
        run_url: read_text(environment, "CIRCLE_BUILD_URL"),
        repository,
        parallel_job: ParallelJob::from_variables(environment, ["CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"], 0),
        workspace: workspace(environment),
        ..Ci::new("CircleCI", detect_event(environment))
    }
}

/// Returns the folder of the checkout. By default, `CIRCLE_WORKING_DIRECTORY` is `~/project`. The home folder is unknown, so
/// the result is the outermost folder with the name `project` among the current folder and its parents.
fn workspace(environment: &Environment) -> Option<PathBuf> {
    let path = environment.get("CIRCLE_WORKING_DIRECTORY")?;
    let Some(below_home) = path.strip_prefix("~/") else { return Some(path.into()) };
    environment
        .current_folder()
        .ancestors()
        .filter(|folder| folder.ends_with(below_home))
        .last()
        .map(Path::to_owned)
}

fn detect_event(environment: &Environment) -> Event {
    let branch = environment.get("CIRCLE_BRANCH");
    if let Some(number) = fork_pull_request(environment, branch) {
        // `CIRCLE_BRANCH` is `pull/12`; the branch name in the fork is unknown.
        let owner = environment.get("CIRCLE_PR_USERNAME").unwrap_or(UNKNOWN_OWNER);
        let branch = branch.map_or_else(|| format!("pull/{number}"), str::to_owned);
        return Event::PullRequest(PullRequest::updated(number, Some(owner), &branch));
    }
    match branch {
        _ if environment.get("CIRCLE_TAG").is_some() => Event::Tag { deleted: false },
        Some(branch) => Event::from_pushed_branch(branch),
        None => Event::Unknown,
    }
}

/// Returns the number of a fork's pull request, from `CIRCLE_PR_NUMBER` or from a branch name such as `pull/12`. `CircleCI`
/// uses both only for forks, and does not set `CIRCLE_PR_NUMBER` for every forge.
fn fork_pull_request(environment: &Environment, branch: Option<&str>) -> Option<u64> {
    let from_branch_name = || branch?.strip_prefix("pull/")?.parse().ok();
    read_number(environment, "CIRCLE_PR_NUMBER").or_else(from_branch_name)
}

/// Returns the number of the pushed branch's pull request if the branch has exactly one. If the branch has several,
/// `CIRCLE_PULL_REQUEST` names one of them. The event remains a push: a push to `main` publishes even if there is a pull request
/// from `main` to another branch.
fn only_pull_request(environment: &Environment, repository: Option<&str>) -> Option<u64> {
    let url = environment.get("CIRCLE_PULL_REQUEST")?;
    if environment.get("CIRCLE_PULL_REQUESTS").is_some_and(|urls| urls != url) {
        return None;
    }
    let (pull_requests_url, number) = url.trim_end_matches('/').rsplit_once('/')?;
    // A pull request to an upstream repository does not count.
    let target = repository_name(pull_requests_url)?;
    let is_this_repository = target.strip_prefix(repository?).is_some_and(|rest| rest.starts_with('/'));
    is_this_repository.then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, describe_plan, detect_ci};

    const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// The variables that `CircleCI` sets in every job, from its documentation.
    const JOB: Variables<'_> = &[
        ("CI", "true"),
        ("CIRCLECI", "true"),
        ("CIRCLE_BUILD_NUM", "7"),
        ("CIRCLE_BUILD_URL", "https://circleci.com/gh/acme/hello/7"),
        ("CIRCLE_JOB", "gitbook"),
        ("CIRCLE_NODE_INDEX", "0"),
        ("CIRCLE_NODE_TOTAL", "1"),
        ("CIRCLE_PROJECT_REPONAME", "hello"),
        ("CIRCLE_PROJECT_USERNAME", "acme"),
        ("CIRCLE_REPOSITORY_URL", "git@github.com:acme/hello.git"),
        ("CIRCLE_SHA1", HEAD_COMMIT),
        ("CIRCLE_USERNAME", "mona"),
        ("CIRCLE_WORKFLOW_ID", "0d3b5dd6-cf0c-4c5b-9a5c-7c0c8d6f1c11"),
        ("GITBOOK_DEFAULT_BRANCH", "main"),
    ];
    const PULL_REQUEST_12: &str = "https://github.com/acme/hello/pull/12";
    const PULL_REQUEST_13: &str = "https://github.com/acme/hello/pull/13";
    const FROM_FORK: Variables<'_> = &[
        ("CIRCLE_BRANCH", "pull/12"),
        ("CIRCLE_PR_NUMBER", "12"),
        ("CIRCLE_PR_REPONAME", "hello"),
        ("CIRCLE_PR_USERNAME", "mona"),
        ("CIRCLE_PULL_REQUEST", PULL_REQUEST_12),
        ("CIRCLE_PULL_REQUESTS", PULL_REQUEST_12),
    ];

    fn on_branch(name: &'static str) -> [(&'static str, &'static str); 1] {
        [("CIRCLE_BRANCH", name)]
    }

    #[test]
    fn detects_pushes_and_tags() {
        let expected = "publish: push to `main`, the production branch";
        check(&[JOB, &on_branch("main")], "push to main", HEAD_COMMIT, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &on_branch("feature/main")], "push to feature/main", HEAD_COMMIT, expected);
        check(
            &[JOB, &on_branch("gh-readonly-queue/main/pr-1-abc")],
            "merge queue",
            HEAD_COMMIT,
            "check: merge queue candidates are checked, not published",
        );
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[JOB, &[("CIRCLE_TAG", "v1")]], "tag pushed", HEAD_COMMIT, expected);
        check(&[JOB], "no event", HEAD_COMMIT, "refuse: no CI event detected");
    }

    #[test]
    fn detects_the_pull_request_of_a_branch() {
        let variables_of = |url: &'static str, urls: &'static str| {
            [("CIRCLE_PULL_REQUEST", url), ("CIRCLE_PULL_REQUESTS", urls)]
        };
        let several = "https://github.com/acme/hello/pull/13,https://github.com/acme/hello/pull/12";
        for (variables, expected) in [
            (variables_of(PULL_REQUEST_12, PULL_REQUEST_12), Some(12)),
            (variables_of(PULL_REQUEST_13, ""), Some(13)),
            (variables_of(PULL_REQUEST_12, several), None),
            (variables_of(PULL_REQUEST_13, several), None),
            (variables_of("https://github.com/upstream/hello/pull/12", ""), None),
            (variables_of("https://github.com/acme/hello2/pull/12", ""), None),
            (variables_of("https://github.com/acme/hello/pull/x", ""), None),
        ] {
            assert_eq!(
                detect_ci(&[JOB, &on_branch("fix"), &variables]).pull_request,
                expected,
                "{variables:?}"
            );
            check(
                &[JOB, &on_branch("fix"), &variables],
                "push to fix",
                HEAD_COMMIT,
                "preview: push to branch `fix`",
            );
        }
        // The name of the preview may contain the pull request number.
        let by_number = &[("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}")][..];
        let plan = describe_plan(&[
            JOB,
            &on_branch("fix"),
            &variables_of(PULL_REQUEST_12, PULL_REQUEST_12),
            by_number,
        ]);
        assert_eq!(plan, "preview: push to branch `fix`");
        assert!(
            describe_plan(&[JOB, &on_branch("fix"), &variables_of(PULL_REQUEST_12, several), by_number])
                .starts_with("nothing: ")
        );
        // A push to the production branch publishes even if the branch has a pull request.
        let expected = "publish: push to `main`, the production branch";
        check(
            &[JOB, &on_branch("main"), &variables_of(PULL_REQUEST_12, PULL_REQUEST_12)],
            "push to main",
            HEAD_COMMIT,
            expected,
        );
        let by_hand = &[("GITBOOK_BRANCH", "x")][..];
        check(
            &[JOB, &on_branch("fix"), &variables_of(PULL_REQUEST_12, PULL_REQUEST_12), by_hand],
            "push to x",
            "",
            "preview: push to branch `x`",
        );
    }

    #[test]
    fn detects_pull_requests_from_forks() {
        let expected =
            "check: pull request #12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set";
        let no_token = &[("GITBOOK_TOKEN", "")][..];
        check(&[JOB, FROM_FORK, no_token], "#12 of mona:pull/12 updated (fork)", HEAD_COMMIT, expected);
        let expected = "preview: pull request #12 from `mona:pull/12` (fork) was updated";
        check(&[JOB, FROM_FORK], "#12 of mona:pull/12 updated (fork)", HEAD_COMMIT, expected);
        let expected = "preview: pull request #12 from `unknown:pull/12` (fork) was updated";
        check(&[JOB, &on_branch("pull/12")], "#12 of unknown:pull/12 updated (fork)", HEAD_COMMIT, expected);
        let expected = "preview: pull request #12 from `mona:main` (fork) was updated";
        check(
            &[JOB, FROM_FORK, &on_branch("main")],
            "#12 of mona:main updated (fork)",
            HEAD_COMMIT,
            expected,
        );
        let expected = "preview: push to branch `pull/x`";
        check(&[JOB, &on_branch("pull/x")], "push to pull/x", HEAD_COMMIT, expected);
    }

    #[test]
    fn detects_the_repository_and_the_job() {
        let url = "https://circleci.com/gh/acme/hello/7";
        check_run(&[JOB, &on_branch("main")], ["CircleCI", "github.com/acme/hello", "main", url], 7);
        assert_eq!(detect_ci(&[JOB]).detected_by, Some("CIRCLECI"));
        let token = &[("CIRCLE_REPOSITORY_URL", "https://x:s3cret@github.com/acme/hello")][..];
        check_run(&[JOB, token], ["CircleCI", "github.com/acme/hello", "main", url], 7);
    }

    #[test]
    fn detects_parallel_runs() {
        let position = |index, total| {
            let job =
                detect_ci(&[JOB, &[("CIRCLE_NODE_INDEX", index), ("CIRCLE_NODE_TOTAL", total)]]).parallel_job;
            job.map(|job| (job.index, job.total))
        };
        assert_eq!(position("0", "3"), Some((1, 3)));
        assert_eq!(position("2", "3"), Some((3, 3)));
        for (index, total) in [("0", "1"), ("3", "3"), ("-1", "3"), ("x", "3"), ("0", ""), ("", "3")] {
            assert_eq!(position(index, total), None, "{index} of {total}");
        }
    }
}
