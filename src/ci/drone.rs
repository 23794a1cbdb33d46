//! Drone, over repositories of many forges.

use super::{Ci, Event, PullRequest, commit, folder, number, pushed, repository, text, untold_owner};
use crate::environment::Environment;
use crate::preview::Branch;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let urls = ["DRONE_REPO_LINK", "DRONE_GIT_HTTP_URL", "DRONE_REMOTE_URL"];
    let is_merge = environment.get("DRONE_COMMIT_REF").is_some_and(|name| name.ends_with("/merge"));
    let event = event(environment);
    Ci {
        repository: urls.iter().find_map(|url| repository::at(environment.get(url)?)),
        default_branch: text(environment, "DRONE_REPO_BRANCH"),
        // Assumed: what is checked out from a merge ref is called by the merge commit.
        commit: commit(environment, "DRONE_COMMIT_SHA").filter(|_| !is_merge),
        run: number(environment, "DRONE_BUILD_NUMBER").unwrap_or(0),
        run_url: text(environment, "DRONE_BUILD_LINK"),
        workspace: folder(environment, "DRONE_WORKSPACE"),
        possible_fork: event.pull_request().and(event.branch()).cloned(),
        ..Ci::of("Drone", event)
    }
}

/// On a pull request `DRONE_BRANCH` is the branch that it is to be merged into.
fn event(environment: &Environment) -> Event {
    let event = environment.get("DRONE_BUILD_EVENT").unwrap_or("a build without an event");
    match (event, environment.get("DRONE_BRANCH")) {
        ("pull_request", _) => of_pull_request(environment),
        ("tag", _) => Event::Tag { deleted: false },
        ("cron", _) => Event::Schedule,
        ("push", Some(branch)) => pushed(branch),
        ("custom", branch) => Event::Manual(branch.map(Branch::new)),
        // A promotion or rollback runs an older build once more, in an environment that only its pipeline knows.
        (event, _) => Event::Other(event.to_owned()),
    }
}

/// Nothing tells whose fork a pull request comes from, or that it comes from one.
fn of_pull_request(environment: &Environment) -> Event {
    let number = number(environment, "DRONE_PULL_REQUEST");
    let Some((number, branch)) = number.zip(environment.get("DRONE_SOURCE_BRANCH")) else {
        return Event::Other("a pull request without number or branch".to_owned());
    };
    let others = ["DRONE_TARGET_BRANCH", "DRONE_REPO_BRANCH"].map(|variable| environment.get(variable));
    Event::PullRequest(PullRequest::updated(number, untold_owner(branch, others), branch))
}

#[cfg(test)]
mod tests {
    use crate::ci::told::{Variables, check, check_possible_fork, check_run, ci};

    const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// What every step has, written from the documentation's reference of variables.
    const STEP: Variables<'_> = &[
        ("CI", "true"),
        ("DRONE", "true"),
        ("DRONE_BUILD_LINK", "https://drone.example.com/acme/hello/7"),
        ("DRONE_BUILD_NUMBER", "7"),
        ("DRONE_BUILD_STATUS", "success"),
        ("DRONE_COMMIT", HEAD),
        ("DRONE_COMMIT_AUTHOR", "mona"),
        ("DRONE_COMMIT_SHA", HEAD),
        ("DRONE_GIT_HTTP_URL", "https://git.example.com/acme/hello.git"),
        ("DRONE_GIT_SSH_URL", "git@git.example.com:acme/hello.git"),
        ("DRONE_REPO", "acme/hello"),
        ("DRONE_REPO_BRANCH", "main"),
        ("DRONE_REPO_LINK", "https://git.example.com/acme/hello"),
        ("DRONE_REPO_NAME", "hello"),
        ("DRONE_REPO_NAMESPACE", "acme"),
    ];
    const REQUEST: Variables<'_> = &[
        ("DRONE_BRANCH", "main"),
        ("DRONE_BUILD_ACTION", "synchronize"),
        ("DRONE_BUILD_EVENT", "pull_request"),
        ("DRONE_COMMIT_BRANCH", "main"),
        ("DRONE_COMMIT_REF", "refs/pull/12/head"),
        ("DRONE_PULL_REQUEST", "12"),
        ("DRONE_SOURCE_BRANCH", "fix"),
        ("DRONE_TARGET_BRANCH", "main"),
    ];

    fn on<'a>(event: &'a str, branch: &'a str) -> [(&'a str, &'a str); 5] {
        [
            ("DRONE_BUILD_EVENT", event),
            ("DRONE_BRANCH", branch),
            ("DRONE_COMMIT_BRANCH", branch),
            ("DRONE_SOURCE_BRANCH", branch),
            ("DRONE_TARGET_BRANCH", branch),
        ]
    }

    #[test]
    fn pushes_and_tags() {
        let expected = "publish: push to the production branch `main`";
        check(&[STEP, &on("push", "main")], "push to main", HEAD, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[STEP, &on("push", "feature/main")], "push to feature/main", HEAD, expected);
        let expected = "nothing: a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag";
        for branch in ["", "main"] {
            check(&[STEP, &on("tag", branch), &[("DRONE_TAG", "v1")]], "tag pushed", HEAD, expected);
        }
    }

    #[test]
    fn pull_requests() {
        let expected = "preview: pull request #12 from `fix` was updated";
        check(&[STEP, REQUEST], "#12 of fix updated", HEAD, expected);
        let merge = &[("DRONE_COMMIT_REF", "refs/pull/12/merge")][..];
        check(&[STEP, REQUEST, merge], "#12 of fix updated", "", expected);
        let expected = "check: pull request #12 was updated, but there is no token: checked, not published";
        check(&[STEP, REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD, expected);
        let expected = "nothing: nothing is to be done on `a pull request without number or branch`";
        for missing in ["DRONE_PULL_REQUEST", "DRONE_SOURCE_BRANCH"] {
            let event = "other: a pull request without number or branch";
            check(&[STEP, REQUEST, &[(missing, "")]], event, HEAD, expected);
        }
    }

    #[test]
    fn a_pull_request_from_a_forks_main() {
        let expected = "preview: pull request #12 of a fork from `unknown:main` was updated";
        let main = &[("DRONE_SOURCE_BRANCH", "main")][..];
        check(&[STEP, REQUEST, main], "#12 of unknown:main updated (fork)", HEAD, expected);
        let target = &[("DRONE_BRANCH", "release"), ("DRONE_TARGET_BRANCH", "release")][..];
        check(&[STEP, REQUEST, main, target], "#12 of unknown:main updated (fork)", HEAD, expected);
    }

    #[test]
    fn builds_that_no_commit_started() {
        check(&[STEP, &on("cron", "main")], "schedule", HEAD, "sweep: scheduled run");
        let expected = "publish: manual run on the production branch `main`";
        check(&[STEP, &on("custom", "main")], "manual on main", HEAD, expected);
        let expected = "preview: manual run on branch `fix`";
        check(&[STEP, &on("custom", "fix")], "manual on fix", HEAD, expected);
        for event in ["promote", "rollback", "push-like"] {
            let expected = format!("nothing: nothing is to be done on `{event}`");
            check(&[STEP, &on(event, "main")], &format!("other: {event}"), HEAD, &expected);
        }
        check(&[STEP, &on("push", "")], "other: push", HEAD, "nothing: nothing is to be done on `push`");
    }

    #[test]
    fn the_repository_and_the_build() {
        let url = "https://drone.example.com/acme/hello/7";
        let expected = ["Drone", "git.example.com/acme/hello", "main", url];
        check_run(&[STEP, REQUEST], expected, 7);
        check_run(&[STEP, REQUEST, &[("DRONE_REPO_LINK", "")]], expected, 7);
        assert_eq!(ci(&[STEP]).detected_by, Some("DRONE"));
    }

    #[test]
    fn publishes_a_possible_fork_under_no_other_name() {
        check_possible_fork(&[STEP, REQUEST]);
    }
}
