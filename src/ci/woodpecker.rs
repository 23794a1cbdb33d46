//! Woodpecker, over repositories of many forges.

use super::{
    Activity, Ci, Event, PullRequest, commit, folder, number, pushed, repository, text, untold_owner,
};
use crate::environment::Environment;
use crate::preview::Branch;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let urls = ["CI_REPO_URL", "CI_REPO_CLONE_URL"];
    let is_merge = environment.get("CI_COMMIT_REF").is_some_and(|name| name.ends_with("/merge"));
    let event = event(environment);
    Ci {
        repository: urls.iter().find_map(|url| repository::at(environment.get(url)?)),
        default_branch: text(environment, "CI_REPO_DEFAULT_BRANCH"),
        // Assumed: what is checked out from a merge ref is called by the merge commit.
        commit: commit(environment, "CI_COMMIT_SHA").filter(|_| !is_merge),
        run: number(environment, "CI_PIPELINE_NUMBER").unwrap_or(0),
        run_url: text(environment, "CI_PIPELINE_URL"),
        workspace: folder(environment, "CI_WORKSPACE"),
        possible_fork: event.pull_request().and(event.branch()).cloned(),
        ..Ci::of("Woodpecker", event)
    }
}

/// On a pull request `CI_COMMIT_BRANCH` is the branch that it is to be merged into.
fn event(environment: &Environment) -> Event {
    let event = environment.get("CI_PIPELINE_EVENT").unwrap_or("a pipeline without an event");
    match (event, environment.get("CI_COMMIT_BRANCH")) {
        ("pull_request", _) => of_pull_request(Activity::Updated, environment),
        ("pull_request_closed", _) => of_pull_request(Activity::Closed, environment),
        // Labels, a title, a milestone.
        ("pull_request_metadata", _) => of_pull_request(Activity::Other(event.to_owned()), environment),
        ("tag", _) => Event::Tag { deleted: false },
        ("release", _) => Event::Release,
        ("cron", _) => Event::Schedule,
        ("push", Some(branch)) => pushed(branch),
        ("manual", branch) => Event::Manual(branch.map(Branch::new)),
        // A deployment runs an older pipeline once more.
        (event, _) => Event::Other(event.to_owned()),
    }
}

/// Nothing tells whose fork a pull request comes from, or that it comes from one.
fn of_pull_request(activity: Activity, environment: &Environment) -> Event {
    let number = number(environment, "CI_COMMIT_PULL_REQUEST");
    let Some((number, branch)) = number.zip(environment.get("CI_COMMIT_SOURCE_BRANCH")) else {
        return Event::Other("a pull request without number or branch".to_owned());
    };
    let others =
        ["CI_COMMIT_TARGET_BRANCH", "CI_REPO_DEFAULT_BRANCH"].map(|variable| environment.get(variable));
    let updated = PullRequest::updated(number, untold_owner(branch, others), branch);
    Event::PullRequest(PullRequest { activity, ..updated })
}

#[cfg(test)]
mod tests {
    use crate::ci::told::{Variables, check, check_possible_fork, check_run, ci};

    const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// What every step has, written from the documentation's list of variables; `CI_COMMIT_BRANCH` is the target.
    const STEP: Variables<'_> = &[
        ("CI", "woodpecker"),
        ("CI_COMMIT_AUTHOR", "mona"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_REF", "refs/heads/main"),
        ("CI_COMMIT_SHA", HEAD),
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
    const REQUEST: Variables<'_> = &[
        ("CI_COMMIT_PULL_REQUEST", "12"),
        ("CI_COMMIT_PULL_REQUEST_LABELS", ""),
        ("CI_COMMIT_REF", "refs/pull/12/head"),
        ("CI_COMMIT_REFSPEC", "fix:main"),
        ("CI_COMMIT_SOURCE_BRANCH", "fix"),
        ("CI_COMMIT_TARGET_BRANCH", "main"),
    ];
    const FROM_MAIN: Variables<'_> =
        &[("CI_COMMIT_REFSPEC", "main:main"), ("CI_COMMIT_SOURCE_BRANCH", "main")];

    fn on(event: &str) -> [(&str, &str); 1] {
        [("CI_PIPELINE_EVENT", event)]
    }

    #[test]
    fn pushes_tags_and_releases() {
        let expected = "publish: push to the production branch `main`";
        check(&[STEP, &on("push")], "push to main", HEAD, expected);
        let expected = "preview: push to branch `feature/main`";
        let feature = &[("CI_COMMIT_BRANCH", "feature/main")][..];
        check(&[STEP, &on("push"), feature], "push to feature/main", HEAD, expected);
        let expected = "nothing: a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag";
        check(&[STEP, &on("tag"), &[("CI_COMMIT_TAG", "v1")]], "tag pushed", HEAD, expected);
        let expected = "publish: a release was published";
        check(&[STEP, &on("release"), &[("CI_COMMIT_TAG", "v1")]], "release", HEAD, expected);
    }

    #[test]
    fn pull_requests() {
        let updated = on("pull_request");
        let expected = "preview: pull request #12 from `fix` was updated";
        check(&[STEP, REQUEST, &updated], "#12 of fix updated", HEAD, expected);
        let merge = &[("CI_COMMIT_REF", "refs/pull/12/merge")][..];
        check(&[STEP, REQUEST, &updated, merge], "#12 of fix updated", "", expected);
        let no_token = &[("GITBOOK_TOKEN", "")][..];
        let expected = "check: pull request #12 was updated, but there is no token: checked, not published";
        check(&[STEP, REQUEST, &updated, no_token], "#12 of fix updated", HEAD, expected);
        let expected = "delete: pull request #12 from `fix` was closed";
        check(&[STEP, REQUEST, &on("pull_request_closed")], "#12 of fix closed", HEAD, expected);
        let event = "#12 of fix other: pull_request_metadata";
        let expected = "nothing: nothing is to be done on `pull_request_metadata` of pull request #12";
        check(&[STEP, REQUEST, &on("pull_request_metadata")], event, HEAD, expected);
        let expected = "nothing: nothing is to be done on `a pull request without number or branch`";
        for missing in ["CI_COMMIT_PULL_REQUEST", "CI_COMMIT_SOURCE_BRANCH"] {
            let event = "other: a pull request without number or branch";
            check(&[STEP, REQUEST, &updated, &[(missing, "")]], event, HEAD, expected);
        }
    }

    #[test]
    fn a_pull_request_from_a_forks_main() {
        let expected = "preview: pull request #12 of a fork from `unknown:main` was updated";
        let event = "#12 of unknown:main updated (fork)";
        check(&[STEP, REQUEST, FROM_MAIN, &on("pull_request")], event, HEAD, expected);
        let expected = "delete: pull request #12 of a fork from `unknown:main` was closed";
        let event = "#12 of unknown:main closed (fork)";
        check(&[STEP, REQUEST, FROM_MAIN, &on("pull_request_closed")], event, HEAD, expected);
    }

    #[test]
    fn pipelines_that_no_commit_started() {
        check(&[STEP, &on("cron")], "schedule", HEAD, "sweep: scheduled run");
        let expected = "publish: manual run on the production branch `main`";
        check(&[STEP, &on("manual")], "manual on main", HEAD, expected);
        for event in ["deployment", "push-like"] {
            let expected = format!("nothing: nothing is to be done on `{event}`");
            check(&[STEP, &on(event)], &format!("other: {event}"), HEAD, &expected);
        }
    }

    #[test]
    fn the_repository_and_the_pipeline() {
        let url = "https://ci.example.com/repos/3/pipeline/7";
        let expected = ["Woodpecker", "git.example.com/acme/hello", "main", url];
        check_run(&[STEP, &on("push")], expected, 7);
        check_run(&[STEP, &on("push"), &[("CI_REPO_URL", "")]], expected, 7);
        assert_eq!(ci(&[STEP]).detected_by, Some("CI"));
        // Early ones set Drone's variables, too.
        let drone = &[("DRONE", "true"), ("DRONE_BUILD_EVENT", "push"), ("DRONE_BRANCH", "main")][..];
        check_run(&[STEP, &on("push"), drone], expected, 7);
    }

    #[test]
    fn publishes_a_possible_fork_under_no_other_name() {
        check_possible_fork(&[STEP, REQUEST, &on("pull_request")]);
    }
}
