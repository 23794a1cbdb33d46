//! Tests the detection from GitLab's variables, with one table for each event. The values come from GitLab's documentation of
//! predefined variables.

use crate::ci::test_support::{Variables, check, check_run, describe_plan, detect_ci};

const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";
const MERGE_COMMIT: &str = "5555555555555555555555555555555555555555";

/// The variables that GitLab sets in every job.
const JOB: Variables<'_> = &[
    ("CI", "true"),
    ("CI_API_V4_URL", "https://gitlab.example.com/api/v4"),
    ("CI_COMMIT_BEFORE_SHA", "0000000000000000000000000000000000000000"),
    ("CI_COMMIT_SHA", HEAD_COMMIT),
    ("CI_COMMIT_SHORT_SHA", "1ecfd275"),
    ("CI_CONFIG_PATH", ".gitlab-ci.yml"),
    ("CI_DEFAULT_BRANCH", "main"),
    ("CI_JOB_ID", "50"),
    ("CI_JOB_NAME", "gitbook"),
    ("CI_JOB_STAGE", "deploy"),
    ("CI_JOB_URL", "https://gitlab.example.com/acme/docs/hello/-/jobs/50"),
    ("CI_NODE_TOTAL", "1"),
    ("CI_PIPELINE_ID", "1000"),
    ("CI_PIPELINE_IID", "7"),
    ("CI_PIPELINE_URL", "https://gitlab.example.com/acme/docs/hello/-/pipelines/1000"),
    ("CI_PROJECT_ID", "42"),
    ("CI_PROJECT_NAME", "hello"),
    ("CI_PROJECT_NAMESPACE", "acme/docs"),
    ("CI_PROJECT_PATH", "acme/docs/hello"),
    ("CI_PROJECT_URL", "https://gitlab.example.com/acme/docs/hello"),
    ("CI_REPOSITORY_URL", "https://gitlab-ci-token:s3cret@gitlab.example.com/acme/docs/hello.git"),
    ("CI_SERVER", "yes"),
    ("CI_SERVER_HOST", "gitlab.example.com"),
    ("CI_SERVER_NAME", "GitLab"),
    ("CI_SERVER_URL", "https://gitlab.example.com"),
    ("GITLAB_CI", "true"),
    ("GITLAB_USER_LOGIN", "mona"),
];

const PUSH: Variables<'_> = &[("CI_PIPELINE_SOURCE", "push")];
const ON_MAIN: Variables<'_> =
    &[("CI_COMMIT_BRANCH", "main"), ("CI_COMMIT_REF_NAME", "main"), ("CI_COMMIT_REF_SLUG", "main")];
const ON_FEATURE: Variables<'_> = &[
    ("CI_COMMIT_BRANCH", "feature/main"),
    ("CI_COMMIT_REF_NAME", "feature/main"),
    ("CI_COMMIT_REF_SLUG", "feature-main"),
];
const ON_TAG: Variables<'_> =
    &[("CI_COMMIT_TAG", "v1.0.0"), ("CI_COMMIT_REF_NAME", "v1.0.0"), ("CI_COMMIT_REF_SLUG", "v1-0-0")];

/// A merge request from the project itself. `CI_COMMIT_BRANCH` is unset.
const MERGE_REQUEST: Variables<'_> = &[
    ("CI_COMMIT_REF_NAME", "fix"),
    ("CI_COMMIT_REF_SLUG", "fix"),
    ("CI_MERGE_REQUEST_EVENT_TYPE", "detached"),
    ("CI_MERGE_REQUEST_ID", "900"),
    ("CI_MERGE_REQUEST_IID", "12"),
    ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
    ("CI_MERGE_REQUEST_PROJECT_PATH", "acme/docs/hello"),
    ("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/12/head"),
    ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "fix"),
    ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "42"),
    ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "acme/docs/hello"),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
    ("CI_OPEN_MERGE_REQUESTS", "acme/docs/hello!12"),
    ("CI_PIPELINE_SOURCE", "merge_request_event"),
];

/// Variables that differ for a merge request from a fork's `main`. The pipeline runs in the fork.
const FROM_FORK: Variables<'_> = &[
    ("CI_COMMIT_REF_NAME", "main"),
    ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "main"),
    ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "77"),
    ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "mona/hello"),
    ("CI_PROJECT_ID", "77"),
    ("CI_PROJECT_PATH", "mona/hello"),
    ("CI_PROJECT_URL", "https://gitlab.example.com/mona/hello"),
];

/// A merged results pipeline, which runs on a temporary merge commit.
const MERGED_RESULTS: Variables<'_> = &[
    ("CI_COMMIT_SHA", MERGE_COMMIT),
    ("CI_MERGE_REQUEST_EVENT_TYPE", "merged_result"),
    ("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/12/merge"),
    ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD_COMMIT),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "3333333333333333333333333333333333333333"),
];

const STOP_JOB: Variables<'_> = &[
    ("CI_ENVIRONMENT_ACTION", "stop"),
    ("CI_ENVIRONMENT_NAME", "gitbook/fix"),
    ("CI_ENVIRONMENT_SLUG", "gitbook-fix-1a2b3c"),
    ("GIT_STRATEGY", "none"),
];
const START_JOB: Variables<'_> =
    &[("CI_ENVIRONMENT_ACTION", "start"), ("CI_ENVIRONMENT_NAME", "gitbook/fix")];

#[test]
fn detects_pushes() {
    check(
        &[JOB, PUSH, ON_MAIN],
        "push to main",
        HEAD_COMMIT,
        "publish: push to `main`, the production branch",
    );
    let expected = "preview: push to branch `feature/main`";
    check(&[JOB, PUSH, ON_FEATURE], "push to feature/main", HEAD_COMMIT, expected);
    check(&[JOB, PUSH, ON_FEATURE, START_JOB], "push to feature/main", HEAD_COMMIT, expected);
    let web = &[("CI_PIPELINE_SOURCE", "webide")][..];
    check(&[JOB, web, ON_FEATURE], "push to feature/main", HEAD_COMMIT, expected);
    let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
    check(&[JOB, PUSH, ON_TAG], "tag pushed", HEAD_COMMIT, expected);
    // An unprotected branch has no access to a protected token.
    let expected = "refuse: push to branch `feature/main`";
    check(&[JOB, PUSH, ON_FEATURE, &[("GITBOOK_TOKEN", "")]], "push to feature/main", HEAD_COMMIT, expected);
}

#[test]
fn detects_merge_requests() {
    let expected = "preview: merge request !12 from `fix` was updated";
    check(&[JOB, MERGE_REQUEST], "#12 of fix updated", HEAD_COMMIT, expected);
    check(&[JOB, MERGE_REQUEST, START_JOB], "#12 of fix updated", HEAD_COMMIT, expected);
    check(&[JOB, MERGE_REQUEST, MERGED_RESULTS], "#12 of fix updated", HEAD_COMMIT, expected);
    let no_head = &[("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")][..];
    check(&[JOB, MERGE_REQUEST, MERGED_RESULTS, no_head], "#12 of fix updated", "", expected);
    let child = &[("CI_PIPELINE_SOURCE", "parent_pipeline")][..];
    check(&[JOB, MERGE_REQUEST, child], "#12 of fix updated", HEAD_COMMIT, expected);
    let expected = "check: merge request !12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
    check(&[JOB, MERGE_REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD_COMMIT, expected);
    let train = &[("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train")][..];
    let expected = "check: merge queue candidates are checked, not published";
    check(&[JOB, MERGE_REQUEST, MERGED_RESULTS, train], "merge queue", HEAD_COMMIT, expected);
}

#[test]
fn detects_merge_requests_from_forks() {
    let expected = "preview: merge request !12 from `mona:main` (fork) was updated";
    check(&[JOB, MERGE_REQUEST, FROM_FORK], "#12 of mona:main updated (fork)", HEAD_COMMIT, expected);
    let expected =
        "check: merge request !12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set";
    let no_token = &[("GITBOOK_TOKEN", "")][..];
    check(
        &[JOB, MERGE_REQUEST, FROM_FORK, no_token],
        "#12 of mona:main updated (fork)",
        HEAD_COMMIT,
        expected,
    );
    // If a project member runs the pipeline for a fork's merge request, it runs in the project itself.
    let in_target_project = &[("CI_PROJECT_ID", "42"), ("CI_PROJECT_PATH", "acme/docs/hello")][..];
    let expected = "preview: merge request !12 from `mona:main` (fork) was updated";
    check(
        &[JOB, MERGE_REQUEST, FROM_FORK, in_target_project],
        "#12 of mona:main updated (fork)",
        HEAD_COMMIT,
        expected,
    );
    let of_group = &[("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "mona/docs/hello")][..];
    let expected = "preview: merge request !12 from `mona/docs:main` (fork) was updated";
    check(
        &[JOB, MERGE_REQUEST, FROM_FORK, of_group],
        "#12 of mona/docs:main updated (fork)",
        HEAD_COMMIT,
        expected,
    );
    // The fork was deleted, or the variables do not name it.
    let deleted_fork =
        &[("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", ""), ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "")][..];
    let unknown_target = &[("CI_MERGE_REQUEST_PROJECT_ID", "")][..];
    let expected = "preview: merge request !12 from `unknown:main` (fork) was updated";
    for variable_sets in [
        &[JOB, MERGE_REQUEST, FROM_FORK, deleted_fork][..],
        &[JOB, MERGE_REQUEST, FROM_FORK, deleted_fork, unknown_target],
    ] {
        check(variable_sets, "#12 of unknown:main updated (fork)", HEAD_COMMIT, expected);
    }
}

#[test]
fn detects_stop_jobs() {
    let expected = "delete: the environment of branch `feature/main` was stopped";
    check(&[JOB, PUSH, ON_FEATURE, STOP_JOB], "feature/main deleted", HEAD_COMMIT, expected);
    for source in ["web", "schedule", "parent_pipeline"] {
        let source = &[("CI_PIPELINE_SOURCE", source)][..];
        check(&[JOB, source, ON_FEATURE, STOP_JOB], "feature/main deleted", HEAD_COMMIT, expected);
    }
    let expected = "delete: the environment of merge request !12 from `fix` was stopped";
    check(&[JOB, MERGE_REQUEST, STOP_JOB], "#12 of fix closed", HEAD_COMMIT, expected);
    check(&[JOB, MERGE_REQUEST, MERGED_RESULTS, STOP_JOB], "#12 of fix closed", HEAD_COMMIT, expected);
    let train = &[("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train")][..];
    check(&[JOB, MERGE_REQUEST, MERGED_RESULTS, train, STOP_JOB], "#12 of fix closed", HEAD_COMMIT, expected);
    let expected = "delete: the environment of merge request !12 from `mona:main` (fork) was stopped";
    check(
        &[JOB, MERGE_REQUEST, FROM_FORK, STOP_JOB],
        "#12 of mona:main closed (fork)",
        HEAD_COMMIT,
        expected,
    );
    check(&[JOB, PUSH, ON_TAG, STOP_JOB], "tag deleted", HEAD_COMMIT, "nothing: a tag was deleted");
}

#[test]
fn refuses_to_publish_from_a_stop_job() {
    for (mode, reason) in
        [("publish", "`GITBOOK_MODE=publish`"), ("preview", "`GITBOOK_MODE=preview`, branch `feature/main`")]
    {
        let found = describe_plan(&[JOB, PUSH, ON_FEATURE, STOP_JOB, &[("GITBOOK_MODE", mode)]]);
        assert_eq!(found, format!("refuse: {reason}"));
    }
}

#[test]
fn detects_scheduled_and_manual_pipelines() {
    let source = |name: &'static str| [("CI_PIPELINE_SOURCE", name)];
    check(&[JOB, &source("schedule"), ON_MAIN], "schedule", HEAD_COMMIT, "sweep: scheduled run");
    check(&[JOB, &source("schedule"), ON_TAG], "schedule", HEAD_COMMIT, "sweep: scheduled run");
    for name in ["web", "api", "trigger", "pipeline", "parent_pipeline"] {
        let expected = "publish: manual run on `main`, the production branch";
        check(&[JOB, &source(name), ON_MAIN], "manual on main", HEAD_COMMIT, expected);
        let expected = "preview: manual run on branch `feature/main`";
        check(&[JOB, &source(name), ON_FEATURE], "manual on feature/main", HEAD_COMMIT, expected);
        let expected =
            "nothing: manual run without a branch; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[JOB, &source(name), ON_TAG], "manual on no branch", HEAD_COMMIT, expected);
        let expected = format!("nothing: `{name}` needs no action");
        check(&[JOB, &source(name)], &format!("other: {name}"), HEAD_COMMIT, &expected);
    }
}

#[test]
fn ignores_unknown_sources() {
    let source = |name: &'static str| [("CI_PIPELINE_SOURCE", name)];
    for name in ["chat", "external_pull_request_event", "security_orchestration_policy"] {
        let expected = format!("nothing: `{name}` needs no action");
        check(&[JOB, &source(name), ON_MAIN], &format!("other: {name}"), HEAD_COMMIT, &expected);
    }
    let expected = "nothing: `push` needs no action";
    check(&[JOB, PUSH], "other: push", HEAD_COMMIT, expected);
    check(&[JOB, PUSH, STOP_JOB], "other: push", HEAD_COMMIT, expected);
    for (missing, reason) in [
        ("CI_MERGE_REQUEST_IID", "`CI_MERGE_REQUEST_IID` is not set to a number"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "`CI_MERGE_REQUEST_SOURCE_BRANCH_NAME` is not set"),
    ] {
        let (event, expected) = (
            format!("incomplete: merge request, but {reason}"),
            format!("nothing: merge request, but {reason}"),
        );
        check(&[JOB, MERGE_REQUEST, ON_MAIN, &[(missing, "")]], &event, HEAD_COMMIT, &expected);
    }
}

#[test]
fn generic_variables_take_precedence_over_gitlab_variables() {
    let closed = &[("GITBOOK_EVENT", "closed"), ("GITBOOK_BRANCH", "x")][..];
    check(&[JOB, PUSH, ON_MAIN, closed], "x deleted", "", "delete: branch `x` was deleted");
    let number = &[("GITBOOK_PULL_REQUEST", "12")][..];
    let expected = "delete: merge request !12 from `x` was closed";
    check(&[JOB, PUSH, ON_MAIN, closed, number], "#12 of x closed", "", expected);
}

#[test]
fn detects_the_project_and_the_pipeline() {
    let url = "https://gitlab.example.com/acme/docs/hello/-/jobs/50";
    check_run(&[JOB, PUSH, ON_MAIN], ["GitLab CI", "gitlab.example.com/acme/docs/hello", "main", url], 1000);
    assert_eq!(detect_ci(&[JOB, PUSH, ON_MAIN]).detected_by, Some("GITLAB_CI"));
    let no_host = &[("CI_SERVER_HOST", ""), ("CI_JOB_URL", "")][..];
    let url = "https://gitlab.example.com/acme/docs/hello/-/pipelines/1000";
    check_run(
        &[JOB, PUSH, ON_MAIN, no_host],
        ["GitLab CI", "gitlab.example.com/acme/docs/hello", "main", url],
        1000,
    );
}

#[test]
fn uses_the_target_project_of_a_merge_request() {
    let project = |variable_sets: &[Variables<'_>]| {
        let ci = detect_ci(variable_sets);
        (ci.repository.unwrap_or_default(), ci.repository_id)
    };
    let target = ("gitlab.example.com/acme/docs/hello".to_owned(), Some(42));
    assert_eq!(project(&[JOB, PUSH, ON_MAIN]), target);
    assert_eq!(project(&[JOB, MERGE_REQUEST]), target);
    assert_eq!(project(&[JOB, MERGE_REQUEST, FROM_FORK]), target);
    let fork = &[("CI_PROJECT_ID", "77"), ("CI_PROJECT_PATH", "mona/hello")][..];
    assert_eq!(project(&[JOB, PUSH, ON_MAIN, fork]), ("gitlab.example.com/mona/hello".to_owned(), Some(77)));
    let same = &[("GITBOOK_REPOSITORY", "gitlab.example.com/acme/docs/hello")][..];
    assert_eq!(project(&[JOB, PUSH, ON_MAIN, same]), target);
    let other = &[("GITBOOK_REPOSITORY", "gitlab.example.com/acme/other")][..];
    assert_eq!(project(&[JOB, PUSH, ON_MAIN, other]), ("gitlab.example.com/acme/other".to_owned(), None));
}

#[test]
fn detects_parallel_jobs() {
    let position = |name, index, total| {
        let job =
            detect_ci(&[JOB, &[("CI_JOB_NAME", name), ("CI_NODE_INDEX", index), ("CI_NODE_TOTAL", total)]])
                .parallel_job;
        job.map(|job| (job.index, job.total))
    };
    assert_eq!(position("gitbook 1/3", "1", "3"), Some((1, 3)));
    assert_eq!(position("gitbook 3/3", "3", "3"), Some((3, 3)));
    // The jobs of a matrix do different work.
    assert_eq!(position("gitbook: [one]", "1", "3"), None);
    for (name, index, total) in [("gitbook 0/3", "0", "3"), ("gitbook 4/3", "4", "3"), ("gitbook", "", "1")] {
        assert_eq!(position(name, index, total), None, "{name}");
    }
}
