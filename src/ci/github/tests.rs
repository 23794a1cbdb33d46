//! Tests the detection of GitHub's events with all examples of `@octokit/webhooks-examples` and variations of them.

use crate::ci::test_payloads::{self, GITHUB_SHA, HEAD_COMMIT, PUSHED_COMMIT, WorkflowRun, examples};
use crate::ci::test_support::describe_event;

#[track_caller]
fn check(run: &WorkflowRun, expected: &str) {
    assert_eq!(describe_event(&run.ci().unwrap().event), expected, "{run:?}");
}

/// The event, the index of the example, its `action` or `ref`, and the expected result.
#[rustfmt::skip]
const TABLE: [(&str, usize, &str, &str); 62] = [
    ("push", 0, "refs/tags/simple-tag", "tag pushed"),
    ("push", 1, "refs/tags/simple-tag", "tag deleted"),
    ("push", 2, "refs/tags/simple-tag", "tag deleted"),
    ("push", 3, "refs/tags/simple-tag", "tag deleted"),
    ("push", 4, "refs/heads/master", "push to master"),
    ("push", 5, "refs/heads/master", "push to master"),
    ("push", 6, "refs/tags/simple-tag", "tag deleted"),
    ("pull_request", 0, "opened", "#2 of changes updated"),
    ("pull_request", 1, "assigned", "#2 of changes other: assigned"),
    ("pull_request", 2, "assigned", "#2 of changes other: assigned"),
    ("pull_request", 3, "closed", "#2 of changes closed"),
    ("pull_request", 4, "closed", "#2 of changes closed"),
    ("pull_request", 5, "converted_to_draft", "#2 of changes other: converted_to_draft"),
    ("pull_request", 6, "converted_to_draft", "#2 of changes other: converted_to_draft"),
    ("pull_request", 7, "converted_to_draft", "#2 of changes other: converted_to_draft"),
    ("pull_request", 8, "labeled", "#2 of changes other: labeled"),
    ("pull_request", 9, "labeled", "#2 of changes other: labeled"),
    ("pull_request", 10, "locked", "#2 of changes other: locked"),
    ("pull_request", 11, "locked", "#2 of changes other: locked"),
    ("pull_request", 12, "opened", "#2 of changes updated"),
    ("pull_request", 13, "opened", "#2 of changes updated"),
    ("pull_request", 14, "opened", "#2 of changes updated"),
    ("pull_request", 15, "ready_for_review", "#2 of changes updated"),
    ("pull_request", 16, "ready_for_review", "#2 of changes updated"),
    ("pull_request", 17, "ready_for_review", "#2 of changes updated"),
    ("pull_request", 18, "reopened", "#2 of changes updated"),
    ("pull_request", 19, "reopened", "#2 of changes updated"),
    ("pull_request", 20, "review_request_removed", "#2 of changes other: review_request_removed"),
    ("pull_request", 21, "review_requested", "#2 of changes other: review_requested"),
    ("pull_request", 22, "synchronize", "#2 of changes updated"),
    ("pull_request", 23, "unassigned", "#2 of changes other: unassigned"),
    ("pull_request", 24, "unassigned", "#2 of changes other: unassigned"),
    ("pull_request", 25, "unlabeled", "#2 of changes other: unlabeled"),
    ("pull_request", 26, "unlabeled", "#2 of changes other: unlabeled"),
    ("pull_request", 27, "unlocked", "#2 of changes other: unlocked"),
    ("pull_request", 28, "unlocked", "#2 of changes other: unlocked"),
    ("delete", 0, "simple-tag", "tag deleted"),
    ("delete", 1, "simple-tag", "tag deleted"),
    ("delete", 2, "simple-tag", "tag deleted"),
    ("delete", 3, "simple-tag", "tag deleted"),
    ("create", 0, "simple-tag", "other: create"),
    ("create", 1, "simple-tag", "other: create"),
    ("create", 2, "simple-tag", "other: create"),
    ("create", 3, "simple-tag", "other: create"),
    ("create", 4, "simple-tag", "other: create"),
    ("release", 0, "published", "release"),
    ("release", 1, "created", "other: release: created"),
    ("release", 2, "created", "other: release: created"),
    ("release", 3, "created", "other: release: created"),
    ("release", 4, "deleted", "other: release: deleted"),
    ("release", 5, "deleted", "other: release: deleted"),
    ("release", 6, "edited", "other: release: edited"),
    ("release", 7, "edited", "other: release: edited"),
    ("release", 8, "prereleased", "other: release: prereleased"),
    ("release", 9, "prereleased", "other: release: prereleased"),
    ("release", 10, "published", "release"),
    ("release", 11, "published", "release"),
    ("release", 12, "released", "other: release: released"),
    ("workflow_dispatch", 0, "refs/heads/main", "manual on main"),
    ("workflow_dispatch", 1, "refs/heads/master", "manual on master"),
    ("merge_group", 0, "checks_requested", "merge queue"),
    ("merge_group", 1, "checks_requested", "merge queue"),
];

#[test]
fn detects_every_example_of_known_events() {
    for (name, index, subject, expected) in TABLE {
        let payload = &examples(name)[index];
        let found = payload["action"].as_str().or(payload["ref"].as_str());
        assert_eq!(found, Some(subject), "{name} {index}: the package has changed");
        check(&WorkflowRun::example(name, index), expected);
    }
    for name in ["push", "pull_request", "delete", "create", "release", "workflow_dispatch", "merge_group"] {
        let rows = TABLE.iter().filter(|row| row.0 == name).count();
        assert_eq!(rows, examples(name).len(), "{name} has examples without a row");
    }
}

#[test]
fn detects_examples_outside_the_table_as_other_events() {
    let mut count = 0;
    for name in test_payloads::event_names().filter(|name| TABLE.iter().all(|row| row.0 != *name)) {
        for payload in examples(name) {
            let action = payload["action"].as_str().map(|action| format!(": {action}")).unwrap_or_default();
            check(&WorkflowRun::for_event(name, payload), &format!("other: {name}{action}"));
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}

#[test]
fn detects_pushes() {
    check(&test_payloads::push_to("feature/x"), "push to feature/x");
    check(&test_payloads::push_to("refs/heads/x"), "push to refs/heads/x");
    check(&test_payloads::push_to("gh-readonly-queue/main/pr-104-929f8209"), "merge queue");
    check(&test_payloads::push_that_deletes("feature/x"), "feature/x deleted");
    check(
        &test_payloads::push_to("x").edit_payload("/ref", "refs/notes/commits"),
        "other: push to refs/notes/commits",
    );
}

#[test]
fn treats_a_push_of_the_zero_commit_as_a_deletion() {
    check(&test_payloads::push_that_deletes("x").edit_payload("/deleted", false), "x deleted");
}

#[test]
fn detects_deletions() {
    check(&test_payloads::delete_event("feature/x"), "feature/x deleted");
    check(&test_payloads::delete_event("refs/heads/feature/x"), "feature/x deleted");
    check(&test_payloads::delete_event("master").edit_payload("/ref_type", "tag"), "tag deleted");
}

#[test]
fn detects_pull_requests_by_their_head() {
    for action in ["opened", "reopened", "synchronize", "ready_for_review"] {
        check(&test_payloads::pull_request(action, 12, "a/b"), "#12 of a/b updated");
        check(&test_payloads::pull_request_from_fork(action, 12, "main"), "#12 of mona:main updated (fork)");
    }
    // Gitea calls the action `synchronized`, GitHub `synchronize`.
    check(&test_payloads::pull_request("synchronized", 12, "a/b"), "#12 of a/b updated");
    check(&test_payloads::pull_request("closed", 12, "a/b"), "#12 of a/b closed");
    check(&test_payloads::merged_pull_request(12, "a/b"), "#12 of a/b closed");
    check(&test_payloads::pull_request_from_fork("closed", 12, "main"), "#12 of mona:main closed (fork)");
    check(
        &test_payloads::pull_request_from_fork("labeled", 12, "main"),
        "#12 of mona:main other: labeled (fork)",
    );
    check(&test_payloads::pull_request("enqueued", 12, "a/b"), "#12 of a/b other: enqueued");
}

#[test]
fn detects_a_pull_request_from_a_deleted_fork() {
    let deleted = test_payloads::pull_request_from_deleted_fork("closed", 12, "main");
    check(&deleted, "#12 of mona:main closed (fork)");
    let without_user = deleted.edit_payload("/pull_request/head/user", serde_json::Value::Null);
    check(&without_user, "#12 of mona:main closed (fork)");
    let without_label = without_user.edit_payload("/pull_request/head/label", serde_json::Value::Null);
    check(&without_label, "#12 of unknown:main closed (fork)");
}

#[test]
fn detects_dependabot_by_the_author_or_the_actor() {
    let branch = "dependabot/npm_and_yarn/left-pad-2.0.0";
    let run = test_payloads::dependabot_pull_request("opened");
    check(&run, &format!("#3 of {branch} updated (Dependabot)"));
    check(&run.clone().with("GITHUB_ACTOR", "octocat"), &format!("#3 of {branch} updated (Dependabot)"));
    check(
        &run.edit_payload("/pull_request/user/login", "octocat"),
        &format!("#3 of {branch} updated (Dependabot)"),
    );
}

#[test]
fn detects_runs_with_base_secrets() {
    let as_pull_request_target = test_payloads::as_pull_request_target;
    check(
        &as_pull_request_target(test_payloads::pull_request("opened", 12, "x")),
        "#12 of x updated as base",
    );
    check(
        &as_pull_request_target(test_payloads::pull_request_from_fork("opened", 12, "x")),
        "#12 of mona:x updated (fork) as base",
    );
    check(
        &as_pull_request_target(test_payloads::pull_request_from_deleted_fork("closed", 12, "x")),
        "#12 of mona:x closed (fork) as base",
    );
}

#[test]
fn detects_scheduled_and_manual_runs() {
    check(&test_payloads::scheduled_run(), "schedule");
    check(&test_payloads::manual_run("refs/heads/feature/x"), "manual on feature/x");
    check(&test_payloads::manual_run("refs/tags/v1"), "manual on no branch");
    check(
        &WorkflowRun::example("merge_group", 0).edit_payload("/action", "destroyed"),
        "other: merge_group: destroyed",
    );
}

#[test]
fn returns_the_head_commit() {
    let check = |run: &WorkflowRun, expected: Option<&str>| {
        assert_eq!(run.ci().unwrap().commit.as_deref(), expected, "{run:?}");
    };
    for action in ["opened", "synchronize", "closed", "labeled"] {
        check(&test_payloads::pull_request(action, 12, "x"), Some(HEAD_COMMIT));
        check(&test_payloads::pull_request_from_deleted_fork(action, 12, "x"), Some(HEAD_COMMIT));
        check(
            &test_payloads::as_pull_request_target(test_payloads::pull_request_from_fork(action, 12, "x")),
            Some(HEAD_COMMIT),
        );
    }
    check(&test_payloads::merged_pull_request(12, "x"), Some(HEAD_COMMIT));
    check(&test_payloads::push_to("x"), Some(PUSHED_COMMIT));
    // For an annotated tag, `after` is the ID of the tag object, not of the commit.
    check(&WorkflowRun::example("push", 0).edit_payload("/after", "a".repeat(40)), Some(PUSHED_COMMIT));
    check(&test_payloads::push_that_deletes("x"), None);
    check(&test_payloads::push_that_deletes("x").edit_payload("/deleted", false), None);
    check(&test_payloads::delete_event("x"), None);
    check(&WorkflowRun::example("push", 1), None);
    check(&test_payloads::manual_run("refs/heads/x"), Some(GITHUB_SHA));
    check(&test_payloads::scheduled_run(), Some(GITHUB_SHA));
    check(&WorkflowRun::example("release", 0), Some(GITHUB_SHA));
}

#[test]
fn ignores_the_detected_commit_for_a_branch_from_the_variable() {
    let check = |run: &WorkflowRun, expected: Option<&str>| {
        assert_eq!(run.ci().unwrap().commit.as_deref(), expected, "{run:?}");
    };
    let with_branch = |run: WorkflowRun, branch| run.with("GITBOOK_BRANCH", branch);
    check(&with_branch(test_payloads::push_to("x"), "y"), None);
    check(&with_branch(test_payloads::push_to("x"), "x"), Some(PUSHED_COMMIT));
    check(&with_branch(test_payloads::push_to("x"), "y").with("GITBOOK_COMMIT", "c"), Some("c"));
    check(&with_branch(test_payloads::manual_run("refs/heads/x"), "y"), None);
    check(&with_branch(test_payloads::pull_request("opened", 12, "x"), "x"), Some(HEAD_COMMIT));
    check(&with_branch(test_payloads::pull_request_from_fork("opened", 12, "x"), "x"), Some(HEAD_COMMIT));
    // For the events `issue_comment` and `star`, the commit is the head of the default branch.
    for event in [("issue_comment", 0), ("star", 0)] {
        let push = WorkflowRun::example(event.0, event.1).with("GITBOOK_EVENT", "push");
        check(&with_branch(push.clone(), "x"), None);
        check(&with_branch(push, "master"), Some(GITHUB_SHA));
    }
    check(&with_branch(WorkflowRun::example("release", 0), "x"), Some(GITHUB_SHA));
}

#[test]
fn detects_the_repository_and_the_run() {
    let check = |run: &WorkflowRun, expected: [&str; 3]| {
        let ci = run.ci().unwrap();
        let found = [ci.repository, ci.run_url, ci.default_branch].map(Option::unwrap_or_default);
        assert_eq!((found, ci.run_number), (expected.map(str::to_owned), 1000));
    };
    let run = test_payloads::push_to("x");
    let url = "https://github.com/Codertocat/Hello-World/actions/runs/1000";
    check(&run, ["github.com/Codertocat/Hello-World", url, "master"]);
    check(&run.clone().with("GITHUB_SERVER_URL", ""), ["github.com/Codertocat/Hello-World", url, "master"]);
    check(&run.clone().with("GITHUB_REPOSITORY", ""), ["github.com/Codertocat/Hello-World", url, "master"]);
    let enterprise =
        run.with("GITHUB_SERVER_URL", "https://git.example.com/").with("GITHUB_REPOSITORY", "a/b");
    let url = "https://git.example.com/a/b/actions/runs/1000";
    check(&enterprise, ["git.example.com/a/b", url, "master"]);
    let attempt = |run: WorkflowRun| run.ci().unwrap().attempt;
    assert_eq!(attempt(test_payloads::push_to("x").with("GITHUB_RUN_ATTEMPT", "2")), 2);
    assert_eq!(attempt(test_payloads::push_to("x")), 0);
}
