//! Detects the event on Woodpecker, for repositories on many forges.

use super::{
    Activity, Ci, Event, PullRequest, presumed_fork_owner, read_commit, read_number, read_path, read_text,
    repository_name,
};
use crate::environment::Environment;
use crate::repository::Branch;

/// Detects the event from Woodpecker's variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let urls = ["CI_REPO_URL", "CI_REPO_CLONE_URL"];
    let is_merge_commit = environment.get("CI_COMMIT_REF").is_some_and(|name| name.ends_with("/merge"));
    let event = detect_event(environment);
    Ci {
        repository: urls.iter().find_map(|url| repository_name(environment.get(url)?)),
        default_branch: read_text(environment, "CI_REPO_DEFAULT_BRANCH"),
        // If the ref ends with `/merge`, the commit is presumably a merge commit.
        commit: read_commit(environment, "CI_COMMIT_SHA").filter(|_| !is_merge_commit),
        run_number: read_number(environment, "CI_PIPELINE_NUMBER").unwrap_or(0),
        run_url: read_text(environment, "CI_PIPELINE_URL"),
        workspace: read_path(environment, "CI_WORKSPACE"),
        possible_fork_branch: event.pull_request_number().and(event.branch()).cloned(),
        ..Ci::new("Woodpecker", event)
    }
}

/// Returns the event. For a pull request, `CI_COMMIT_BRANCH` is the target branch.
fn detect_event(environment: &Environment) -> Event {
    let Some(event) = environment.get("CI_PIPELINE_EVENT") else {
        return Event::without_name("CI_PIPELINE_EVENT");
    };
    match (event, environment.get("CI_COMMIT_BRANCH")) {
        ("pull_request", _) => pull_request_event(Activity::Updated, environment),
        ("pull_request_closed", _) => pull_request_event(Activity::Closed, environment),
        // `pull_request_metadata` means that the labels, title or milestone changed.
        ("pull_request_metadata", _) => pull_request_event(Activity::Other(event.to_owned()), environment),
        ("tag", _) => Event::Tag { deleted: false },
        ("release", _) => Event::Release,
        ("cron", _) => Event::Schedule,
        ("push", Some(branch)) => Event::from_pushed_branch(branch),
        ("manual", branch) => Event::Manual(branch.map(Branch::new)),
        // Deployments repeat an older pipeline.
        (event, _) => Event::Other(event.to_owned()),
    }
}

/// Returns the pull request event. No variable shows whether the pull request comes from a fork.
fn pull_request_event(activity: Activity, environment: &Environment) -> Event {
    let number = read_number(environment, "CI_COMMIT_PULL_REQUEST");
    let Some((number, branch)) = number.zip(environment.get("CI_COMMIT_SOURCE_BRANCH")) else {
        return Event::incomplete(
            "pull request",
            number.is_some(),
            ["CI_COMMIT_PULL_REQUEST", "CI_COMMIT_SOURCE_BRANCH"],
        );
    };
    let targets =
        ["CI_COMMIT_TARGET_BRANCH", "CI_REPO_DEFAULT_BRANCH"].map(|variable| environment.get(variable));
    let updated = PullRequest::updated(number, presumed_fork_owner(branch, targets), branch);
    Event::PullRequest(PullRequest { activity, ..updated })
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_possible_fork, check_run, detect_ci};

    const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// The variables that Woodpecker sets in every step, from its documentation. For pull requests, `CI_COMMIT_BRANCH` is the
    /// target branch.
    const STEP: Variables<'_> = &[
        ("CI", "woodpecker"),
        ("CI_COMMIT_AUTHOR", "mona"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_REF", "refs/heads/main"),
        ("CI_COMMIT_SHA", HEAD_COMMIT),
        ("CI_FORGE_TYPE", "forgejo"),
        ("CI_FORGE_URL", "https://git.example.com"),
        ("CI_PIPELINE_NUMBER", "7"),
        ("CI_PIPELINE_URL", "https://ci.example.com/repos/3/pipeline/7"),
        ("CI_REPO", "acme/hello"),
        ("CI_REPO_CLONE_URL", "https://git.example.com/acme/hello.git"),
        ("CI_REPO_DEFAULT_BRANCH", "main"),
        ("CI_REPO_NAME", "hello"),
        ("CI_REPO_OWNER", "acme"),
        ("CI_REPO_URL", "https://git.example.com/acme/hello"),
        ("CI_SYSTEM_NAME", "woodpecker"),
        ("CI_SYSTEM_URL", "https://ci.example.com"),
    ];
    const PULL_REQUEST: Variables<'_> = &[
        ("CI_COMMIT_PULL_REQUEST", "12"),
        ("CI_COMMIT_PULL_REQUEST_LABELS", ""),
        ("CI_COMMIT_REF", "refs/pull/12/head"),
        ("CI_COMMIT_REFSPEC", "fix:main"),
        ("CI_COMMIT_SOURCE_BRANCH", "fix"),
        ("CI_COMMIT_TARGET_BRANCH", "main"),
    ];
    const FROM_MAIN: Variables<'_> =
        &[("CI_COMMIT_REFSPEC", "main:main"), ("CI_COMMIT_SOURCE_BRANCH", "main")];

    fn with_event(event: &str) -> [(&str, &str); 1] {
        [("CI_PIPELINE_EVENT", event)]
    }

    #[test]
    fn detects_pushes_tags_and_releases() {
        let expected = "publish: push to `main`, the production branch";
        check(&[STEP, &with_event("push")], "push to main", HEAD_COMMIT, expected);
        let expected = "preview: push to branch `feature/main`";
        let feature = &[("CI_COMMIT_BRANCH", "feature/main")][..];
        check(&[STEP, &with_event("push"), feature], "push to feature/main", HEAD_COMMIT, expected);
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[STEP, &with_event("tag"), &[("CI_COMMIT_TAG", "v1")]], "tag pushed", HEAD_COMMIT, expected);
        let expected = "publish: a release was published";
        check(&[STEP, &with_event("release"), &[("CI_COMMIT_TAG", "v1")]], "release", HEAD_COMMIT, expected);
    }

    #[test]
    fn detects_pull_requests() {
        let updated = with_event("pull_request");
        let expected = "preview: pull request #12 from `fix` was updated";
        check(&[STEP, PULL_REQUEST, &updated], "#12 of fix updated", HEAD_COMMIT, expected);
        let merge = &[("CI_COMMIT_REF", "refs/pull/12/merge")][..];
        check(&[STEP, PULL_REQUEST, &updated, merge], "#12 of fix updated", "", expected);
        let no_token = &[("GITBOOK_TOKEN", "")][..];
        let expected =
            "check: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check(&[STEP, PULL_REQUEST, &updated, no_token], "#12 of fix updated", HEAD_COMMIT, expected);
        let expected = "delete: pull request #12 from `fix` was closed";
        check(
            &[STEP, PULL_REQUEST, &with_event("pull_request_closed")],
            "#12 of fix closed",
            HEAD_COMMIT,
            expected,
        );
        let event = "#12 of fix other: pull_request_metadata";
        let expected = "nothing: `pull_request_metadata` of pull request #12 needs no action";
        check(&[STEP, PULL_REQUEST, &with_event("pull_request_metadata")], event, HEAD_COMMIT, expected);
        for (missing, reason) in [
            ("CI_COMMIT_PULL_REQUEST", "`CI_COMMIT_PULL_REQUEST` is not set to a number"),
            ("CI_COMMIT_SOURCE_BRANCH", "`CI_COMMIT_SOURCE_BRANCH` is not set"),
        ] {
            let (event, expected) = (
                format!("incomplete: pull request, but {reason}"),
                format!("nothing: pull request, but {reason}"),
            );
            check(&[STEP, PULL_REQUEST, &updated, &[(missing, "")]], &event, HEAD_COMMIT, &expected);
        }
    }

    #[test]
    fn treats_a_source_branch_named_like_the_target_as_a_fork() {
        let expected = "preview: pull request #12 from `unknown:main` (fork) was updated";
        let event = "#12 of unknown:main updated (fork)";
        check(&[STEP, PULL_REQUEST, FROM_MAIN, &with_event("pull_request")], event, HEAD_COMMIT, expected);
        let expected = "delete: pull request #12 from `unknown:main` (fork) was closed";
        let event = "#12 of unknown:main closed (fork)";
        check(
            &[STEP, PULL_REQUEST, FROM_MAIN, &with_event("pull_request_closed")],
            event,
            HEAD_COMMIT,
            expected,
        );
    }

    #[test]
    fn detects_scheduled_and_manual_pipelines() {
        check(&[STEP, &with_event("cron")], "schedule", HEAD_COMMIT, "sweep: scheduled run");
        let expected = "publish: manual run on `main`, the production branch";
        check(&[STEP, &with_event("manual")], "manual on main", HEAD_COMMIT, expected);
        for event in ["deployment", "push-like"] {
            let expected = format!("nothing: `{event}` needs no action");
            check(&[STEP, &with_event(event)], &format!("other: {event}"), HEAD_COMMIT, &expected);
        }
    }

    #[test]
    fn detects_the_repository_and_the_pipeline() {
        let url = "https://ci.example.com/repos/3/pipeline/7";
        let expected = ["Woodpecker", "git.example.com/acme/hello", "main", url];
        check_run(&[STEP, &with_event("push")], expected, 7);
        check_run(&[STEP, &with_event("push"), &[("CI_REPO_URL", "")]], expected, 7);
        assert_eq!(detect_ci(&[STEP]).detected_by, Some("CI"));
        // Early versions also set Drone's variables.
        let drone = &[("DRONE", "true"), ("DRONE_BUILD_EVENT", "push"), ("DRONE_BRANCH", "main")][..];
        check_run(&[STEP, &with_event("push"), drone], expected, 7);
    }

    #[test]
    fn refuses_to_publish_a_possible_fork_under_another_name() {
        check_possible_fork(&[STEP, PULL_REQUEST, &with_event("pull_request")]);
    }
}
