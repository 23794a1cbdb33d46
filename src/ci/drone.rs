//! Detects the event on Drone, for repositories on many forges.

use super::{
    Ci, Event, PullRequest, presumed_fork_owner, read_commit, read_number, read_path, read_text,
    repository_name,
};
use crate::environment::Environment;
use crate::repository::Branch;

/// Detects the event from Drone's variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let urls = ["DRONE_REPO_LINK", "DRONE_GIT_HTTP_URL", "DRONE_REMOTE_URL"];
    let is_merge_commit = environment.get("DRONE_COMMIT_REF").is_some_and(|name| name.ends_with("/merge"));
    let event = detect_event(environment);
    Ci {
        repository: urls.iter().find_map(|url| repository_name(environment.get(url)?)),
        default_branch: read_text(environment, "DRONE_REPO_BRANCH"),
        // If the ref ends with `/merge`, the commit is presumably a merge commit.
        commit: read_commit(environment, "DRONE_COMMIT_SHA").filter(|_| !is_merge_commit),
        run_number: read_number(environment, "DRONE_BUILD_NUMBER").unwrap_or(0),
        run_url: read_text(environment, "DRONE_BUILD_LINK"),
        workspace: read_path(environment, "DRONE_WORKSPACE"),
        possible_fork_branch: event.pull_request_number().and(event.branch()).cloned(),
        ..Ci::new("Drone", event)
    }
}

/// Returns the event. For a pull request, `DRONE_BRANCH` is the target branch.
fn detect_event(environment: &Environment) -> Event {
    let Some(event) = environment.get("DRONE_BUILD_EVENT") else {
        return Event::without_name("DRONE_BUILD_EVENT");
    };
    match (event, environment.get("DRONE_BRANCH")) {
        ("pull_request", _) => pull_request_event(environment),
        ("tag", _) => Event::Tag { deleted: false },
        ("cron", _) => Event::Schedule,
        ("push", Some(branch)) => Event::from_pushed_branch(branch),
        ("custom", branch) => Event::Manual(branch.map(Branch::new)),
        // Promotions and rollbacks repeat an older build.
        (event, _) => Event::Other(event.to_owned()),
    }
}

/// Returns the pull request event. No variable shows whether the pull request comes from a fork.
fn pull_request_event(environment: &Environment) -> Event {
    let number = read_number(environment, "DRONE_PULL_REQUEST");
    let Some((number, branch)) = number.zip(environment.get("DRONE_SOURCE_BRANCH")) else {
        return Event::incomplete(
            "pull request",
            number.is_some(),
            ["DRONE_PULL_REQUEST", "DRONE_SOURCE_BRANCH"],
        );
    };
    let targets = ["DRONE_TARGET_BRANCH", "DRONE_REPO_BRANCH"].map(|variable| environment.get(variable));
    Event::PullRequest(PullRequest::updated(number, presumed_fork_owner(branch, targets), branch))
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_possible_fork, check_run, detect_ci};

    const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// The variables that Drone sets in every step, from its documentation.
    const STEP: Variables<'_> = &[
        ("CI", "true"),
        ("DRONE", "true"),
        ("DRONE_BUILD_LINK", "https://drone.example.com/acme/hello/7"),
        ("DRONE_BUILD_NUMBER", "7"),
        ("DRONE_BUILD_STATUS", "success"),
        ("DRONE_COMMIT", HEAD_COMMIT),
        ("DRONE_COMMIT_AUTHOR", "mona"),
        ("DRONE_COMMIT_SHA", HEAD_COMMIT),
        ("DRONE_GIT_HTTP_URL", "https://git.example.com/acme/hello.git"),
        ("DRONE_GIT_SSH_URL", "git@git.example.com:acme/hello.git"),
        ("DRONE_REPO", "acme/hello"),
        ("DRONE_REPO_BRANCH", "main"),
        ("DRONE_REPO_LINK", "https://git.example.com/acme/hello"),
        ("DRONE_REPO_NAME", "hello"),
        ("DRONE_REPO_NAMESPACE", "acme"),
    ];
    const PULL_REQUEST: Variables<'_> = &[
        ("DRONE_BRANCH", "main"),
        ("DRONE_BUILD_ACTION", "synchronize"),
        ("DRONE_BUILD_EVENT", "pull_request"),
        ("DRONE_COMMIT_BRANCH", "main"),
        ("DRONE_COMMIT_REF", "refs/pull/12/head"),
        ("DRONE_PULL_REQUEST", "12"),
        ("DRONE_SOURCE_BRANCH", "fix"),
        ("DRONE_TARGET_BRANCH", "main"),
    ];

    fn event_on<'a>(event: &'a str, branch: &'a str) -> [(&'a str, &'a str); 5] {
        [
            ("DRONE_BUILD_EVENT", event),
            ("DRONE_BRANCH", branch),
            ("DRONE_COMMIT_BRANCH", branch),
            ("DRONE_SOURCE_BRANCH", branch),
            ("DRONE_TARGET_BRANCH", branch),
        ]
    }

    #[test]
    fn detects_pushes_and_tags() {
        let expected = "publish: push to `main`, the production branch";
        check(&[STEP, &event_on("push", "main")], "push to main", HEAD_COMMIT, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[STEP, &event_on("push", "feature/main")], "push to feature/main", HEAD_COMMIT, expected);
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        for branch in ["", "main"] {
            check(
                &[STEP, &event_on("tag", branch), &[("DRONE_TAG", "v1")]],
                "tag pushed",
                HEAD_COMMIT,
                expected,
            );
        }
    }

    #[test]
    fn detects_pull_requests() {
        let expected = "preview: pull request #12 from `fix` was updated";
        check(&[STEP, PULL_REQUEST], "#12 of fix updated", HEAD_COMMIT, expected);
        let merge = &[("DRONE_COMMIT_REF", "refs/pull/12/merge")][..];
        check(&[STEP, PULL_REQUEST, merge], "#12 of fix updated", "", expected);
        let expected =
            "check: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check(&[STEP, PULL_REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD_COMMIT, expected);
        for (missing, reason) in [
            ("DRONE_PULL_REQUEST", "`DRONE_PULL_REQUEST` is not set to a number"),
            ("DRONE_SOURCE_BRANCH", "`DRONE_SOURCE_BRANCH` is not set"),
        ] {
            let (event, expected) = (
                format!("incomplete: pull request, but {reason}"),
                format!("nothing: pull request, but {reason}"),
            );
            check(&[STEP, PULL_REQUEST, &[(missing, "")]], &event, HEAD_COMMIT, &expected);
        }
    }

    #[test]
    fn treats_a_source_branch_named_like_the_target_as_a_fork() {
        let expected = "preview: pull request #12 from `unknown:main` (fork) was updated";
        let main = &[("DRONE_SOURCE_BRANCH", "main")][..];
        check(&[STEP, PULL_REQUEST, main], "#12 of unknown:main updated (fork)", HEAD_COMMIT, expected);
        let target = &[("DRONE_BRANCH", "release"), ("DRONE_TARGET_BRANCH", "release")][..];
        check(
            &[STEP, PULL_REQUEST, main, target],
            "#12 of unknown:main updated (fork)",
            HEAD_COMMIT,
            expected,
        );
    }

    #[test]
    fn detects_scheduled_and_manual_builds() {
        check(&[STEP, &event_on("cron", "main")], "schedule", HEAD_COMMIT, "sweep: scheduled run");
        let expected = "publish: manual run on `main`, the production branch";
        check(&[STEP, &event_on("custom", "main")], "manual on main", HEAD_COMMIT, expected);
        let expected = "preview: manual run on branch `fix`";
        check(&[STEP, &event_on("custom", "fix")], "manual on fix", HEAD_COMMIT, expected);
        for event in ["promote", "rollback", "push-like"] {
            let expected = format!("nothing: `{event}` needs no action");
            check(&[STEP, &event_on(event, "main")], &format!("other: {event}"), HEAD_COMMIT, &expected);
        }
        check(&[STEP, &event_on("push", "")], "other: push", HEAD_COMMIT, "nothing: `push` needs no action");
    }

    #[test]
    fn detects_the_repository_and_the_build() {
        let url = "https://drone.example.com/acme/hello/7";
        let expected = ["Drone", "git.example.com/acme/hello", "main", url];
        check_run(&[STEP, PULL_REQUEST], expected, 7);
        check_run(&[STEP, PULL_REQUEST, &[("DRONE_REPO_LINK", "")]], expected, 7);
        assert_eq!(detect_ci(&[STEP]).detected_by, Some("DRONE"));
    }

    #[test]
    fn refuses_to_publish_a_possible_fork_under_another_name() {
        check_possible_fork(&[STEP, PULL_REQUEST]);
    }
}
