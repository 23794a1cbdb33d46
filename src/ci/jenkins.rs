//! Detects the event in a Jenkins multibranch job, which contains one job for each branch, tag or change request (pull request).

use super::{
    Ci, Event, PullRequest, UNKNOWN_OWNER, presumed_fork_owner, read_commit, read_number, read_path,
    read_text, repository_name,
};
use crate::environment::Environment;

/// Detects the event from Jenkins variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let is_change_request = environment.get("CHANGE_ID").is_some();
    let is_primary_branch = !is_change_request && environment.get("BRANCH_IS_PRIMARY") == Some("true");
    Ci {
        // The checkout step sets `GIT_URL`. Scripted pipelines must pass `GIT_URL` on or set `GITBOOK_REPOSITORY`.
        repository: environment.get("GIT_URL").and_then(repository_name),
        default_branch: read_text(environment, "BRANCH_NAME").filter(|_| is_primary_branch),
        commit: head_commit(environment),
        // Each job numbers its own builds. The build numbers of a change request's job cannot be compared with the build
        // numbers of the branch's job.
        run_number: read_number(environment, "BUILD_NUMBER").filter(|_| !is_change_request).unwrap_or(0),
        run_number_scope: environment
            .get("JOB_NAME")
            .map_or("Jenkins".to_owned(), |job| format!("Jenkins {job}")),
        run_url: read_text(environment, "BUILD_URL"),
        workspace: read_path(environment, "WORKSPACE"),
        ..Ci::new("Jenkins", detect_event(environment))
    }
}

/// Returns the event. For a change request, `BRANCH_NAME` is the name of the job, such as `PR-24`.
fn detect_event(environment: &Environment) -> Event {
    match (environment.get("CHANGE_ID"), environment.get("BRANCH_NAME")) {
        (Some(id), _) => change_request_event(id, environment),
        _ if environment.get("TAG_NAME").is_some() => Event::Tag { deleted: false },
        (None, Some(branch)) => Event::from_pushed_branch(branch),
        // If `BRANCH_NAME` is unset, this is not a multibranch job. `GIT_BRANCH` is no replacement: it may be any branch that
        // contains the commit.
        (None, None) => Event::Unknown,
    }
}

fn change_request_event(id: &str, environment: &Environment) -> Event {
    let number = id.parse().ok();
    match number.zip(environment.get("CHANGE_BRANCH")) {
        Some((number, branch)) => {
            Event::PullRequest(PullRequest::updated(number, fork_owner(environment, branch), branch))
        }
        None => Event::incomplete("change request", number.is_some(), ["CHANGE_ID", "CHANGE_BRANCH"]),
    }
}

/// Returns the owner of the fork. `CHANGE_FORK` is the owner, such as `mona`, or `mona/hello` if the names of the fork and the
/// original differ. Some plugins may not set `CHANGE_FORK`.
fn fork_owner<'e>(environment: &'e Environment, branch: &str) -> Option<&'e str> {
    match environment.get("CHANGE_FORK") {
        Some("true") => Some(UNKNOWN_OWNER),
        Some(fork) => Some(fork.rsplit_once('/').map_or(fork, |(owner, _)| owner)),
        None => presumed_fork_owner(branch, [environment.get("CHANGE_TARGET"), None]),
    }
}

/// Returns the head commit, or `None` if Jenkins builds a merge commit. By default, Jenkins builds a merge commit for a change
/// request. A job with a name that ends with `-head` builds the head commit.
fn head_commit(environment: &Environment) -> Option<String> {
    let is_head = environment.get("CHANGE_ID").is_none()
        || environment.get("BRANCH_NAME").is_some_and(|job| job.ends_with("-head"));
    read_commit(environment, "GIT_COMMIT").filter(|_| is_head)
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, detect_ci};

    const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// The variables of every build, from the documentation of Jenkins's multibranch and Git plugins.
    const BUILD: Variables<'_> = &[
        ("BUILD_DISPLAY_NAME", "#7"),
        ("BUILD_ID", "7"),
        ("BUILD_NUMBER", "7"),
        ("BUILD_URL", "https://jenkins.example.com/job/hello/job/main/7/"),
        ("CI", "true"),
        ("GIT_COMMIT", HEAD_COMMIT),
        ("GIT_URL", "https://github.com/acme/hello.git"),
        ("JENKINS_URL", "https://jenkins.example.com/"),
        ("NODE_NAME", "built-in"),
        ("WORKSPACE", "/var/lib/jenkins/workspace/hello_main"),
    ];
    const ON_MAIN: Variables<'_> = &[
        ("BRANCH_IS_PRIMARY", "true"),
        ("BRANCH_NAME", "main"),
        ("GIT_BRANCH", "main"),
        ("JOB_BASE_NAME", "main"),
        ("JOB_NAME", "hello/main"),
    ];
    const ON_FEATURE: Variables<'_> = &[
        ("BRANCH_NAME", "feature/main"),
        ("GITBOOK_DEFAULT_BRANCH", "main"),
        ("GIT_BRANCH", "feature/main"),
        ("JOB_BASE_NAME", "feature%2Fmain"),
        ("JOB_NAME", "hello/feature%2Fmain"),
    ];
    const CHANGE_REQUEST: Variables<'_> = &[
        ("BRANCH_NAME", "PR-24"),
        ("CHANGE_AUTHOR", "mona"),
        ("CHANGE_BRANCH", "fix"),
        ("CHANGE_ID", "24"),
        ("CHANGE_TARGET", "main"),
        ("CHANGE_TITLE", "Fix it"),
        ("CHANGE_URL", "https://github.com/acme/hello/pull/24"),
        ("GIT_BRANCH", "PR-24"),
        ("JOB_BASE_NAME", "PR-24"),
        ("JOB_NAME", "hello/PR-24"),
    ];

    #[test]
    fn detects_pushes_and_tags() {
        let expected = "publish: push to `main`, the production branch";
        check(&[BUILD, ON_MAIN], "push to main", HEAD_COMMIT, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[BUILD, ON_FEATURE], "push to feature/main", HEAD_COMMIT, expected);
        // Jenkins reveals the default branch only in the builds of that branch.
        let unknown = &[("GITBOOK_DEFAULT_BRANCH", "")][..];
        let expected = "refuse: push to branch `feature/main`";
        check(&[BUILD, ON_FEATURE, unknown], "push to feature/main", HEAD_COMMIT, expected);
        let tag = &[("BRANCH_NAME", "v1"), ("TAG_NAME", "v1"), ("TAG_TIMESTAMP", "1700000000000")][..];
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[BUILD, tag], "tag pushed", HEAD_COMMIT, expected);
        // A job without `BRANCH_NAME` is not a multibranch job.
        let not_multibranch = &[("GIT_BRANCH", "origin/main")][..];
        check(&[BUILD, not_multibranch], "no event", HEAD_COMMIT, "refuse: no CI event detected");
    }

    #[test]
    fn detects_change_requests() {
        let expected = "preview: pull request #24 from `fix` was updated";
        check(&[BUILD, CHANGE_REQUEST], "#24 of fix updated", "", expected);
        check(
            &[BUILD, CHANGE_REQUEST, &[("BRANCH_NAME", "PR-24-merge")]],
            "#24 of fix updated",
            "",
            expected,
        );
        check(
            &[BUILD, CHANGE_REQUEST, &[("BRANCH_NAME", "PR-24-head")]],
            "#24 of fix updated",
            HEAD_COMMIT,
            expected,
        );
        let expected =
            "check: pull request #24 was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check(&[BUILD, CHANGE_REQUEST, &[("GITBOOK_TOKEN", "")]], "#24 of fix updated", "", expected);
        for (missing, reason) in [
            (("CHANGE_BRANCH", ""), "`CHANGE_BRANCH` is not set"),
            (("CHANGE_ID", "refs/1"), "`CHANGE_ID` is not set to a number"),
        ] {
            let event = format!("incomplete: change request, but {reason}");
            let expected = format!("nothing: change request, but {reason}");
            check(&[BUILD, CHANGE_REQUEST, &[missing]], &event, "", &expected);
        }
    }

    #[test]
    fn detects_change_requests_from_forks() {
        let of_main = &[("CHANGE_BRANCH", "main")][..];
        for (fork, owner) in [("mona", "mona"), ("mona/hello2", "mona"), ("true", "unknown"), ("", "unknown")]
        {
            let expected = format!("preview: pull request #24 from `{owner}:main` (fork) was updated");
            let event = format!("#24 of {owner}:main updated (fork)");
            check(&[BUILD, CHANGE_REQUEST, of_main, &[("CHANGE_FORK", fork)]], &event, "", &expected);
        }
    }

    #[test]
    fn detects_the_repository_and_the_build() {
        let url = "https://jenkins.example.com/job/hello/job/main/7/";
        check_run(&[BUILD, ON_MAIN], ["Jenkins", "github.com/acme/hello", "main", url], 7);
        assert_eq!(detect_ci(&[BUILD]).detected_by, Some("JENKINS_URL"));
        // The job of a change request has its own build numbers, and the target branch may not be the default branch.
        let primary = &[("BRANCH_IS_PRIMARY", "true")][..];
        check_run(&[BUILD, CHANGE_REQUEST, primary], ["Jenkins", "github.com/acme/hello", "", url], 0);
    }
}
