//! Jenkins with a multibranch job: one job a branch, tag or change request.

use super::{
    Ci, Event, PullRequest, UNKNOWN_OWNER, commit, folder, number, pushed, repository, text, untold_owner,
};
use crate::environment::Environment;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let is_change = environment.get("CHANGE_ID").is_some();
    let is_primary = !is_change && environment.get("BRANCH_IS_PRIMARY") == Some("true");
    Ci {
        // Set by the checkout; a pipeline that is scripted has to hand it on, or to set `GITBOOK_REPOSITORY`.
        repository: environment.get("GIT_URL").and_then(repository::at),
        default_branch: text(environment, "BRANCH_NAME").filter(|_| is_primary),
        commit: head(environment),
        // It counts within a job, so within a branch. A change request is a job of its own that starts at 1, and must
        // not seem older than what its branch's job has published.
        run: number(environment, "BUILD_NUMBER").filter(|_| !is_change).unwrap_or(0),
        counter: environment.get("JOB_NAME").map_or("Jenkins".to_owned(), |job| format!("Jenkins {job}")),
        run_url: text(environment, "BUILD_URL"),
        workspace: folder(environment, "WORKSPACE"),
        ..Ci::of("Jenkins", event(environment))
    }
}

/// In a change request's job `BRANCH_NAME` is the job's name, `PR-24`, and no branch.
fn event(environment: &Environment) -> Event {
    match (environment.get("CHANGE_ID"), environment.get("BRANCH_NAME")) {
        (Some(id), _) => of_change(id, environment),
        _ if environment.get("TAG_NAME").is_some() => Event::Tag { deleted: false },
        (None, Some(branch)) => pushed(branch),
        // No multibranch job. `GIT_BRANCH` may be any of several that the commit is on.
        (None, None) => Event::None,
    }
}

fn of_change(id: &str, environment: &Environment) -> Event {
    match id.parse().ok().zip(environment.get("CHANGE_BRANCH")) {
        Some((number, branch)) => {
            Event::PullRequest(PullRequest::updated(number, fork(environment, branch), branch))
        }
        None => Event::Other("a change request without number or branch".to_owned()),
    }
}

/// The owner of the fork: `CHANGE_FORK` is `mona`, or `mona/hello` where the fork has another name. Whether all
/// plugins set it is not sure.
fn fork<'e>(environment: &'e Environment, branch: &str) -> Option<&'e str> {
    match environment.get("CHANGE_FORK") {
        Some("true") => Some(UNKNOWN_OWNER),
        Some(fork) => Some(fork.rsplit_once('/').map_or(fork, |(owner, _)| owner)),
        None => untold_owner(branch, [environment.get("CHANGE_TARGET"), None]),
    }
}

/// The head commit. For a change request Jenkins by default builds a merge that it makes itself, unless the job is for
/// the head alone, which its name says where there are jobs for both.
fn head(environment: &Environment) -> Option<String> {
    let is_head = environment.get("CHANGE_ID").is_none()
        || environment.get("BRANCH_NAME").is_some_and(|job| job.ends_with("-head"));
    commit(environment, "GIT_COMMIT").filter(|_| is_head)
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, ci};

    const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// What every build has, written from the documentation of the multibranch and Git plugins.
    const BUILD: Variables<'_> = &[
        ("BUILD_DISPLAY_NAME", "#7"),
        ("BUILD_ID", "7"),
        ("BUILD_NUMBER", "7"),
        ("BUILD_URL", "https://jenkins.example.com/job/hello/job/main/7/"),
        ("CI", "true"),
        ("GIT_COMMIT", HEAD),
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
    const CHANGE: Variables<'_> = &[
        ("BRANCH_NAME", "PR-24"),
        ("CHANGE_AUTHOR", "mona"),
        ("CHANGE_BRANCH", "fix"),
        ("CHANGE_ID", "24"),
        ("CHANGE_TARGET", "main"),
        ("CHANGE_TITLE", "Mend it"),
        ("CHANGE_URL", "https://github.com/acme/hello/pull/24"),
        ("GIT_BRANCH", "PR-24"),
        ("JOB_BASE_NAME", "PR-24"),
        ("JOB_NAME", "hello/PR-24"),
    ];

    #[test]
    fn pushes_and_tags() {
        let expected = "publish: push to the production branch `main`";
        check(&[BUILD, ON_MAIN], "push to main", HEAD, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[BUILD, ON_FEATURE], "push to feature/main", HEAD, expected);
        // That another branch is the primary one, its own builds say only.
        let untold = &[("GITBOOK_DEFAULT_BRANCH", "")][..];
        let expected = "refuse: push to branch `feature/main`";
        check(&[BUILD, ON_FEATURE, untold], "push to feature/main", HEAD, expected);
        let tag = &[("BRANCH_NAME", "v1"), ("TAG_NAME", "v1"), ("TAG_TIMESTAMP", "1700000000000")][..];
        let expected = "nothing: a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag";
        check(&[BUILD, tag], "tag pushed", HEAD, expected);
        // Not a multibranch job.
        let other = &[("GIT_BRANCH", "origin/main")][..];
        check(&[BUILD, other], "no event", HEAD, "refuse: no event is known");
    }

    #[test]
    fn change_requests() {
        let expected = "preview: pull request #24 from `fix` was updated";
        check(&[BUILD, CHANGE], "#24 of fix updated", "", expected);
        check(&[BUILD, CHANGE, &[("BRANCH_NAME", "PR-24-merge")]], "#24 of fix updated", "", expected);
        check(&[BUILD, CHANGE, &[("BRANCH_NAME", "PR-24-head")]], "#24 of fix updated", HEAD, expected);
        let expected = "check: pull request #24 was updated, but there is no token: checked, not published";
        check(&[BUILD, CHANGE, &[("GITBOOK_TOKEN", "")]], "#24 of fix updated", "", expected);
        let event = "other: a change request without number or branch";
        let expected = "nothing: nothing is to be done on `a change request without number or branch`";
        for missing in [&[("CHANGE_BRANCH", "")][..], &[("CHANGE_ID", "refs/1")]] {
            check(&[BUILD, CHANGE, missing], event, "", expected);
        }
    }

    #[test]
    fn change_requests_of_forks() {
        let of_main = &[("CHANGE_BRANCH", "main")][..];
        for (fork, owner) in [("mona", "mona"), ("mona/hello2", "mona"), ("true", "unknown"), ("", "unknown")]
        {
            let expected = format!("preview: pull request #24 of a fork from `{owner}:main` was updated");
            let event = format!("#24 of {owner}:main updated (fork)");
            check(&[BUILD, CHANGE, of_main, &[("CHANGE_FORK", fork)]], &event, "", &expected);
        }
    }

    #[test]
    fn the_repository_and_the_build() {
        let url = "https://jenkins.example.com/job/hello/job/main/7/";
        check_run(&[BUILD, ON_MAIN], ["Jenkins", "github.com/acme/hello", "main", url], 7);
        assert_eq!(ci(&[BUILD]).detected_by, Some("JENKINS_URL"));
        // A change request's job counts from 1, and its target is no default branch.
        let primary = &[("BRANCH_IS_PRIMARY", "true")][..];
        check_run(&[BUILD, CHANGE, primary], ["Jenkins", "github.com/acme/hello", "", url], 0);
    }
}
