//! Tests modes, templates with `{pr}`, and mistakes that other deployment tools make.

use super::tests::{TOKEN, describe_plan};
use crate::ci::test_payloads::{
    self, WorkflowRun, as_pull_request_target, merged_pull_request, pull_request,
    pull_request_from_deleted_fork, pull_request_from_fork, push_to,
};
use crate::preview::Template;
use crate::repository::Branch;

const NAME_WITH_NUMBER: (&str, &str) = ("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}");

#[track_caller]
fn check(run: &WorkflowRun, variables: &[(&str, &str)], expected: &str) {
    let with_token: Vec<_> = variables.iter().copied().chain([TOKEN]).collect();
    assert_eq!(describe_plan(run, &with_token).0, expected, "{run:?}, {variables:?}");
}

fn with_mode(mode: &'static str) -> (&'static str, &'static str) {
    ("GITBOOK_MODE", mode)
}

#[test]
fn the_mode_takes_precedence_over_the_event() {
    let runs = [
        push_to("x"),
        WorkflowRun::example("push", 0),
        pull_request("labeled", 12, "x"),
        WorkflowRun::example("release", 1),
    ];
    for run in &runs {
        check(run, &[with_mode("publish")], "publish");
        check(run, &[with_mode("sweep")], "sweep");
        check(run, &[with_mode("check")], "check");
        let refused = "refused, `GITBOOK_TOKEN` is unset or empty".to_owned();
        assert_eq!(describe_plan(run, &[with_mode("publish")]).0, refused);
        assert_eq!(describe_plan(run, &[with_mode("sweep")]).0, refused);
        let check = ("check".to_owned(), "`GITBOOK_MODE=check`".to_owned());
        assert_eq!(describe_plan(run, &[with_mode("check")]), check);
    }
}

#[test]
fn previews_use_the_branch_of_the_event() {
    check(&push_to("master"), &[with_mode("preview")], "preview of master");
    check(&pull_request("labeled", 12, "x"), &[with_mode("preview")], "preview of x (#12)");
    check(
        &pull_request_from_fork("opened", 12, "main"),
        &[with_mode("preview")],
        "preview of mona:main (#12)",
    );
    check(&test_payloads::delete_event("x"), &[with_mode("delete")], "delete of x");
    check(&pull_request("opened", 12, "x"), &[with_mode("delete")], "delete of x (#12)");
    for mode in [with_mode("preview"), with_mode("delete")] {
        let expected = "refused, the branch of the preview is unknown";
        check(&test_payloads::scheduled_run(), &[mode], expected);
        check(&WorkflowRun::example("push", 0), &[mode], expected);
        assert_eq!(describe_plan(&push_to("x"), &[mode]).0, "refused, `GITBOOK_TOKEN` is unset or empty");
    }
}

#[test]
fn deletes_the_preview_of_the_branch_in_the_variable() {
    let variables = [with_mode("delete"), ("GITBOOK_BRANCH", "old")];
    for run in [
        push_to("x"),
        test_payloads::manual_run("refs/heads/master"),
        test_payloads::manual_run("refs/tags/v1"),
    ] {
        check(&run, &variables, "delete of old");
    }
    for run in
        [test_payloads::scheduled_run(), WorkflowRun::example("push", 0), WorkflowRun::example("release", 0)]
    {
        check(&run, &variables, "delete of old");
        check(&run, &[with_mode("preview"), ("GITBOOK_BRANCH", "new")], "preview of new");
    }
    let numbered =
        [with_mode("delete"), NAME_WITH_NUMBER, ("GITBOOK_BRANCH", "old"), ("GITBOOK_PULL_REQUEST", "12")];
    for run in
        [push_to("x"), test_payloads::manual_run("refs/heads/master"), test_payloads::delete_event("x")]
    {
        check(&run, &numbered, "delete of old (#12)");
    }
}

#[test]
fn no_mode_publishes_a_fork_with_base_secrets() {
    let run = as_pull_request_target(pull_request_from_fork("opened", 12, "main"));
    let refused = "refused, this run has the base repository's secrets and must not deploy a fork's change";
    check(&run, &[with_mode("publish")], refused);
    check(&run, &[with_mode("preview")], refused);
    check(&run, &[with_mode("preview"), ("GITBOOK_EVENT", "pull_request")], refused);
    check(&run, &[with_mode("delete")], "delete of mona:main (#12)");
    check(&run, &[with_mode("check")], "check");
}

#[test]
fn a_plan_reports_the_decision_for_the_event() {
    let check = |run: &WorkflowRun, variables: &[(&str, &str)], expected: &str, reason: &str| {
        let variables: Vec<_> = variables.iter().copied().chain([with_mode("plan")]).collect();
        let reason = format!("`GITBOOK_MODE=plan`; the decision for this event is {reason}");
        assert_eq!(describe_plan(run, &variables), (expected.to_owned(), reason), "{run:?}");
    };
    let push = "`publish`: push to `master`, the production branch";
    check(&push_to("master"), &[TOKEN], "plan (publish)", push);
    check(&push_to("x"), &[TOKEN], "plan (preview of x)", "`preview`: push to branch `x`");
    let closed = "`delete`: pull request #12 from `x` was closed";
    check(&merged_pull_request(12, "x"), &[TOKEN], "plan (delete of x (#12))", closed);
    check(&test_payloads::scheduled_run(), &[TOKEN], "plan (sweep)", "`sweep`: scheduled run");
    let without = "`check`: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
    check(&pull_request("opened", 12, "x"), &[], "plan (check)", without);
    // The job that plans needs no token.
    check(&push_to("master"), &[], "plan (publish)", push);
    let unknown = [("GITBOOK_EVENT", "push"), ("GITBOOK_BRANCH", "x"), ("GITHUB_ACTIONS", "")];
    let refused = "plan (refused, the production branch is unknown)";
    check(&push_to("x"), &unknown, refused, "`refuse`: push to branch `x`");
}

#[test]
fn no_event_publishes_a_fork_with_base_secrets() {
    let run = as_pull_request_target(pull_request_from_fork("opened", 12, "evil"));
    let refused = "refused, this run has the base repository's secrets and must not deploy a fork's change";
    let as_event = |event, branch| [TOKEN, ("GITBOOK_EVENT", event), ("GITBOOK_BRANCH", branch)];
    for event in ["push", "manual", "release", "pull_request"] {
        check(&run, &as_event(event, "master"), refused);
        check(&run, &as_event(event, "evil"), refused);
    }
}

#[test]
fn does_nothing_without_the_pull_request_number_that_the_preview_name_needs() {
    let cause = "; only pull requests have previews, because `GITBOOK_PREVIEW_NAME` contains `{pr}`";
    let check_nothing = |run: &WorkflowRun, reason: &str| {
        for token in [TOKEN, ("GITBOOK_TOKEN", "")] {
            let expected = ("nothing".to_owned(), format!("{reason}{cause}"));
            assert_eq!(describe_plan(run, &[token, NAME_WITH_NUMBER]), expected);
        }
    };
    check_nothing(&push_to("x"), "push to branch `x`");
    check_nothing(&test_payloads::manual_run("refs/heads/x"), "manual run on branch `x`");
    check_nothing(&test_payloads::delete_event("x"), "branch `x` was deleted");
    check_nothing(&test_payloads::push_that_deletes("x"), "branch `x` was deleted");
    check(&push_to("master"), &[NAME_WITH_NUMBER], "publish");
    check(&pull_request("opened", 12, "x"), &[NAME_WITH_NUMBER], "preview of x (#12)");
    check(&merged_pull_request(12, "x"), &[NAME_WITH_NUMBER], "delete of x (#12)");
    check(&test_payloads::scheduled_run(), &[NAME_WITH_NUMBER], "sweep");
}

// The tests below cover mistakes that other deployment tools make.

#[test]
fn a_forks_branch_named_like_production_gets_a_preview() {
    // In this run, `GITHUB_HEAD_REF` is `master`, the name of the production branch.
    check(&pull_request_from_fork("opened", 12, "master"), &[], "preview of mona:master (#12)");
    check(
        &pull_request_from_fork("opened", 12, "master"),
        &[("GITBOOK_BRANCH", "master")],
        "preview of mona:master (#12)",
    );
    check(
        &pull_request_from_fork("closed", 12, "master"),
        &[("GITBOOK_BRANCH", "master")],
        "delete of mona:master (#12)",
    );
    let any = ("GITBOOK_PRODUCTION_BRANCH", "*");
    check(&pull_request_from_fork("opened", 12, "master"), &[any], "preview of mona:master (#12)");
    check(&pull_request("opened", 12, "master"), &[any], "preview of master (#12)");
}

#[test]
fn a_merged_pull_request_does_not_publish_to_production() {
    // For closed pull requests and deleted branches, `GITHUB_REF` is the base branch.
    check(&merged_pull_request(12, "x"), &[], "delete of x (#12)");
    check(&as_pull_request_target(merged_pull_request(12, "x")), &[], "delete of x (#12)");
    check(&test_payloads::delete_event("x"), &[], "delete of x");
    check(&test_payloads::push_that_deletes("x"), &[], "delete of x");
    check(&test_payloads::push_that_deletes("master"), &[], "delete of master");
}

#[test]
fn deletes_the_preview_of_a_closed_pull_request_in_auto_mode() {
    for run in [merged_pull_request(12, "x"), pull_request("closed", 12, "x")] {
        check(&run, &[], "delete of x (#12)");
        assert_ne!(describe_plan(&run, &[]).0, "check");
    }
}

#[test]
fn pull_request_1_and_12_have_different_previews() {
    let template: Template = "{name}-pr-{pr}".parse().unwrap();
    let name = |number| template.name("hello", &Branch::new("x"), Some(number));
    assert_eq!((name(1), name(12)), ("hello-pr-1".to_owned(), "hello-pr-12".to_owned()));
    check(&merged_pull_request(1, "x"), &[NAME_WITH_NUMBER], "delete of x (#1)");
    check(&merged_pull_request(12, "x"), &[NAME_WITH_NUMBER], "delete of x (#12)");
}

#[test]
fn decides_pull_requests_from_deleted_forks() {
    check(&pull_request_from_deleted_fork("closed", 12, "main"), &[], "delete of mona:main (#12)");
    check(&pull_request_from_deleted_fork("opened", 12, "main"), &[], "preview of mona:main (#12)");
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
    check(&test_payloads::manual_run("refs/heads/feature/master"), &[], "preview of feature/master");
}
