//! Tests the decision table row by row: variables and an event file must result in the expected decision and reason.

use super::{Decision, PreviewRef, Refusal, decide};
use crate::ci::test_payloads::{
    self, WorkflowRun, as_pull_request_target, dependabot_pull_request, merged_pull_request, pull_request,
    pull_request_from_fork, push_to,
};
use crate::config::Config;
use crate::environment::Environment;

pub(super) const TOKEN: (&str, &str) = ("GITBOOK_TOKEN", "t");
const NO_TOKEN: (&str, &str) = ("GITBOOK_TOKEN", "");
const SANDBOX: (&str, &str) = ("GITBOOK_ENDPOINT", "sandbox");
const NAME_WITH_NUMBER: (&str, &str) = ("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}");

/// Describes a decision in short form.
fn describe(decision: &Decision) -> String {
    let describe_target = |PreviewRef { branch, pull_request }: &PreviewRef| match pull_request {
        Some(number) => format!("of {branch} (#{number})"),
        None => format!("of {branch}"),
    };
    match decision {
        Decision::Preview(target) | Decision::Delete(target) => {
            format!("{} {}", decision.name(), describe_target(target))
        }
        Decision::Plan(plan) => format!("plan ({})", describe(&plan.decision)),
        Decision::Refuse(refusal) => format!("refused, {refusal}"),
        Decision::Publish | Decision::Sweep | Decision::Check | Decision::Nothing => {
            decision.name().to_owned()
        }
    }
}

/// Returns the decision and its reason for a run with additional variables.
pub(super) fn describe_plan(run: &WorkflowRun, variables: &[(&str, &str)]) -> (String, String) {
    let run = run.clone().with_all(variables);
    let (config, warnings) = Config::from_environment(&run.environment()).unwrap();
    assert_eq!(warnings, [], "{run:?}");
    let plan = decide(&config, &run.ci().unwrap());
    (describe(&plan.decision), plan.reason)
}

#[track_caller]
fn check(run: &WorkflowRun, variables: &[(&str, &str)], expected: &str) {
    assert_eq!(describe_plan(run, variables).0, expected, "{run:?}, {variables:?}");
}

/// Checks a decision and its reason.
#[track_caller]
fn check_reason(run: &WorkflowRun, variables: &[(&str, &str)], expected: &str, reason: &str) {
    let (found, cause) = describe_plan(run, variables);
    assert_eq!((&*found, &*cause), (expected, reason), "{run:?}, {variables:?}");
}

/// Checks a decision that requires a token or the sandbox.
#[track_caller]
fn check_requires_token(run: &WorkflowRun, expected: &str, reason: &str) {
    check_reason(run, &[TOKEN], expected, reason);
    check_reason(run, &[SANDBOX], expected, reason);
    for variables in [&[][..], &[NO_TOKEN]] {
        check_reason(run, variables, "refused, `GITBOOK_TOKEN` is unset or empty", reason);
    }
}

/// Checks a decision that does not require a token.
#[track_caller]
fn check_without_token(run: &WorkflowRun, expected: &str, reason: &str) {
    for variables in [&[][..], &[NO_TOKEN], &[TOKEN], &[SANDBOX], &[TOKEN, NAME_WITH_NUMBER]] {
        check_reason(run, variables, expected, reason);
    }
}

#[test]
fn publishes_a_push_to_a_production_branch() {
    check_requires_token(&push_to("master"), "publish", "push to `master`, the production branch");
    let several = push_to("release/1").with("GITBOOK_PRODUCTION_BRANCH", "main, release/*");
    check_requires_token(&several, "publish", "push to `release/1`, the production branch");
    check(&push_to("master"), &[TOKEN, NAME_WITH_NUMBER], "publish");
}

#[test]
fn publishes_a_preview_of_another_branch() {
    check_requires_token(&push_to("feature/x"), "preview of feature/x", "push to branch `feature/x`");
    let globs = ("GITBOOK_PRODUCTION_BRANCH", "main, release/*");
    // With `GITBOOK_PRODUCTION_BRANCH`, even the default branch may get a preview. `*` does not match a slash.
    check(&push_to("master"), &[TOKEN, globs], "preview of master");
    check(&push_to("release/1/fix"), &[TOKEN, globs], "preview of release/1/fix");
    check(&push_to("feature/main"), &[TOKEN, globs], "preview of feature/main");
    check(&push_to("Main"), &[TOKEN, globs], "preview of Main");
    // The name of the default branch is not treated as a glob.
    check(&push_to("a"), &[TOKEN, ("GITBOOK_DEFAULT_BRANCH", "{a}")], "preview of a");
    check(&push_to("{a}"), &[TOKEN, ("GITBOOK_DEFAULT_BRANCH", "{a}")], "publish");
}

#[test]
fn refuses_a_push_without_a_production_branch() {
    let expected = "refused, the production branch is unknown";
    for run in [push_to("main"), test_payloads::manual_run("refs/heads/main")] {
        let run = run.edit_payload("/repository/default_branch", serde_json::Value::Null);
        check(&run, &[TOKEN], expected);
        check(&run, &[SANDBOX], expected);
        check(&run, &[TOKEN, ("GITBOOK_DEFAULT_BRANCH", "main")], "publish");
        check(&run, &[TOKEN, ("GITBOOK_PRODUCTION_BRANCH", "prod")], "preview of main");
    }
    // Pull requests and deletions do not depend on the production branch.
    let without_default_branch =
        |run: WorkflowRun| run.edit_payload("/repository/default_branch", serde_json::Value::Null);
    check(&without_default_branch(pull_request("opened", 12, "main")), &[TOKEN], "preview of main (#12)");
    check(&without_default_branch(test_payloads::delete_event("x")), &[TOKEN], "delete of x");
}

#[test]
fn deletes_the_preview_of_a_deleted_branch() {
    check_requires_token(&test_payloads::push_that_deletes("x"), "delete of x", "branch `x` was deleted");
    check_requires_token(&test_payloads::delete_event("x"), "delete of x", "branch `x` was deleted");
}

#[test]
fn does_nothing_for_tags() {
    let pushed = "a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
    check_without_token(&WorkflowRun::example("push", 0), "nothing", pushed);
    check_without_token(&WorkflowRun::example("push", 1), "nothing", "a tag was deleted");
    check_without_token(&WorkflowRun::example("delete", 0), "nothing", "a tag was deleted");
    check_without_token(
        &test_payloads::delete_event("master").edit_payload("/ref_type", "tag"),
        "nothing",
        "a tag was deleted",
    );
    check(&WorkflowRun::example("push", 0), &[TOKEN, ("GITBOOK_MODE", "publish")], "publish");
}

#[test]
fn publishes_a_preview_of_an_updated_pull_request() {
    for action in ["opened", "reopened", "synchronize", "ready_for_review"] {
        let run = pull_request(action, 12, "a/b");
        let reason = "pull request #12 from `a/b` was updated";
        for variables in [&[TOKEN][..], &[SANDBOX], &[TOKEN, NAME_WITH_NUMBER]] {
            check_reason(&run, variables, "preview of a/b (#12)", reason);
        }
        let reason = "pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check_reason(&run, &[NO_TOKEN], "check", reason);
    }
}

#[test]
fn checks_a_pull_request_without_secrets() {
    for action in ["opened", "reopened", "synchronize", "ready_for_review"] {
        let reason = "pull request #12 (fork) was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check_reason(&pull_request_from_fork(action, 12, "main"), &[], "check", reason);
        check_reason(
            &test_payloads::pull_request_from_deleted_fork(action, 12, "main"),
            &[NO_TOKEN],
            "check",
            reason,
        );
        check(&pull_request_from_fork(action, 12, "main"), &[TOKEN], "preview of mona:main (#12)");
        check(&pull_request_from_fork(action, 12, "main"), &[SANDBOX], "preview of mona:main (#12)");
        let reason =
            "pull request #3 (Dependabot) was updated; checked only, because `GITBOOK_TOKEN` is not set";
        check_reason(&dependabot_pull_request(action), &[], "check", reason);
        check(
            &dependabot_pull_request(action),
            &[TOKEN],
            "preview of dependabot/npm_and_yarn/left-pad-2.0.0 (#3)",
        );
    }
}

#[test]
fn deletes_the_preview_of_a_closed_pull_request() {
    let reason = "pull request #12 from `a/b` was closed";
    check_requires_token(&pull_request("closed", 12, "a/b"), "delete of a/b (#12)", reason);
    check_requires_token(&merged_pull_request(12, "a/b"), "delete of a/b (#12)", reason);
    check(&merged_pull_request(12, "a/b"), &[TOKEN, NAME_WITH_NUMBER], "delete of a/b (#12)");
}

#[test]
fn does_nothing_for_a_closed_pull_request_without_secrets() {
    let reason =
        "pull request #12 (fork) was closed; no preview to delete, because `GITBOOK_TOKEN` is not set";
    check_reason(&pull_request_from_fork("closed", 12, "main"), &[], "nothing", reason);
    check_reason(
        &test_payloads::pull_request_from_deleted_fork("closed", 12, "main"),
        &[NO_TOKEN],
        "nothing",
        reason,
    );
    check(&pull_request_from_fork("closed", 12, "main"), &[TOKEN], "delete of mona:main (#12)");
    check(
        &test_payloads::pull_request_from_deleted_fork("closed", 12, "main"),
        &[TOKEN],
        "delete of mona:main (#12)",
    );
    let reason =
        "pull request #3 (Dependabot) was closed; no preview to delete, because `GITBOOK_TOKEN` is not set";
    check_reason(&dependabot_pull_request("closed"), &[], "nothing", reason);
}

#[test]
fn does_nothing_for_other_activity_of_a_pull_request() {
    for action in ["labeled", "assigned", "edited", "converted_to_draft", "auto_merge_enabled", "dequeued"] {
        let reason = format!("`{action}` of pull request #12 needs no action");
        check_without_token(&pull_request(action, 12, "x"), "nothing", &reason);
        check_without_token(&pull_request_from_fork(action, 12, "main"), "nothing", &reason);
    }
}

#[test]
fn refuses_a_fork_with_the_base_repositorys_secrets() {
    for action in ["opened", "synchronize", "closed", "labeled"] {
        let expected =
            "refused, this run has the base repository's secrets and must not deploy a fork's change";
        check_without_token(
            &as_pull_request_target(pull_request_from_fork(action, 12, "main")),
            expected,
            "pull request #12 (fork)",
        );
        check_without_token(
            &as_pull_request_target(test_payloads::pull_request_from_deleted_fork(action, 12, "x")),
            expected,
            "pull request #12 (fork)",
        );
    }
    check(&as_pull_request_target(pull_request("opened", 12, "x")), &[TOKEN], "preview of x (#12)");
    check(&as_pull_request_target(pull_request("opened", 12, "x")), &[], "check");
    check(&as_pull_request_target(merged_pull_request(12, "x")), &[TOKEN], "delete of x (#12)");
}

#[test]
fn checks_a_merge_queue_candidate() {
    let reason = "merge queue candidates are checked, not published";
    check_without_token(&WorkflowRun::example("merge_group", 0), "check", reason);
    check_without_token(&push_to("gh-readonly-queue/master/pr-104-929f8209"), "check", reason);
}

#[test]
fn sweeps_on_a_schedule() {
    check_requires_token(&test_payloads::scheduled_run(), "sweep", "scheduled run");
}

#[test]
fn decides_a_manual_run_by_its_branch() {
    let run_on = |reference| test_payloads::manual_run(reference);
    check_requires_token(
        &run_on("refs/heads/master"),
        "publish",
        "manual run on `master`, the production branch",
    );
    check_requires_token(&run_on("refs/heads/x"), "preview of x", "manual run on branch `x`");
    let reason = "manual run without a branch; set `GITBOOK_MODE=publish` to publish from tags";
    check_without_token(&run_on("refs/tags/v1"), "nothing", reason);
    check(&run_on("refs/tags/v1"), &[TOKEN, ("GITBOOK_MODE", "publish")], "publish");
}

#[test]
fn publishes_on_a_release() {
    check_requires_token(&WorkflowRun::example("release", 0), "publish", "a release was published");
    for index in 1..test_payloads::examples("release").len() {
        let run = WorkflowRun::example("release", index);
        let published = test_payloads::examples("release")[index]["action"] == "published";
        check(&run, &[TOKEN], if published { "publish" } else { "nothing" });
    }
}

#[test]
fn does_nothing_for_other_events() {
    check_without_token(&WorkflowRun::example("create", 0), "nothing", "`create` needs no action");
    check_without_token(&WorkflowRun::example("star", 0), "nothing", "`star: created` needs no action");
    let comment = "`issue_comment: created` needs no action";
    check_without_token(&WorkflowRun::example("issue_comment", 0), "nothing", comment);
}

#[test]
fn decides_without_a_ci_system() {
    let check = |variables: &[(&str, &str)], expected: &str| {
        let environment = Environment::of(variables);
        let (config, _) = Config::from_environment(&environment).unwrap();
        let plan = decide(&config, &crate::ci::detect(&environment).unwrap());
        assert_eq!(describe(&plan.decision), expected, "{variables:?}");
    };
    check(&[], "refused, no CI event detected");
    check(&[TOKEN], "refused, no CI event detected");
    check(&[TOKEN, ("CI", "true")], "refused, no CI event detected");
    check(&[SANDBOX], "publish");
    check(&[TOKEN, ("GITBOOK_MODE", "publish")], "publish");
    check(&[("GITBOOK_MODE", "publish")], "refused, `GITBOOK_TOKEN` is unset or empty");
    check(&[("GITBOOK_MODE", "check")], "check");
    let preview = ("GITBOOK_MODE", "preview");
    check(&[TOKEN, preview], "refused, the branch of the preview is unknown");
    check(&[TOKEN, preview, ("GITBOOK_BRANCH", "x")], "preview of x");
    check(&[TOKEN, ("GITBOOK_MODE", "delete"), ("GITBOOK_BRANCH", "x")], "delete of x");
    check(&[TOKEN, ("GITBOOK_BRANCH", "x")], "refused, the production branch is unknown");
    check(&[TOKEN, ("GITBOOK_BRANCH", "x"), ("GITBOOK_DEFAULT_BRANCH", "main")], "preview of x");
    check(&[TOKEN, ("GITBOOK_BRANCH", "main"), ("GITBOOK_DEFAULT_BRANCH", "main")], "publish");
    check(&[TOKEN, ("GITBOOK_EVENT", "closed"), ("GITBOOK_BRANCH", "x")], "delete of x");
    check(&[TOKEN, ("GITBOOK_EVENT", "schedule")], "sweep");
}

#[test]
fn the_hint_of_every_refusal_names_the_setting_to_change() {
    let check = |refusal: Refusal, expected: &str| {
        let hint = refusal.hint();
        assert!(hint.contains(&format!("`{expected}`")), "{refusal}: {hint}");
    };
    check(Refusal::NoToken, "GITBOOK_TOKEN");
    check(Refusal::ForkWithBaseSecrets, "pull_request");
    check(Refusal::StopJob, "GITBOOK_MODE");
    check(Refusal::NoProductionBranch, "GITBOOK_PRODUCTION_BRANCH");
    check(Refusal::NoBranch, "GITBOOK_BRANCH");
    check(Refusal::NoEvent, "GITBOOK_EVENT");
}

#[test]
fn only_decisions_that_publish_or_delete_need_the_forge() {
    let check = |run: &WorkflowRun, mode: &str, expected: bool| {
        let run = run.clone().with_all(&[TOKEN, ("GITBOOK_MODE", mode)]);
        let (config, _) = Config::from_environment(&run.environment()).unwrap();
        let decision = decide(&config, &run.ci().unwrap()).decision;
        assert_eq!(decision.needs_forge(), expected, "{decision:?}");
    };
    for mode in ["publish", "preview", "delete", "sweep"] {
        check(&push_to("x"), mode, true);
    }
    for mode in ["check", "plan"] {
        check(&push_to("x"), mode, false);
    }
    check(&WorkflowRun::example("push", 0), "auto", false);
    check(&test_payloads::scheduled_run(), "preview", false);
}
