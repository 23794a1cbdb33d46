//! Travis CI.

use super::{Ci, Event, PullRequest, UNKNOWN_OWNER, commit, folder, number, pushed, text};
use crate::environment::Environment;
use crate::preview::Branch;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let head = if pull_request(environment).is_some() { "TRAVIS_PULL_REQUEST_SHA" } else { "TRAVIS_COMMIT" };
    Ci {
        repository: repository(environment),
        commit: commit(environment, head),
        run: number(environment, "TRAVIS_BUILD_NUMBER").unwrap_or(0),
        run_url: text(environment, "TRAVIS_BUILD_WEB_URL"),
        workspace: folder(environment, "TRAVIS_BUILD_DIR"),
        ..Ci::of("Travis CI", event(environment))
    }
}

/// Travis says `false` where there is no pull request.
fn pull_request(environment: &Environment) -> Option<&str> {
    environment.get("TRAVIS_PULL_REQUEST").filter(|number| *number != "false")
}

/// `TRAVIS_BRANCH` is the branch that a pull request is to be merged into, and a tag's name on tags.
fn event(environment: &Environment) -> Event {
    let event = environment.get("TRAVIS_EVENT_TYPE").unwrap_or("a build without an event");
    let is_tag = environment.get("TRAVIS_TAG").is_some();
    let branch = environment.get("TRAVIS_BRANCH");
    match (event, branch) {
        ("cron", _) => Event::Schedule,
        ("pull_request", _) => of_pull_request(environment),
        _ if pull_request(environment).is_some() => of_pull_request(environment),
        ("push", _) if is_tag => Event::Tag { deleted: false },
        ("push", Some(branch)) => pushed(branch),
        ("api", branch) => Event::Manual(branch.filter(|_| !is_tag).map(Branch::new)),
        (event, _) => Event::Other(event.to_owned()),
    }
}

fn of_pull_request(environment: &Environment) -> Event {
    let number = pull_request(environment).and_then(|number| number.parse().ok());
    match number.zip(environment.get("TRAVIS_PULL_REQUEST_BRANCH")) {
        Some((number, branch)) => Event::PullRequest(PullRequest::updated(number, fork(environment), branch)),
        None => Event::Other("a pull request without number or branch".to_owned()),
    }
}

/// The owner of the repository that the pull request comes from, unless it is this one.
fn fork(environment: &Environment) -> Option<&str> {
    let source = environment.get("TRAVIS_PULL_REQUEST_SLUG");
    let same = |here: &str| source.is_some_and(|source| source.eq_ignore_ascii_case(here));
    if environment.get("TRAVIS_REPO_SLUG").is_some_and(same) {
        return None;
    }
    Some(source.and_then(|source| source.split_once('/')).map_or(UNKNOWN_OWNER, |(owner, _)| owner))
}

/// The repository, where the build's address says on which forge it is. No variable does, and a mirror on another forge
/// must not be asked whose branches are gone.
fn repository(environment: &Environment) -> Option<String> {
    let name = environment.get("TRAVIS_REPO_SLUG")?;
    let forges = [("github", "github.com"), ("gitlab", "gitlab.com"), ("bitbucket", "bitbucket.org")];
    let build = environment.get("TRAVIS_BUILD_WEB_URL")?;
    let (_, host) = forges.iter().find(|(forge, _)| build.contains(&format!("/{forge}/{name}/")))?;
    Some(format!("{host}/{name}"))
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, ci, decision};

    const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";
    const MERGE: &str = "5555555555555555555555555555555555555555";

    /// What every job has, written from the documentation of variables; `TRAVIS_BRANCH` is the target.
    const JOB: Variables<'_> = &[
        ("CI", "true"),
        ("CONTINUOUS_INTEGRATION", "true"),
        ("GITBOOK_DEFAULT_BRANCH", "main"),
        ("TRAVIS", "true"),
        ("TRAVIS_BRANCH", "main"),
        ("TRAVIS_BUILD_ID", "208848666"),
        ("TRAVIS_BUILD_NUMBER", "7"),
        ("TRAVIS_BUILD_WEB_URL", "https://app.travis-ci.com/github/acme/hello/builds/208848666"),
        ("TRAVIS_COMMIT", HEAD),
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
    const REQUEST: Variables<'_> = &[
        ("TRAVIS_COMMIT", MERGE),
        ("TRAVIS_EVENT_TYPE", "pull_request"),
        ("TRAVIS_PULL_REQUEST", "12"),
        ("TRAVIS_PULL_REQUEST_BRANCH", "fix"),
        ("TRAVIS_PULL_REQUEST_SHA", HEAD),
        ("TRAVIS_PULL_REQUEST_SLUG", "acme/hello"),
    ];
    const OF_FORK: Variables<'_> = &[
        ("TRAVIS_PULL_REQUEST_BRANCH", "main"),
        ("TRAVIS_PULL_REQUEST_SLUG", "mona/hello"),
        ("TRAVIS_SECURE_ENV_VARS", "false"),
    ];
    const TAG: Variables<'_> = &[("TRAVIS_BRANCH", "main"), ("TRAVIS_TAG", "main")];

    fn by(event: &str) -> [(&str, &str); 1] {
        [("TRAVIS_EVENT_TYPE", event)]
    }

    #[test]
    fn pushes_and_tags() {
        check(&[JOB], "push to main", HEAD, "publish: push to the production branch `main`");
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &[("TRAVIS_BRANCH", "feature/main")]], "push to feature/main", HEAD, expected);
        let expected = "nothing: a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag";
        check(&[JOB, TAG], "tag pushed", HEAD, expected);
    }

    #[test]
    fn pull_requests() {
        let expected = "preview: pull request #12 from `fix` was updated";
        check(&[JOB, REQUEST], "#12 of fix updated", HEAD, expected);
        check(&[JOB, REQUEST, &by("api")], "#12 of fix updated", HEAD, expected);
        check(&[JOB, REQUEST, &[("TRAVIS_PULL_REQUEST_SHA", "")]], "#12 of fix updated", "", expected);
        let expected = "check: pull request #12 was updated, but there is no token: checked, not published";
        check(&[JOB, REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD, expected);
        let event = "other: a pull request without number or branch";
        let expected = "nothing: nothing is to be done on `a pull request without number or branch`";
        check(&[JOB, REQUEST, &[("TRAVIS_PULL_REQUEST_BRANCH", "")]], event, HEAD, expected);
        check(&[JOB, REQUEST, &[("TRAVIS_PULL_REQUEST", "x")]], event, HEAD, expected);
        assert_eq!(decision(&[JOB, REQUEST, &[("TRAVIS_PULL_REQUEST", "")]]), expected);
    }

    #[test]
    fn pull_requests_of_forks() {
        let no_token = &[("GITBOOK_TOKEN", "")][..];
        let expected =
            "check: pull request #12 of a fork was updated, but there is no token: checked, not published";
        check(&[JOB, REQUEST, OF_FORK, no_token], "#12 of mona:main updated (fork)", HEAD, expected);
        let expected = "preview: pull request #12 of a fork from `mona:main` was updated";
        check(&[JOB, REQUEST, OF_FORK], "#12 of mona:main updated (fork)", HEAD, expected);
        let gone = &[("TRAVIS_PULL_REQUEST_SLUG", "")][..];
        let expected = "preview: pull request #12 of a fork from `unknown:main` was updated";
        check(&[JOB, REQUEST, OF_FORK, gone], "#12 of unknown:main updated (fork)", HEAD, expected);
    }

    #[test]
    fn builds_that_no_commit_started() {
        check(&[JOB, &by("cron")], "schedule", HEAD, "sweep: scheduled run");
        let expected = "publish: manual run on the production branch `main`";
        check(&[JOB, &by("api")], "manual on main", HEAD, expected);
        let expected = "nothing: manual run on no branch; `GITBOOK_MODE=publish` publishes from a tag";
        check(&[JOB, &by("api"), TAG], "manual on no branch", HEAD, expected);
        check(&[JOB, &by("other")], "other: other", HEAD, "nothing: nothing is to be done on `other`");
    }

    #[test]
    fn the_repository_and_the_build() {
        let url = "https://app.travis-ci.com/github/acme/hello/builds/208848666";
        check_run(&[JOB], ["Travis CI", "github.com/acme/hello", "main", url], 7);
        assert_eq!(ci(&[JOB]).detected_by, Some("TRAVIS"));
        let url = "https://travis-ci.com/acme/hello/builds/208848666";
        check_run(&[JOB, &[("TRAVIS_BUILD_WEB_URL", url)]], ["Travis CI", "", "main", url], 7);
    }
}
