//! `CircleCI`: every job is one of a push; a fork's has the pull request's number in its branch.

use std::path::{Path, PathBuf};

use super::{Ci, Event, ParallelJob, PullRequest, UNKNOWN_OWNER, commit, number, pushed, repository, text};
use crate::environment::Environment;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let repository = environment.get("CIRCLE_REPOSITORY_URL").and_then(repository::at);
    Ci {
        pull_request: only_pull_request(environment, repository.as_deref()),
        commit: commit(environment, "CIRCLE_SHA1"),
        run: number(environment, "CIRCLE_BUILD_NUM").unwrap_or(0),
        run_url: text(environment, "CIRCLE_BUILD_URL"),
        repository,
        node: ParallelJob::of(environment, ["CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"], 0),
        workspace: workspace(environment),
        ..Ci::of("CircleCI", event(environment))
    }
}

/// The folder of the checkout. The system writes `~/project`; the outermost folder of that name around this step stands for
/// it, so that no home folder is needed.
fn workspace(environment: &Environment) -> Option<PathBuf> {
    let text = environment.get("CIRCLE_WORKING_DIRECTORY")?;
    let Some(below_home) = text.strip_prefix("~/") else { return Some(text.into()) };
    environment.folder().ancestors().filter(|folder| folder.ends_with(below_home)).last().map(Path::to_owned)
}

fn event(environment: &Environment) -> Event {
    let branch = environment.get("CIRCLE_BRANCH");
    if let Some(number) = fork_pull_request(environment, branch) {
        // The branch's name in the fork is not told: `CIRCLE_BRANCH` is `pull/12`.
        let owner = environment.get("CIRCLE_PR_USERNAME").unwrap_or(UNKNOWN_OWNER);
        let branch = branch.map_or_else(|| format!("pull/{number}"), str::to_owned);
        return Event::PullRequest(PullRequest::updated(number, Some(owner), &branch));
    }
    match branch {
        _ if environment.get("CIRCLE_TAG").is_some() => Event::Tag { deleted: false },
        Some(branch) => pushed(branch),
        None => Event::None,
    }
}

/// The pull request of a fork. The variables about it are only set for forks, and not by all of `CircleCI`'s apps.
fn fork_pull_request(environment: &Environment, branch: Option<&str>) -> Option<u64> {
    let in_branch = || branch?.strip_prefix("pull/")?.parse().ok();
    number(environment, "CIRCLE_PR_NUMBER").or_else(in_branch)
}

/// The pull request that the pushed branch has, unless it has several: which of them `CIRCLE_PULL_REQUEST` names is
/// chance. The job is still one of a push: to `main` it publishes, even where `main` is proposed to another branch.
fn only_pull_request(environment: &Environment, repository: Option<&str>) -> Option<u64> {
    let one = environment.get("CIRCLE_PULL_REQUEST")?;
    if environment.get("CIRCLE_PULL_REQUESTS").is_some_and(|all| all != one) {
        return None;
    }
    let (start, number) = one.trim_end_matches('/').rsplit_once('/')?;
    // A pull request to the repository that this one is a fork of is not ours.
    let here = repository::at(start)?;
    let is_here = here.strip_prefix(repository?).is_some_and(|rest| rest.starts_with('/'));
    is_here.then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, ci, decision};

    const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// What every job has, written from the documentation of variables.
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
    fn pushes_and_tags() {
        let expected = "publish: push to the production branch `main`";
        check(&[JOB, &on("main")], "push to main", HEAD, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &on("feature/main")], "push to feature/main", HEAD, expected);
        check(
            &[JOB, &on("gh-readonly-queue/main/pr-1-abc")],
            "merge queue",
            HEAD,
            "check: a merge queue's candidate is checked, not published",
        );
        let expected = "nothing: a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag";
        check(&[JOB, &[("CIRCLE_TAG", "v1")]], "tag pushed", HEAD, expected);
        check(&[JOB], "no event", HEAD, "refuse: no event is known");
    }

    #[test]
    fn a_branch_may_have_a_pull_request() {
        let of = |one: &'static str, all: &'static str| {
            [("CIRCLE_PULL_REQUEST", one), ("CIRCLE_PULL_REQUESTS", all)]
        };
        let several = "https://github.com/acme/hello/pull/13,https://github.com/acme/hello/pull/12";
        for (variables, expected) in [
            (of(ONE, ONE), Some(12)),
            (of(OTHER, ""), Some(13)),
            (of(ONE, several), None),
            (of(OTHER, several), None),
            (of("https://github.com/upstream/hello/pull/12", ""), None),
            (of("https://github.com/acme/hello2/pull/12", ""), None),
            (of("https://github.com/acme/hello/pull/x", ""), None),
        ] {
            assert_eq!(ci(&[JOB, &on("fix"), &variables]).pull_request, expected, "{variables:?}");
            check(&[JOB, &on("fix"), &variables], "push to fix", HEAD, "preview: push to branch `fix`");
        }
        // One that has a number, too.
        let by_number = &[("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}")][..];
        let decided = decision(&[JOB, &on("fix"), &of(ONE, ONE), by_number]);
        assert_eq!(decided, "preview: push to branch `fix`");
        assert!(decision(&[JOB, &on("fix"), &of(ONE, several), by_number]).starts_with("nothing: "));
        // Production stays production while it is proposed to another branch.
        let expected = "publish: push to the production branch `main`";
        check(&[JOB, &on("main"), &of(ONE, ONE)], "push to main", HEAD, expected);
        let by_hand = &[("GITBOOK_BRANCH", "x")][..];
        check(&[JOB, &on("fix"), &of(ONE, ONE), by_hand], "push to x", "", "preview: push to branch `x`");
    }

    #[test]
    fn pull_requests_of_forks() {
        let expected =
            "check: pull request #12 of a fork was updated, but there is no token: checked, not published";
        let no_token = &[("GITBOOK_TOKEN", "")][..];
        check(&[JOB, OF_FORK, no_token], "#12 of mona:pull/12 updated (fork)", HEAD, expected);
        let expected = "preview: pull request #12 of a fork from `mona:pull/12` was updated";
        check(&[JOB, OF_FORK], "#12 of mona:pull/12 updated (fork)", HEAD, expected);
        let expected = "preview: pull request #12 of a fork from `unknown:pull/12` was updated";
        check(&[JOB, &on("pull/12")], "#12 of unknown:pull/12 updated (fork)", HEAD, expected);
        let expected = "preview: pull request #12 of a fork from `mona:main` was updated";
        check(&[JOB, OF_FORK, &on("main")], "#12 of mona:main updated (fork)", HEAD, expected);
        let expected = "preview: push to branch `pull/x`";
        check(&[JOB, &on("pull/x")], "push to pull/x", HEAD, expected);
    }

    #[test]
    fn the_repository_and_the_job() {
        let url = "https://circleci.com/gh/acme/hello/7";
        check_run(&[JOB, &on("main")], ["CircleCI", "github.com/acme/hello", "main", url], 7);
        assert_eq!(ci(&[JOB]).detected_by, Some("CIRCLECI"));
        let token = &[("CIRCLE_REPOSITORY_URL", "https://x:s3cret@github.com/acme/hello")][..];
        check_run(&[JOB, token], ["CircleCI", "github.com/acme/hello", "main", url], 7);
    }

    #[test]
    fn parallel_runs() {
        let of = |index, total| {
            let node = ci(&[JOB, &[("CIRCLE_NODE_INDEX", index), ("CIRCLE_NODE_TOTAL", total)]]).node;
            node.map(|node| (node.index, node.total))
        };
        assert_eq!(of("0", "3"), Some((1, 3)));
        assert_eq!(of("2", "3"), Some((3, 3)));
        for (index, total) in [("0", "1"), ("3", "3"), ("-1", "3"), ("x", "3"), ("0", ""), ("", "3")] {
            assert_eq!(of(index, total), None, "{index} of {total}");
        }
    }
}
