//! What comes of GitHub's events: every example that there is, and what is derived from them.

use crate::ci::payloads::{self, GITHUB_SHA, HEAD, PUSHED, Run, examples};
use crate::ci::test_support::described;

#[track_caller]
fn check(run: &Run, expected: &str) {
    assert_eq!(described(&run.ci().unwrap().event), expected, "{run:?}");
}

/// Event, index of the example, its `action` or `ref`, and what comes of it.
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
fn every_example_of_the_events_that_matter() {
    for (name, index, what, expected) in TABLE {
        let payload = &examples(name)[index];
        let about = payload["action"].as_str().or(payload["ref"].as_str());
        assert_eq!(about, Some(what), "{name} {index}: the package has changed");
        check(&Run::example(name, index), expected);
    }
    for name in ["push", "pull_request", "delete", "create", "release", "workflow_dispatch", "merge_group"] {
        let rows = TABLE.iter().filter(|row| row.0 == name).count();
        assert_eq!(rows, examples(name).len(), "{name} has examples without a row");
    }
}

#[test]
fn every_other_example_is_another_event() {
    let mut seen = 0;
    for name in payloads::names().filter(|name| TABLE.iter().all(|row| row.0 != *name)) {
        for payload in examples(name) {
            let action = payload["action"].as_str().map(|action| format!(": {action}")).unwrap_or_default();
            check(&Run::on(name, payload), &format!("other: {name}{action}"));
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn what_is_pushed() {
    check(&payloads::push_to("feature/x"), "push to feature/x");
    check(&payloads::push_to("refs/heads/x"), "push to refs/heads/x");
    check(&payloads::push_to("gh-readonly-queue/main/pr-104-929f8209"), "merge queue");
    check(&payloads::push_deleting("feature/x"), "feature/x deleted");
    check(&payloads::push_to("x").edit("/ref", "refs/notes/commits"), "other: push to refs/notes/commits");
}

#[test]
fn a_push_to_no_commit_is_a_deletion_even_where_the_system_does_not_say_so() {
    check(&payloads::push_deleting("x").edit("/deleted", false), "x deleted");
}

#[test]
fn what_is_deleted() {
    check(&payloads::delete_of("feature/x"), "feature/x deleted");
    check(&payloads::delete_of("refs/heads/feature/x"), "feature/x deleted");
    check(&payloads::delete_of("master").edit("/ref_type", "tag"), "tag deleted");
}

#[test]
fn a_pull_request_is_about_its_head() {
    for action in ["opened", "reopened", "synchronize", "ready_for_review"] {
        check(&payloads::pull_request(action, 12, "a/b"), "#12 of a/b updated");
        check(&payloads::of_fork(action, 12, "main"), "#12 of mona:main updated (fork)");
    }
    // Gitea's word.
    check(&payloads::pull_request("synchronized", 12, "a/b"), "#12 of a/b updated");
    check(&payloads::pull_request("closed", 12, "a/b"), "#12 of a/b closed");
    check(&payloads::merged(12, "a/b"), "#12 of a/b closed");
    check(&payloads::of_fork("closed", 12, "main"), "#12 of mona:main closed (fork)");
    check(&payloads::of_fork("labeled", 12, "main"), "#12 of mona:main other: labeled (fork)");
    check(&payloads::pull_request("enqueued", 12, "a/b"), "#12 of a/b other: enqueued");
}

#[test]
fn a_fork_that_is_gone_is_still_a_fork() {
    let lost = payloads::of_lost_fork("closed", 12, "main");
    check(&lost, "#12 of mona:main closed (fork)");
    let ghost = lost.edit("/pull_request/head/user", serde_json::Value::Null);
    check(&ghost, "#12 of mona:main closed (fork)");
    let nobody = ghost.edit("/pull_request/head/label", serde_json::Value::Null);
    check(&nobody, "#12 of unknown:main closed (fork)");
}

#[test]
fn dependabot_is_told_by_the_pull_request_or_by_who_caused_the_run() {
    let branch = "dependabot/npm_and_yarn/left-pad-2.0.0";
    let run = payloads::of_dependabot("opened");
    check(&run, &format!("#3 of {branch} updated (Dependabot)"));
    check(&run.clone().with("GITHUB_ACTOR", "octocat"), &format!("#3 of {branch} updated (Dependabot)"));
    check(&run.edit("/pull_request/user/login", "octocat"), &format!("#3 of {branch} updated (Dependabot)"));
}

#[test]
fn the_base_s_rights_are_noticed() {
    let as_base = payloads::as_base;
    check(&as_base(payloads::pull_request("opened", 12, "x")), "#12 of x updated as base");
    check(&as_base(payloads::of_fork("opened", 12, "x")), "#12 of mona:x updated (fork) as base");
    check(&as_base(payloads::of_lost_fork("closed", 12, "x")), "#12 of mona:x closed (fork) as base");
}

#[test]
fn runs_without_a_commit_of_their_own() {
    check(&payloads::schedule(), "schedule");
    check(&payloads::manual("refs/heads/feature/x"), "manual on feature/x");
    check(&payloads::manual("refs/tags/v1"), "manual on no branch");
    check(&Run::example("merge_group", 0).edit("/action", "destroyed"), "other: merge_group: destroyed");
}

#[test]
fn the_commit_is_the_head_s() {
    let check = |run: &Run, expected: Option<&str>| {
        assert_eq!(run.ci().unwrap().commit.as_deref(), expected, "{run:?}");
    };
    for action in ["opened", "synchronize", "closed", "labeled"] {
        check(&payloads::pull_request(action, 12, "x"), Some(HEAD));
        check(&payloads::of_lost_fork(action, 12, "x"), Some(HEAD));
        check(&payloads::as_base(payloads::of_fork(action, 12, "x")), Some(HEAD));
    }
    check(&payloads::merged(12, "x"), Some(HEAD));
    check(&payloads::push_to("x"), Some(PUSHED));
    // An annotated tag is an object of its own, and `after` is that.
    check(&Run::example("push", 0).edit("/after", "a".repeat(40)), Some(PUSHED));
    check(&payloads::push_deleting("x"), None);
    check(&payloads::push_deleting("x").edit("/deleted", false), None);
    check(&payloads::delete_of("x"), None);
    check(&Run::example("push", 1), None);
    check(&payloads::manual("refs/heads/x"), Some(GITHUB_SHA));
    check(&payloads::schedule(), Some(GITHUB_SHA));
    check(&Run::example("release", 0), Some(GITHUB_SHA));
}

#[test]
fn of_a_branch_that_is_named_by_hand_no_commit_is_known() {
    let check = |run: &Run, expected: Option<&str>| {
        assert_eq!(run.ci().unwrap().commit.as_deref(), expected, "{run:?}");
    };
    let named = |run: Run, branch| run.with("GITBOOK_BRANCH", branch);
    check(&named(payloads::push_to("x"), "y"), None);
    check(&named(payloads::push_to("x"), "x"), Some(PUSHED));
    check(&named(payloads::push_to("x"), "y").with("GITBOOK_COMMIT", "c"), Some("c"));
    check(&named(payloads::manual("refs/heads/x"), "y"), None);
    check(&named(payloads::pull_request("opened", 12, "x"), "x"), Some(HEAD));
    check(&named(payloads::of_fork("opened", 12, "x"), "x"), Some(HEAD));
    // These are described of the default branch.
    for event in [("issue_comment", 0), ("star", 0)] {
        let push = Run::example(event.0, event.1).with("GITBOOK_EVENT", "push");
        check(&named(push.clone(), "x"), None);
        check(&named(push, "master"), Some(GITHUB_SHA));
    }
    check(&named(Run::example("release", 0), "x"), Some(GITHUB_SHA));
}

#[test]
fn the_repository_and_the_run() {
    let check = |run: &Run, expected: [&str; 3]| {
        let ci = run.ci().unwrap();
        let found = [ci.repository, ci.run_url, ci.default_branch].map(Option::unwrap_or_default);
        assert_eq!((found, ci.run), (expected.map(str::to_owned), 1000));
    };
    let run = payloads::push_to("x");
    let url = "https://github.com/Codertocat/Hello-World/actions/runs/1000";
    check(&run, ["github.com/Codertocat/Hello-World", url, "master"]);
    check(&run.clone().with("GITHUB_SERVER_URL", ""), ["github.com/Codertocat/Hello-World", url, "master"]);
    check(&run.clone().with("GITHUB_REPOSITORY", ""), ["github.com/Codertocat/Hello-World", url, "master"]);
    let enterprise =
        run.with("GITHUB_SERVER_URL", "https://git.example.com/").with("GITHUB_REPOSITORY", "a/b");
    let url = "https://git.example.com/a/b/actions/runs/1000";
    check(&enterprise, ["git.example.com/a/b", url, "master"]);
    let attempt = |run: Run| run.ci().unwrap().attempt;
    assert_eq!(attempt(payloads::push_to("x").with("GITHUB_RUN_ATTEMPT", "2")), 2);
    assert_eq!(attempt(payloads::push_to("x")), 0);
}
