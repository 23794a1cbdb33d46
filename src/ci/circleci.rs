//! `CircleCI`. Every job is for a push. In a fork's job, the branch name contains the pull request number.

use std::path::{Path, PathBuf};

use super::{
    Ci, Event, ParallelJob, PullRequest, UNKNOWN_OWNER, read_commit, read_number, read_text, repository_name,
};
use crate::environment::Environment;

/// Detects the event.
pub(super) fn detect(environment: &Environment) -> Ci {
    let repository = environment.get("CIRCLE_REPOSITORY_URL").and_then(repository_name);
    Ci {
        pull_request: only_pull_request(environment, repository.as_deref()),
        commit: read_commit(environment, "CIRCLE_SHA1"),
        run: read_number(environment, "CIRCLE_BUILD_NUM").unwrap_or(0),
        run_url: read_text(environment, "CIRCLE_BUILD_URL"),
        repository,
        parallel_job: ParallelJob::from_variables(environment, ["CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"], 0),
        workspace: workspace(environment),
        ..Ci::new("CircleCI", detect_event(environment))
    }
}

/// Returns the folder of the checkout. By default, the variable is `~/project`. The home folder is unknown, so the outermost
/// parent of the working directory with that name is used.
fn workspace(environment: &Environment) -> Option<PathBuf> {
    let text = environment.get("CIRCLE_WORKING_DIRECTORY")?;
    let Some(below_home) = text.strip_prefix("~/") else { return Some(text.into()) };
    environment.folder().ancestors().filter(|folder| folder.ends_with(below_home)).last().map(Path::to_owned)
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
        Some(branch) => Event::push(branch),
        None => Event::None,
    }
}

/// Returns the number of a fork's pull request. `CircleCI` sets these variables only for forks, and some of its forge
/// integrations do not set all of them.
fn fork_pull_request(environment: &Environment, branch: Option<&str>) -> Option<u64> {
    let in_branch = || branch?.strip_prefix("pull/")?.parse().ok();
    read_number(environment, "CIRCLE_PR_NUMBER").or_else(in_branch)
}

/// Returns the pull request of the pushed branch if the branch has exactly one. With several, `CIRCLE_PULL_REQUEST` names any
/// of them. The job is still for a push: a push to `main` publishes even if there is a pull request from `main` to another
/// branch.
fn only_pull_request(environment: &Environment, repository: Option<&str>) -> Option<u64> {
    let one = environment.get("CIRCLE_PULL_REQUEST")?;
    if environment.get("CIRCLE_PULL_REQUESTS").is_some_and(|all| all != one) {
        return None;
    }
    let (start, number) = one.trim_end_matches('/').rsplit_once('/')?;
    // Pull requests to an upstream repository are ignored.
    let target = repository_name(start)?;
    let is_this_repository = target.strip_prefix(repository?).is_some_and(|rest| rest.starts_with('/'));
    is_this_repository.then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, ci, decision};

    const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// The variables of every job, from the documentation.
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
        ("CIRCLE_SHA1", HEAD),
        ("CIRCLE_USERNAME", "mona"),
        ("CIRCLE_WORKFLOW_ID", "0d3b5dd6-cf0c-4c5b-9a5c-7c0c8d6f1c11"),
        ("GITBOOK_DEFAULT_BRANCH", "main"),
    ];
    const ONE: &str = "https://github.com/acme/hello/pull/12";
    const OTHER: &str = "https://github.com/acme/hello/pull/13";
    const OF_FORK: Variables<'_> = &[
        ("CIRCLE_BRANCH", "pull/12"),
        ("CIRCLE_PR_NUMBER", "12"),
        ("CIRCLE_PR_REPONAME", "hello"),
        ("CIRCLE_PR_USERNAME", "mona"),
        ("CIRCLE_PULL_REQUEST", ONE),
        ("CIRCLE_PULL_REQUESTS", ONE),
    ];

    fn on(name: &'static str) -> [(&'static str, &'static str); 1] {
        [("CIRCLE_BRANCH", name)]
    }

    #[test]
    fn detects_pushes_and_tags() {
        let expected = "publish: push to `main`, the production branch";
        check(&[JOB, &on("main")], "push to main", HEAD, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &on("feature/main")], "push to feature/main", HEAD, expected);
        check(
            &[JOB, &on("gh-readonly-queue/main/pr-1-abc")],
            "merge queue",
            HEAD,
            "check: merge queue candidates are checked, not published",
        );
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[JOB, &[("CIRCLE_TAG", "v1")]], "tag pushed", HEAD, expected);
        check(&[JOB], "no event", HEAD, "refuse: no CI event detected");
    }

    #[test]
    fn detects_the_pull_request_of_a_branch() {
        let variables_of = |one: &'static str, all: &'static str| {
            [("CIRCLE_PULL_REQUEST", one), ("CIRCLE_PULL_REQUESTS", all)]
        };
        let several = "https://github.com/acme/hello/pull/13,https://github.com/acme/hello/pull/12";
        for (variables, expected) in [
            (variables_of(ONE, ONE), Some(12)),
            (variables_of(OTHER, ""), Some(13)),
            (variables_of(ONE, several), None),
            (variables_of(OTHER, several), None),
            (variables_of("https://github.com/upstream/hello/pull/12", ""), None),
            (variables_of("https://github.com/acme/hello2/pull/12", ""), None),
            (variables_of("https://github.com/acme/hello/pull/x", ""), None),
        ] {
            assert_eq!(ci(&[JOB, &on("fix"), &variables]).pull_request, expected, "{variables:?}");
            check(&[JOB, &on("fix"), &variables], "push to fix", HEAD, "preview: push to branch `fix`");
        }
        // The preview name may contain the number.
        let by_number = &[("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}")][..];
        let decided = decision(&[JOB, &on("fix"), &variables_of(ONE, ONE), by_number]);
        assert_eq!(decided, "preview: push to branch `fix`");
        assert!(
            decision(&[JOB, &on("fix"), &variables_of(ONE, several), by_number]).starts_with("nothing: ")
        );
        // A push to the production branch publishes even if the branch has a pull request.
        let expected = "publish: push to `main`, the production branch";
        check(&[JOB, &on("main"), &variables_of(ONE, ONE)], "push to main", HEAD, expected);
        let by_hand = &[("GITBOOK_BRANCH", "x")][..];
        check(
            &[JOB, &on("fix"), &variables_of(ONE, ONE), by_hand],
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
        check(&[JOB, OF_FORK, no_token], "#12 of mona:pull/12 updated (fork)", HEAD, expected);
        let expected = "preview: pull request #12 from `mona:pull/12` (fork) was updated";
        check(&[JOB, OF_FORK], "#12 of mona:pull/12 updated (fork)", HEAD, expected);
        let expected = "preview: pull request #12 from `unknown:pull/12` (fork) was updated";
        check(&[JOB, &on("pull/12")], "#12 of unknown:pull/12 updated (fork)", HEAD, expected);
        let expected = "preview: pull request #12 from `mona:main` (fork) was updated";
        check(&[JOB, OF_FORK, &on("main")], "#12 of mona:main updated (fork)", HEAD, expected);
        let expected = "preview: push to branch `pull/x`";
        check(&[JOB, &on("pull/x")], "push to pull/x", HEAD, expected);
    }

    #[test]
    fn detects_the_repository_and_the_job() {
        let url = "https://circleci.com/gh/acme/hello/7";
        check_run(&[JOB, &on("main")], ["CircleCI", "github.com/acme/hello", "main", url], 7);
        assert_eq!(ci(&[JOB]).detected_by, Some("CIRCLECI"));
        let token = &[("CIRCLE_REPOSITORY_URL", "https://x:s3cret@github.com/acme/hello")][..];
        check_run(&[JOB, token], ["CircleCI", "github.com/acme/hello", "main", url], 7);
    }

    #[test]
    fn detects_parallel_runs() {
        let position = |index, total| {
            let job = ci(&[JOB, &[("CIRCLE_NODE_INDEX", index), ("CIRCLE_NODE_TOTAL", total)]]).parallel_job;
            job.map(|job| (job.index, job.total))
        };
        assert_eq!(position("0", "3"), Some((1, 3)));
        assert_eq!(position("2", "3"), Some((3, 3)));
        for (index, total) in [("0", "1"), ("3", "3"), ("-1", "3"), ("x", "3"), ("0", ""), ("", "3")] {
            assert_eq!(position(index, total), None, "{index} of {total}");
        }
    }
}
