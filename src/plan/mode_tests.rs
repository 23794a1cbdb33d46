//! Tests modes, templates with `{pr}`, and mistakes that other deployment tools make.

use super::tests::{TOKEN, decision};
use crate::ci::test_payloads::{
    self, WorkflowRun, as_base, merged, of_deleted_fork, of_fork, pull_request, push_to,
};
use crate::preview::Template;
use crate::repository::Branch;

const BY_NUMBER: (&str, &str) = ("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}");

#[track_caller]
fn check(run: &WorkflowRun, variables: &[(&str, &str)], expected: &str) {
    let with_token: Vec<_> = variables.iter().copied().chain([TOKEN]).collect();
    assert_eq!(decision(run, &with_token).0, expected, "{run:?}, {variables:?}");
}

fn mode(mode: &'static str) -> (&'static str, &'static str) {
    ("GITBOOK_MODE", mode)
}

#[test]
fn a_mode_overrides_the_event() {
    let runs = [
        push_to("x"),
        WorkflowRun::example("push", 0),
        pull_request("labeled", 12, "x"),
        WorkflowRun::example("release", 1),
    ];
    for run in &runs {
        check(run, &[mode("publish")], "publish");
        check(run, &[mode("sweep")], "sweep");
        check(run, &[mode("check")], "check");
        let refused = "refused, `GITBOOK_TOKEN` is unset or empty".to_owned();
        assert_eq!(decision(run, &[mode("publish")]).0, refused);
        assert_eq!(decision(run, &[mode("sweep")]).0, refused);
        let check = ("check".to_owned(), "`GITBOOK_MODE=check`".to_owned());
        assert_eq!(decision(run, &[mode("check")]), check);
    }
}

#[test]
fn previews_use_the_branch_of_the_event() {
    check(&push_to("master"), &[mode("preview")], "preview of master");
    check(&pull_request("labeled", 12, "x"), &[mode("preview")], "preview of x (#12)");
    check(&of_fork("opened", 12, "main"), &[mode("preview")], "preview of mona:main (#12)");
    check(&test_payloads::delete_of("x"), &[mode("delete")], "delete of x");
    check(&pull_request("opened", 12, "x"), &[mode("delete")], "delete of x (#12)");
    for mode in [mode("preview"), mode("delete")] {
        let expected = "refused, the branch of the preview is unknown";
        check(&test_payloads::schedule(), &[mode], expected);
        check(&WorkflowRun::example("push", 0), &[mode], expected);
        assert_eq!(decision(&push_to("x"), &[mode]).0, "refused, `GITBOOK_TOKEN` is unset or empty");
    }
}

#[test]
fn deletes_the_preview_of_a_given_branch() {
    let by_hand = [mode("delete"), ("GITBOOK_BRANCH", "old")];
    for run in
        [push_to("x"), test_payloads::manual("refs/heads/master"), test_payloads::manual("refs/tags/v1")]
    {
        check(&run, &by_hand, "delete of old");
    }
    for run in
        [test_payloads::schedule(), WorkflowRun::example("push", 0), WorkflowRun::example("release", 0)]
    {
        check(&run, &by_hand, "delete of old");
        check(&run, &[mode("preview"), ("GITBOOK_BRANCH", "new")], "preview of new");
    }
    let by_number = [mode("delete"), BY_NUMBER, ("GITBOOK_BRANCH", "old"), ("GITBOOK_PULL_REQUEST", "12")];
    for run in [push_to("x"), test_payloads::manual("refs/heads/master"), test_payloads::delete_of("x")] {
        check(&run, &by_number, "delete of old (#12)");
    }
}

#[test]
fn no_mode_publishes_a_fork_with_base_secrets() {
    let run = as_base(of_fork("opened", 12, "main"));
    let refused = "refused, this run has the base repository's secrets and must not deploy a fork's change";
    check(&run, &[mode("publish")], refused);
    check(&run, &[mode("preview")], refused);
    check(&run, &[mode("preview"), ("GITBOOK_EVENT", "pull_request")], refused);
    check(&run, &[mode("delete")], "delete of mona:main (#12)");
    check(&run, &[mode("check")], "check");
}

#[test]
fn a_plan_reports_the_decision_for_the_event() {
    let check = |run: &WorkflowRun, variables: &[(&str, &str)], expected: &str, reason: &str| {
        let variables: Vec<_> = variables.iter().copied().chain([mode("plan")]).collect();
        let reason = format!("`GITBOOK_MODE=plan`; the decision for this event is {reason}");
        assert_eq!(decision(run, &variables), (expected.to_owned(), reason), "{run:?}");
    };
    let push = "`publish`: push to `master`, the production branch";
    check(&push_to("master"), &[TOKEN], "plan (publish)", push);
    check(&push_to("x"), &[TOKEN], "plan (preview of x)", "`preview`: push to branch `x`");
    let closed = "`delete`: pull request #12 from `x` was closed";
    check(&merged(12, "x"), &[TOKEN], "plan (delete of x (#12))", closed);
    check(&test_payloads::schedule(), &[TOKEN], "plan (sweep)", "`sweep`: scheduled run");
    let without = "`check`: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
    check(&pull_request("opened", 12, "x"), &[], "plan (check)", without);
    // Only the later job needs the token.
    check(&push_to("master"), &[], "plan (publish)", push);
    let unknown = [("GITBOOK_EVENT", "push"), ("GITBOOK_BRANCH", "x"), ("GITHUB_ACTIONS", "")];
    let refused = "plan (refused, the production branch is unknown)";
    check(&push_to("x"), &unknown, refused, "`refuse`: push to branch `x`");
}

#[test]
fn no_event_publishes_a_fork_with_base_secrets() {
    let run = as_base(of_fork("opened", 12, "evil"));
    let refused = "refused, this run has the base repository's secrets and must not deploy a fork's change";
    let as_event = |event, branch| [TOKEN, ("GITBOOK_EVENT", event), ("GITBOOK_BRANCH", branch)];
    for event in ["push", "manual", "release", "pull_request"] {
        check(&run, &as_event(event, "master"), refused);
        check(&run, &as_event(event, "evil"), refused);
    }
}

#[test]
fn only_pull_requests_have_previews_with_a_number_in_the_name() {
    let cause = "; only pull requests have previews, because `GITBOOK_PREVIEW_NAME` contains `{pr}`";
    let none = |run: &WorkflowRun, reason: &str| {
        for token in [TOKEN, ("GITBOOK_TOKEN", "")] {
            let expected = ("nothing".to_owned(), format!("{reason}{cause}"));
            assert_eq!(decision(run, &[token, BY_NUMBER]), expected);
        }
    };
    none(&push_to("x"), "push to branch `x`");
    none(&test_payloads::manual("refs/heads/x"), "manual run on branch `x`");
    none(&test_payloads::delete_of("x"), "branch `x` was deleted");
    none(&test_payloads::push_deleting("x"), "branch `x` was deleted");
    check(&push_to("master"), &[BY_NUMBER], "publish");
    check(&pull_request("opened", 12, "x"), &[BY_NUMBER], "preview of x (#12)");
    check(&merged(12, "x"), &[BY_NUMBER], "delete of x (#12)");
    check(&test_payloads::schedule(), &[BY_NUMBER], "sweep");
}

// The following mistakes occur in other deployment tools.

#[test]
fn a_forks_branch_named_like_production_gets_a_preview() {
    // `GITHUB_HEAD_REF || GITHUB_REF_NAME` is `master` here.
    check(&of_fork("opened", 12, "master"), &[], "preview of mona:master (#12)");
    check(&of_fork("opened", 12, "master"), &[("GITBOOK_BRANCH", "master")], "preview of mona:master (#12)");
    check(&of_fork("closed", 12, "master"), &[("GITBOOK_BRANCH", "master")], "delete of mona:master (#12)");
    let any = ("GITBOOK_PRODUCTION_BRANCH", "*");
    check(&of_fork("opened", 12, "master"), &[any], "preview of mona:master (#12)");
    check(&pull_request("opened", 12, "master"), &[any], "preview of master (#12)");
}

#[test]
fn a_merged_pull_request_does_not_publish_to_production() {
    // `GITHUB_REF` is the base branch for all of these events.
    check(&merged(12, "x"), &[], "delete of x (#12)");
    check(&as_base(merged(12, "x")), &[], "delete of x (#12)");
    check(&test_payloads::delete_of("x"), &[], "delete of x");
    check(&test_payloads::push_deleting("x"), &[], "delete of x");
    check(&test_payloads::push_deleting("master"), &[], "delete of master");
}

#[test]
fn a_closed_pull_request_is_not_an_update() {
    for run in [merged(12, "x"), pull_request("closed", 12, "x")] {
        check(&run, &[], "delete of x (#12)");
        assert_ne!(decision(&run, &[]).0, "check");
    }
}

#[test]
fn pull_request_1_and_12_have_different_previews() {
    let template: Template = "{name}-pr-{pr}".parse().unwrap();
    let name = |number| template.name("hello", &Branch::new("x"), Some(number));
    assert_eq!((name(1), name(12)), ("hello-pr-1".to_owned(), "hello-pr-12".to_owned()));
    check(&merged(1, "x"), &[BY_NUMBER], "delete of x (#1)");
    check(&merged(12, "x"), &[BY_NUMBER], "delete of x (#12)");
}

#[test]
fn accepts_a_deleted_fork() {
    check(&of_deleted_fork("closed", 12, "main"), &[], "delete of mona:main (#12)");
    check(&of_deleted_fork("opened", 12, "main"), &[], "preview of mona:main (#12)");
}

#[test]
fn long_branches_have_distinct_names_without_a_final_dash() {
    let name = |branch: &str| {
        "{name}-{branch}".parse::<Template>().unwrap().name("hello", &Branch::new(branch), None)
    };
    let long = "feature/".to_owned() + &"very-".repeat(30);
    let [one, other] = ["one", "other"].map(|end| name(&format!("{long}{end}")));
    assert_ne!(one, other);
    for cut in 1..long.len() {
        let name = name(&long[..cut]);
        assert!(name.len() <= 100 && !name.ends_with('-') && !name.contains("--"), "{name}");
    }
}

#[test]
fn a_branch_with_a_last_segment_named_like_production_gets_a_preview() {
    check(&push_to("feature/master"), &[], "preview of feature/master");
    check(&test_payloads::manual("refs/heads/feature/master"), &[], "preview of feature/master");
}
