//! Detects the event on Buildkite.

use super::{
    Ci, Event, ParallelJob, PullRequest, UNKNOWN_OWNER, read_commit, read_number, read_path, read_text,
    repository_name,
};
use crate::environment::Environment;
use crate::repository::Branch;

/// Detects the event from Buildkite's variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    // If this variable is `true`, the commit is presumably a merge commit. Buildkite does not document the commit.
    let is_merge_commit = environment.get("BUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC") == Some("true");
    Ci {
        repository: environment.get("BUILDKITE_REPO").and_then(repository_name),
        default_branch: read_text(environment, "BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        // If a build was started without a commit, `BUILDKITE_COMMIT` is `HEAD`.
        commit: read_commit(environment, "BUILDKITE_COMMIT").filter(|_| !is_merge_commit),
        run_number: read_number(environment, "BUILDKITE_BUILD_NUMBER").unwrap_or(0),
        run_url: read_text(environment, "BUILDKITE_BUILD_URL"),
        parallel_job: ParallelJob::from_variables(
            environment,
            ["BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT"],
            0,
        ),
        workspace: read_path(environment, "BUILDKITE_BUILD_CHECKOUT_PATH"),
        ..Ci::new("Buildkite", detect_event(environment))
    }
}

/// Returns the event. Checks the branch last: for a pull request, `BUILDKITE_BRANCH` may be a fork's `main`; for a tag, it is
/// the tag's name.
fn detect_event(environment: &Environment) -> Event {
    let Some(source) = environment.get("BUILDKITE_SOURCE") else {
        return Event::without_name("BUILDKITE_SOURCE");
    };
    let branch = environment.get("BUILDKITE_BRANCH");
    let is_tag = environment.get("BUILDKITE_TAG").is_some();
    // If there is no pull request, `BUILDKITE_PULL_REQUEST` is `false`.
    let pull_request = environment.get("BUILDKITE_PULL_REQUEST").filter(|number| *number != "false");
    match (source, pull_request, branch) {
        ("schedule", ..) => Event::Schedule,
        (_, Some(number), Some(branch)) => pull_request_event(number, branch, environment),
        ("webhook", ..) if is_tag => Event::Tag { deleted: false },
        ("webhook", None, Some(branch)) => Event::from_pushed_branch(branch),
        ("ui" | "api" | "trigger_job", None, branch) if is_tag || branch.is_some() => {
            Event::Manual(branch.filter(|_| !is_tag).map(Branch::new))
        }
        (source, ..) => Event::Other(source.to_owned()),
    }
}

fn pull_request_event(number: &str, branch: &str, environment: &Environment) -> Event {
    let Ok(number) = number.parse() else {
        return Event::incomplete("pull request", false, ["BUILDKITE_PULL_REQUEST", "BUILDKITE_BRANCH"]);
    };
    let owner = fork_owner(environment);
    // A Buildkite setting adds the fork's owner to the branch name, as in `mona:main`.
    let unprefixed = owner.as_deref().and_then(|owner| branch.strip_prefix(owner)?.strip_prefix(':'));
    Event::PullRequest(PullRequest::updated(number, owner.as_deref(), unprefixed.unwrap_or(branch)))
}

/// Returns the owner of the fork, or `None` if the pull request comes from this repository.
fn fork_owner(environment: &Environment) -> Option<String> {
    let read_repository = |variable| environment.get(variable).and_then(repository_name);
    let source = read_repository("BUILDKITE_PULL_REQUEST_REPO");
    let is_source =
        |target: String| source.as_ref().is_some_and(|source| source.eq_ignore_ascii_case(&target));
    if read_repository("BUILDKITE_REPO").is_some_and(is_source) {
        return None;
    }
    let path = source.as_deref().and_then(|source| source.split_once('/')).map(|(_, path)| path);
    let owner = path.and_then(|path| path.rsplit_once('/')).map(|(owner, _)| owner);
    Some(owner.unwrap_or(UNKNOWN_OWNER).to_owned())
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, detect_ci};

    const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// The variables that Buildkite sets in every job, from its documentation.
    const JOB: Variables<'_> = &[
        ("BUILDKITE", "true"),
        ("BUILDKITE_BUILD_ID", "0d3b5dd6-cf0c-4c5b-9a5c-7c0c8d6f1c11"),
        ("BUILDKITE_BUILD_NUMBER", "7"),
        ("BUILDKITE_BUILD_URL", "https://buildkite.com/acme/hello/builds/7"),
        ("BUILDKITE_COMMIT", HEAD_COMMIT),
        ("BUILDKITE_ORGANIZATION_SLUG", "acme"),
        ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main"),
        ("BUILDKITE_PIPELINE_PROVIDER", "github"),
        ("BUILDKITE_PIPELINE_SLUG", "hello"),
        ("BUILDKITE_PULL_REQUEST", "false"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", ""),
        ("BUILDKITE_PULL_REQUEST_REPO", ""),
        ("BUILDKITE_REPO", "git@github.com:acme/hello.git"),
        ("BUILDKITE_RETRY_COUNT", "0"),
        ("BUILDKITE_SOURCE", "webhook"),
        ("BUILDKITE_TAG", ""),
        ("CI", "true"),
    ];
    const PULL_REQUEST: Variables<'_> = &[
        ("BUILDKITE_BRANCH", "fix"),
        ("BUILDKITE_PULL_REQUEST", "12"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
        ("BUILDKITE_PULL_REQUEST_DRAFT", "false"),
        ("BUILDKITE_PULL_REQUEST_REPO", "https://github.com/acme/hello.git"),
    ];
    const FROM_FORK: Variables<'_> =
        &[("BUILDKITE_BRANCH", "main"), ("BUILDKITE_PULL_REQUEST_REPO", "git://github.com/mona/hello.git")];

    fn on_branch(name: &'static str) -> [(&'static str, &'static str); 1] {
        [("BUILDKITE_BRANCH", name)]
    }

    fn started_by(source: &'static str) -> [(&'static str, &'static str); 1] {
        [("BUILDKITE_SOURCE", source)]
    }

    const ON_TAG: Variables<'_> = &[("BUILDKITE_BRANCH", "main"), ("BUILDKITE_TAG", "main")];

    #[test]
    fn detects_pushes_and_tags() {
        let expected = "publish: push to `main`, the production branch";
        check(&[JOB, &on_branch("main")], "push to main", HEAD_COMMIT, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &on_branch("feature/main")], "push to feature/main", HEAD_COMMIT, expected);
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[JOB, ON_TAG], "tag pushed", HEAD_COMMIT, expected);
        let expected = "check: merge queue candidates are checked, not published";
        check(&[JOB, &on_branch("gh-readonly-queue/main/pr-12-abc")], "merge queue", HEAD_COMMIT, expected);
    }

    #[test]
    fn detects_pull_requests() {
        let expected = "preview: pull request #12 from `fix` was updated";
        for source in ["webhook", "ui", "api", "trigger_job"] {
            check(&[JOB, PULL_REQUEST, &started_by(source)], "#12 of fix updated", HEAD_COMMIT, expected);
        }
        let merge = &[("BUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC", "true")][..];
        check(&[JOB, PULL_REQUEST, merge], "#12 of fix updated", "", expected);
        let expected =
            "check: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check(&[JOB, PULL_REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD_COMMIT, expected);
        let expected = "nothing: pull request, but `BUILDKITE_PULL_REQUEST` is not set to a number";
        let invalid = &[("BUILDKITE_PULL_REQUEST", "true")][..];
        check(
            &[JOB, PULL_REQUEST, invalid],
            "incomplete: pull request, but `BUILDKITE_PULL_REQUEST` is not set to a number",
            HEAD_COMMIT,
            expected,
        );
    }

    #[test]
    fn detects_pull_requests_from_forks() {
        let expected = "preview: pull request #12 from `mona:main` (fork) was updated";
        check(&[JOB, PULL_REQUEST, FROM_FORK], "#12 of mona:main updated (fork)", HEAD_COMMIT, expected);
        check(
            &[JOB, PULL_REQUEST, FROM_FORK, &on_branch("mona:main")],
            "#12 of mona:main updated (fork)",
            HEAD_COMMIT,
            expected,
        );
        let unknown = &[("BUILDKITE_PULL_REQUEST_REPO", "")][..];
        let expected = "preview: pull request #12 from `unknown:main` (fork) was updated";
        check(
            &[JOB, PULL_REQUEST, FROM_FORK, unknown],
            "#12 of unknown:main updated (fork)",
            HEAD_COMMIT,
            expected,
        );
    }

    #[test]
    fn detects_scheduled_and_manual_builds() {
        check(
            &[JOB, &started_by("schedule"), &on_branch("main")],
            "schedule",
            HEAD_COMMIT,
            "sweep: scheduled run",
        );
        // A build that was started without a commit has the commit `HEAD`.
        let head = &[("BUILDKITE_COMMIT", "HEAD")][..];
        for source in ["ui", "api", "trigger_job"] {
            let expected = "publish: manual run on `main`, the production branch";
            check(&[JOB, &started_by(source), &on_branch("main"), head], "manual on main", "", expected);
            let expected = "preview: manual run on branch `fix`";
            check(&[JOB, &started_by(source), &on_branch("fix")], "manual on fix", HEAD_COMMIT, expected);
            let expected =
                "nothing: manual run without a branch; set `GITBOOK_MODE=publish` to publish from tags";
            check(&[JOB, &started_by(source), ON_TAG], "manual on no branch", HEAD_COMMIT, expected);
        }
        let expected = "nothing: `webhook` needs no action";
        check(&[JOB], "other: webhook", HEAD_COMMIT, expected);
        let expected = "nothing: `ui` needs no action";
        check(&[JOB, &started_by("ui")], "other: ui", HEAD_COMMIT, expected);
        let expected = "nothing: `local` needs no action";
        check(&[JOB, &started_by("local"), &on_branch("main")], "other: local", HEAD_COMMIT, expected);
    }

    #[test]
    fn detects_the_repository_and_the_build() {
        let url = "https://buildkite.com/acme/hello/builds/7";
        check_run(&[JOB, &on_branch("main")], ["Buildkite", "github.com/acme/hello", "main", url], 7);
        assert_eq!(detect_ci(&[JOB]).detected_by, Some("BUILDKITE"));
    }

    #[test]
    fn detects_parallel_jobs() {
        let job =
            detect_ci(&[JOB, &[("BUILDKITE_PARALLEL_JOB", "1"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")]]);
        assert_eq!(job.parallel_job.map(|job| (job.index, job.total)), Some((2, 4)));
        assert_eq!(detect_ci(&[JOB]).parallel_job, None);
    }
}
