//! Tests the detection of GitHub's events with all examples of `@octokit/webhooks-examples` and variations of them.

use crate::ci::test_payloads::{self, GITHUB_SHA, HEAD, PUSHED, WorkflowRun, examples};
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
fn other_examples_are_other_events() {
    let mut count = 0;
    for name in test_payloads::event_names().filter(|name| TABLE.iter().all(|row| row.0 != *name)) {
        for payload in examples(name) {
            let action = payload["action"].as_str().map(|action| format!(": {action}")).unwrap_or_default();
            check(&WorkflowRun::on(name, payload), &format!("other: {name}{action}"));
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
    check(&test_payloads::push_deleting("feature/x"), "feature/x deleted");
    check(
        &test_payloads::push_to("x").edit("/ref", "refs/notes/commits"),
        "other: push to refs/notes/commits",
    );
}

#[test]
fn a_push_of_the_zero_commit_is_a_deletion() {
    check(&test_payloads::push_deleting("x").edit("/deleted", false), "x deleted");
}

#[test]
fn detects_deletions() {
    check(&test_payloads::delete_of("feature/x"), "feature/x deleted");
    check(&test_payloads::delete_of("refs/heads/feature/x"), "feature/x deleted");
    check(&test_payloads::delete_of("master").edit("/ref_type", "tag"), "tag deleted");
}

#[test]
fn detects_pull_requests_by_their_head() {
    for action in ["opened", "reopened", "synchronize", "ready_for_review"] {
        check(&test_payloads::pull_request(action, 12, "a/b"), "#12 of a/b updated");
        check(&test_payloads::of_fork(action, 12, "main"), "#12 of mona:main updated (fork)");
    }
    // Gitea's name for `synchronize`.
    check(&test_payloads::pull_request("synchronized", 12, "a/b"), "#12 of a/b updated");
    check(&test_payloads::pull_request("closed", 12, "a/b"), "#12 of a/b closed");
    check(&test_payloads::merged(12, "a/b"), "#12 of a/b closed");
    check(&test_payloads::of_fork("closed", 12, "main"), "#12 of mona:main closed (fork)");
    check(&test_payloads::of_fork("labeled", 12, "main"), "#12 of mona:main other: labeled (fork)");
    check(&test_payloads::pull_request("enqueued", 12, "a/b"), "#12 of a/b other: enqueued");
}

#[test]
fn a_deleted_fork_is_a_fork() {
    let deleted = test_payloads::of_deleted_fork("closed", 12, "main");
    check(&deleted, "#12 of mona:main closed (fork)");
    let without_user = deleted.edit("/pull_request/head/user", serde_json::Value::Null);
    check(&without_user, "#12 of mona:main closed (fork)");
    let without_label = without_user.edit("/pull_request/head/label", serde_json::Value::Null);
    check(&without_label, "#12 of unknown:main closed (fork)");
}

#[test]
fn detects_dependabot_by_the_author_or_the_actor() {
    let branch = "dependabot/npm_and_yarn/left-pad-2.0.0";
    let run = test_payloads::of_dependabot("opened");
    check(&run, &format!("#3 of {branch} updated (Dependabot)"));
    check(&run.clone().with("GITHUB_ACTOR", "octocat"), &format!("#3 of {branch} updated (Dependabot)"));
    check(&run.edit("/pull_request/user/login", "octocat"), &format!("#3 of {branch} updated (Dependabot)"));
}

#[test]
fn detects_runs_with_base_secrets() {
    let as_base = test_payloads::as_base;
    check(&as_base(test_payloads::pull_request("opened", 12, "x")), "#12 of x updated as base");
    check(&as_base(test_payloads::of_fork("opened", 12, "x")), "#12 of mona:x updated (fork) as base");
    check(&as_base(test_payloads::of_deleted_fork("closed", 12, "x")), "#12 of mona:x closed (fork) as base");
}

#[test]
fn detects_scheduled_and_manual_runs() {
    check(&test_payloads::schedule(), "schedule");
    check(&test_payloads::manual("refs/heads/feature/x"), "manual on feature/x");
    check(&test_payloads::manual("refs/tags/v1"), "manual on no branch");
    check(
        &WorkflowRun::example("merge_group", 0).edit("/action", "destroyed"),
        "other: merge_group: destroyed",
    );
}

#[test]
fn returns_the_head_commit() {
    let check = |run: &WorkflowRun, expected: Option<&str>| {
        assert_eq!(run.ci().unwrap().commit.as_deref(), expected, "{run:?}");
    };
    for action in ["opened", "synchronize", "closed", "labeled"] {
        check(&test_payloads::pull_request(action, 12, "x"), Some(HEAD));
        check(&test_payloads::of_deleted_fork(action, 12, "x"), Some(HEAD));
        check(&test_payloads::as_base(test_payloads::of_fork(action, 12, "x")), Some(HEAD));
    }
    check(&test_payloads::merged(12, "x"), Some(HEAD));
    check(&test_payloads::push_to("x"), Some(PUSHED));
    // For an annotated tag, `after` is the tag object.
    check(&WorkflowRun::example("push", 0).edit("/after", "a".repeat(40)), Some(PUSHED));
    check(&test_payloads::push_deleting("x"), None);
    check(&test_payloads::push_deleting("x").edit("/deleted", false), None);
    check(&test_payloads::delete_of("x"), None);
    check(&WorkflowRun::example("push", 1), None);
    check(&test_payloads::manual("refs/heads/x"), Some(GITHUB_SHA));
    check(&test_payloads::schedule(), Some(GITHUB_SHA));
    check(&WorkflowRun::example("release", 0), Some(GITHUB_SHA));
}

#[test]
fn the_commit_of_a_given_branch_is_unknown() {
    let check = |run: &WorkflowRun, expected: Option<&str>| {
        assert_eq!(run.ci().unwrap().commit.as_deref(), expected, "{run:?}");
    };
    let named = |run: WorkflowRun, branch| run.with("GITBOOK_BRANCH", branch);
    check(&named(test_payloads::push_to("x"), "y"), None);
    check(&named(test_payloads::push_to("x"), "x"), Some(PUSHED));
    check(&named(test_payloads::push_to("x"), "y").with("GITBOOK_COMMIT", "c"), Some("c"));
    check(&named(test_payloads::manual("refs/heads/x"), "y"), None);
    check(&named(test_payloads::pull_request("opened", 12, "x"), "x"), Some(HEAD));
    check(&named(test_payloads::of_fork("opened", 12, "x"), "x"), Some(HEAD));
    // The commit of these events is the head of the default branch.
    for event in [("issue_comment", 0), ("star", 0)] {
        let push = WorkflowRun::example(event.0, event.1).with("GITBOOK_EVENT", "push");
        check(&named(push.clone(), "x"), None);
        check(&named(push, "master"), Some(GITHUB_SHA));
    }
    check(&named(WorkflowRun::example("release", 0), "x"), Some(GITHUB_SHA));
}

#[test]
fn detects_the_repository_and_the_run() {
    let check = |run: &WorkflowRun, expected: [&str; 3]| {
        let ci = run.ci().unwrap();
        let found = [ci.repository, ci.run_url, ci.default_branch].map(Option::unwrap_or_default);
        assert_eq!((found, ci.run), (expected.map(str::to_owned), 1000));
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
