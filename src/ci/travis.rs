//! Detects the event on Travis CI.

use super::{Ci, Event, PullRequest, UNKNOWN_OWNER, read_commit, read_number, read_path, read_text};
use crate::environment::Environment;
use crate::repository::Branch;

/// Detects the event from Travis CI's variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let commit_variable =
        if pull_request_number(environment).is_some() { "TRAVIS_PULL_REQUEST_SHA" } else { "TRAVIS_COMMIT" };
    Ci {
        repository: repository(environment),
        commit: read_commit(environment, commit_variable),
        run_number: read_number(environment, "TRAVIS_BUILD_NUMBER").unwrap_or(0),
        run_url: read_text(environment, "TRAVIS_BUILD_WEB_URL"),
        workspace: read_path(environment, "TRAVIS_BUILD_DIR"),
        ..Ci::new("Travis CI", detect_event(environment))
    }
}

/// Returns the number of the pull request. `TRAVIS_PULL_REQUEST` is `false` if there is no pull request.
fn pull_request_number(environment: &Environment) -> Option<&str> {
    environment.get("TRAVIS_PULL_REQUEST").filter(|number| *number != "false")
}

/// Returns the event. For a pull request, `TRAVIS_BRANCH` is the target branch; for a tag, it is the tag's name.
fn detect_event(environment: &Environment) -> Event {
    let event = environment.get("TRAVIS_EVENT_TYPE").unwrap_or_default();
    let is_tag = environment.get("TRAVIS_TAG").is_some();
    let branch = environment.get("TRAVIS_BRANCH");
    match (event, branch) {
        ("cron", _) => Event::Schedule,
        ("pull_request", _) => pull_request_event(environment),
        _ if pull_request_number(environment).is_some() => pull_request_event(environment),
        ("push", _) if is_tag => Event::Tag { deleted: false },
        ("push", Some(branch)) => Event::from_pushed_branch(branch),
        ("api", branch) => Event::Manual(branch.filter(|_| !is_tag).map(Branch::new)),
        ("", _) => Event::without_name("TRAVIS_EVENT_TYPE"),
        (event, _) => Event::Other(event.to_owned()),
    }
}

fn pull_request_event(environment: &Environment) -> Event {
    let number = pull_request_number(environment).and_then(|number| number.parse().ok());
    match number.zip(environment.get("TRAVIS_PULL_REQUEST_BRANCH")) {
        Some((number, branch)) => {
            Event::PullRequest(PullRequest::updated(number, fork_owner(environment), branch))
        }
        None => Event::incomplete(
            "pull request",
            number.is_some(),
            ["TRAVIS_PULL_REQUEST", "TRAVIS_PULL_REQUEST_BRANCH"],
        ),
    }
}

/// Returns the owner of the fork, or `None` if the pull request comes from this repository.
fn fork_owner(environment: &Environment) -> Option<&str> {
    let source = environment.get("TRAVIS_PULL_REQUEST_SLUG");
    let is_source = |target: &str| source.is_some_and(|source| source.eq_ignore_ascii_case(target));
    if environment.get("TRAVIS_REPO_SLUG").is_some_and(is_source) {
        return None;
    }
    Some(source.and_then(|source| source.split_once('/')).map_or(UNKNOWN_OWNER, |(owner, _)| owner))
}

/// Returns the repository if the build's URL contains the name of the forge. No variable names the forge, and a wrong guess
/// could query the branches of a mirror.
fn repository(environment: &Environment) -> Option<String> {
    let name = environment.get("TRAVIS_REPO_SLUG")?;
    let forges = [("github", "github.com"), ("gitlab", "gitlab.com"), ("bitbucket", "bitbucket.org")];
    let build = environment.get("TRAVIS_BUILD_WEB_URL")?;
    let (_, host) = forges.iter().find(|(forge, _)| build.contains(&format!("/{forge}/{name}/")))?;
    Some(format!("{host}/{name}"))
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, describe_plan, detect_ci};

    const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";
    const MERGE_COMMIT: &str = "5555555555555555555555555555555555555555";

    /// The variables that Travis CI sets in every job, from its documentation. For pull requests, `TRAVIS_BRANCH` is the target
    /// branch.
    const JOB: Variables<'_> = &[
        ("CI", "true"),
        ("CONTINUOUS_INTEGRATION", "true"),
        ("GITBOOK_DEFAULT_BRANCH", "main"),
        ("TRAVIS", "true"),
        ("TRAVIS_BRANCH", "main"),
        ("TRAVIS_BUILD_ID", "208848666"),
        ("TRAVIS_BUILD_NUMBER", "7"),
        ("TRAVIS_BUILD_WEB_URL", "https://app.travis-ci.com/github/acme/hello/builds/208848666"),
        ("TRAVIS_COMMIT", HEAD_COMMIT),
        ("TRAVIS_EVENT_TYPE", "push"),
        ("TRAVIS_JOB_NUMBER", "7.1"),
        ("TRAVIS_PULL_REQUEST", "false"),
        ("TRAVIS_PULL_REQUEST_BRANCH", ""),
        ("TRAVIS_PULL_REQUEST_SHA", ""),
        ("TRAVIS_PULL_REQUEST_SLUG", ""),
        ("TRAVIS_REPO_SLUG", "acme/hello"),
        ("TRAVIS_SECURE_ENV_VARS", "true"),
        ("TRAVIS_TAG", ""),
    ];
    const PULL_REQUEST: Variables<'_> = &[
        ("TRAVIS_COMMIT", MERGE_COMMIT),
        ("TRAVIS_EVENT_TYPE", "pull_request"),
        ("TRAVIS_PULL_REQUEST", "12"),
        ("TRAVIS_PULL_REQUEST_BRANCH", "fix"),
        ("TRAVIS_PULL_REQUEST_SHA", HEAD_COMMIT),
        ("TRAVIS_PULL_REQUEST_SLUG", "acme/hello"),
    ];
    const FROM_FORK: Variables<'_> = &[
        ("TRAVIS_PULL_REQUEST_BRANCH", "main"),
        ("TRAVIS_PULL_REQUEST_SLUG", "mona/hello"),
        ("TRAVIS_SECURE_ENV_VARS", "false"),
    ];
    const ON_TAG: Variables<'_> = &[("TRAVIS_BRANCH", "main"), ("TRAVIS_TAG", "main")];

    fn started_by(event: &str) -> [(&str, &str); 1] {
        [("TRAVIS_EVENT_TYPE", event)]
    }

    #[test]
    fn detects_pushes_and_tags() {
        check(&[JOB], "push to main", HEAD_COMMIT, "publish: push to `main`, the production branch");
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &[("TRAVIS_BRANCH", "feature/main")]], "push to feature/main", HEAD_COMMIT, expected);
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[JOB, ON_TAG], "tag pushed", HEAD_COMMIT, expected);
    }

    #[test]
    fn detects_pull_requests() {
        let expected = "preview: pull request #12 from `fix` was updated";
        check(&[JOB, PULL_REQUEST], "#12 of fix updated", HEAD_COMMIT, expected);
        check(&[JOB, PULL_REQUEST, &started_by("api")], "#12 of fix updated", HEAD_COMMIT, expected);
        check(&[JOB, PULL_REQUEST, &[("TRAVIS_PULL_REQUEST_SHA", "")]], "#12 of fix updated", "", expected);
        let expected =
            "check: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check(&[JOB, PULL_REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD_COMMIT, expected);
        let event = "incomplete: pull request, but `TRAVIS_PULL_REQUEST_BRANCH` is not set";
        let expected = "nothing: pull request, but `TRAVIS_PULL_REQUEST_BRANCH` is not set";
        check(&[JOB, PULL_REQUEST, &[("TRAVIS_PULL_REQUEST_BRANCH", "")]], event, HEAD_COMMIT, expected);
        let event = "incomplete: pull request, but `TRAVIS_PULL_REQUEST` is not set to a number";
        let expected = "nothing: pull request, but `TRAVIS_PULL_REQUEST` is not set to a number";
        check(&[JOB, PULL_REQUEST, &[("TRAVIS_PULL_REQUEST", "x")]], event, HEAD_COMMIT, expected);
        assert_eq!(describe_plan(&[JOB, PULL_REQUEST, &[("TRAVIS_PULL_REQUEST", "")]]), expected);
    }

    #[test]
    fn detects_pull_requests_from_forks() {
        let no_token = &[("GITBOOK_TOKEN", "")][..];
        let expected =
            "check: pull request #12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check(
            &[JOB, PULL_REQUEST, FROM_FORK, no_token],
            "#12 of mona:main updated (fork)",
            HEAD_COMMIT,
            expected,
        );
        let expected = "preview: pull request #12 from `mona:main` (fork) was updated";
        check(&[JOB, PULL_REQUEST, FROM_FORK], "#12 of mona:main updated (fork)", HEAD_COMMIT, expected);
        let unknown_source = &[("TRAVIS_PULL_REQUEST_SLUG", "")][..];
        let expected = "preview: pull request #12 from `unknown:main` (fork) was updated";
        check(
            &[JOB, PULL_REQUEST, FROM_FORK, unknown_source],
            "#12 of unknown:main updated (fork)",
            HEAD_COMMIT,
            expected,
        );
    }

    #[test]
    fn detects_scheduled_and_manual_builds() {
        check(&[JOB, &started_by("cron")], "schedule", HEAD_COMMIT, "sweep: scheduled run");
        let expected = "publish: manual run on `main`, the production branch";
        check(&[JOB, &started_by("api")], "manual on main", HEAD_COMMIT, expected);
        let expected =
            "nothing: manual run without a branch; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[JOB, &started_by("api"), ON_TAG], "manual on no branch", HEAD_COMMIT, expected);
        check(&[JOB, &started_by("other")], "other: other", HEAD_COMMIT, "nothing: `other` needs no action");
    }

    #[test]
    fn detects_the_repository_and_the_build() {
        let url = "https://app.travis-ci.com/github/acme/hello/builds/208848666";
        check_run(&[JOB], ["Travis CI", "github.com/acme/hello", "main", url], 7);
        assert_eq!(detect_ci(&[JOB]).detected_by, Some("TRAVIS"));
        let url = "https://travis-ci.com/acme/hello/builds/208848666";
        check_run(&[JOB, &[("TRAVIS_BUILD_WEB_URL", url)]], ["Travis CI", "", "main", url], 7);
    }
}
