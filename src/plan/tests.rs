//! The decision table of the README, row by row: from variables and event file to what is done, and why.

use super::{Decision, Refusal, Target, decide};
use crate::ci::payloads::{self, Run, as_base, merged, of_dependabot, of_fork, pull_request, push_to};
use crate::config::Config;
use crate::environment::Environment;

pub(super) const TOKEN: (&str, &str) = ("GITBOOK_TOKEN", "t");
const NO_TOKEN: (&str, &str) = ("GITBOOK_TOKEN", "");
const SANDBOX: (&str, &str) = ("GITBOOK_ENDPOINT", "sandbox");
const BY_NUMBER: (&str, &str) = ("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}");

/// A decision in few words.
fn told(decision: &Decision) -> String {
    let of = |Target { branch, pull_request }: &Target| match pull_request {
        Some(number) => format!("of {branch} (#{number})"),
        None => format!("of {branch}"),
    };
    match decision {
        Decision::Preview(target) | Decision::Delete(target) => format!("{} {}", decision.name(), of(target)),
        Decision::Plan(plan) => format!("plan ({})", told(&plan.decision)),
        Decision::Refuse(refusal) => format!("refused, {refusal}"),
        Decision::Publish | Decision::Sweep | Decision::Check | Decision::Nothing => {
            decision.name().to_owned()
        }
    }
}

/// What is decided, and why, in this run with these variables.
pub(super) fn decision(run: &Run, variables: &[(&str, &str)]) -> (String, String) {
    let run = run.clone().with_all(variables);
    let (config, odd) = Config::from_environment(&run.environment()).unwrap();
    assert_eq!(odd, [], "{run:?}");
    let plan = decide(&config, &run.ci().unwrap());
    (told(&plan.decision), plan.reason)
}

#[track_caller]
fn check(run: &Run, variables: &[(&str, &str)], expected: &str) {
    assert_eq!(decision(run, variables).0, expected, "{run:?}, {variables:?}");
}

/// A row, with its reason.
#[track_caller]
fn reasoned(run: &Run, variables: &[(&str, &str)], expected: &str, reason: &str) {
    let (found, why) = decision(run, variables);
    assert_eq!((&*found, &*why), (expected, reason), "{run:?}, {variables:?}");
}

/// A row that needs a token: what is done with one, and in the sandbox, and that it is exit 2 without.
#[track_caller]
fn with_token(run: &Run, expected: &str, reason: &str) {
    reasoned(run, &[TOKEN], expected, reason);
    reasoned(run, &[SANDBOX], expected, reason);
    for variables in [&[][..], &[NO_TOKEN]] {
        reasoned(run, variables, "refused, `GITBOOK_TOKEN` is unset or empty", reason);
    }
}

/// A row that needs none.
#[track_caller]
fn anyhow(run: &Run, expected: &str, reason: &str) {
    for variables in [&[][..], &[NO_TOKEN], &[TOKEN], &[SANDBOX], &[TOKEN, BY_NUMBER]] {
        reasoned(run, variables, expected, reason);
    }
}

#[test]
fn push_to_a_production_branch() {
    with_token(&push_to("master"), "publish", "push to the production branch `master`");
    let several = push_to("release/1").with("GITBOOK_PRODUCTION_BRANCH", "main, release/*");
    with_token(&several, "publish", "push to the production branch `release/1`");
    check(&push_to("master"), &[TOKEN, BY_NUMBER], "publish");
}

#[test]
fn push_to_another_branch() {
    with_token(&push_to("feature/x"), "preview of feature/x", "push to branch `feature/x`");
    let globs = ("GITBOOK_PRODUCTION_BRANCH", "main, release/*");
    // The default branch is not production's when another is named, and `*` is one level.
    check(&push_to("master"), &[TOKEN, globs], "preview of master");
    check(&push_to("release/1/fix"), &[TOKEN, globs], "preview of release/1/fix");
    check(&push_to("feature/main"), &[TOKEN, globs], "preview of feature/main");
    check(&push_to("Main"), &[TOKEN, globs], "preview of Main");
    // A default branch is a name, not a glob.
    check(&push_to("a"), &[TOKEN, ("GITBOOK_DEFAULT_BRANCH", "{a}")], "preview of a");
    check(&push_to("{a}"), &[TOKEN, ("GITBOOK_DEFAULT_BRANCH", "{a}")], "publish");
}

#[test]
fn a_production_branch_that_is_not_known() {
    let expected = "refused, the production branch is not known";
    for run in [push_to("main"), payloads::manual("refs/heads/main")] {
        let run = run.edit("/repository/default_branch", serde_json::Value::Null);
        check(&run, &[TOKEN], expected);
        check(&run, &[SANDBOX], expected);
        check(&run, &[TOKEN, ("GITBOOK_DEFAULT_BRANCH", "main")], "publish");
        check(&run, &[TOKEN, ("GITBOOK_PRODUCTION_BRANCH", "prod")], "preview of main");
    }
    // A pull request and a deletion are no matter of the production branch.
    let unknown = |run: Run| run.edit("/repository/default_branch", serde_json::Value::Null);
    check(&unknown(pull_request("opened", 12, "main")), &[TOKEN], "preview of main (#12)");
    check(&unknown(payloads::delete_of("x")), &[TOKEN], "delete of x");
}

#[test]
fn a_branch_is_deleted() {
    with_token(&payloads::push_deleting("x"), "delete of x", "branch `x` was deleted");
    with_token(&payloads::delete_of("x"), "delete of x", "branch `x` was deleted");
}

#[test]
fn tags() {
    let pushed = "a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag";
    anyhow(&Run::example("push", 0), "nothing", pushed);
    anyhow(&Run::example("push", 1), "nothing", "a tag was deleted");
    anyhow(&Run::example("delete", 0), "nothing", "a tag was deleted");
    anyhow(&payloads::delete_of("master").edit("/ref_type", "tag"), "nothing", "a tag was deleted");
    check(&Run::example("push", 0), &[TOKEN, ("GITBOOK_MODE", "publish")], "publish");
}

#[test]
fn a_pull_request_is_updated() {
    for action in ["opened", "reopened", "synchronize", "ready_for_review"] {
        let run = pull_request(action, 12, "a/b");
        let reason = "pull request #12 from `a/b` was updated";
        for variables in [&[TOKEN][..], &[SANDBOX], &[TOKEN, BY_NUMBER]] {
            reasoned(&run, variables, "preview of a/b (#12)", reason);
        }
        let reason = "pull request #12 was updated, but there is no token: checked, not published";
        reasoned(&run, &[NO_TOKEN], "check", reason);
    }
}

#[test]
fn a_pull_request_of_a_stranger_is_updated() {
    for action in ["opened", "reopened", "synchronize", "ready_for_review"] {
        let reason = "pull request #12 of a fork was updated, but there is no token: checked, not published";
        reasoned(&of_fork(action, 12, "main"), &[], "check", reason);
        reasoned(&payloads::of_lost_fork(action, 12, "main"), &[NO_TOKEN], "check", reason);
        check(&of_fork(action, 12, "main"), &[TOKEN], "preview of mona:main (#12)");
        check(&of_fork(action, 12, "main"), &[SANDBOX], "preview of mona:main (#12)");
        let reason =
            "pull request #3 of Dependabot was updated, but there is no token: checked, not published";
        reasoned(&of_dependabot(action), &[], "check", reason);
        check(&of_dependabot(action), &[TOKEN], "preview of dependabot/npm_and_yarn/left-pad-2.0.0 (#3)");
    }
}

#[test]
fn a_pull_request_is_closed() {
    let reason = "pull request #12 from `a/b` was closed";
    with_token(&pull_request("closed", 12, "a/b"), "delete of a/b (#12)", reason);
    with_token(&merged(12, "a/b"), "delete of a/b (#12)", reason);
    check(&merged(12, "a/b"), &[TOKEN, BY_NUMBER], "delete of a/b (#12)");
}

#[test]
fn a_pull_request_of_a_stranger_is_closed() {
    let reason = "pull request #12 of a fork was closed, but there is no token, so no preview was made";
    reasoned(&of_fork("closed", 12, "main"), &[], "nothing", reason);
    reasoned(&payloads::of_lost_fork("closed", 12, "main"), &[NO_TOKEN], "nothing", reason);
    check(&of_fork("closed", 12, "main"), &[TOKEN], "delete of mona:main (#12)");
    check(&payloads::of_lost_fork("closed", 12, "main"), &[TOKEN], "delete of mona:main (#12)");
    let reason = "pull request #3 of Dependabot was closed, but there is no token, so no preview was made";
    reasoned(&of_dependabot("closed"), &[], "nothing", reason);
}

#[test]
fn other_activity_of_a_pull_request() {
    for action in ["labeled", "assigned", "edited", "converted_to_draft", "auto_merge_enabled", "dequeued"] {
        let reason = format!("nothing is to be done on `{action}` of pull request #12");
        anyhow(&pull_request(action, 12, "x"), "nothing", &reason);
        anyhow(&of_fork(action, 12, "main"), "nothing", &reason);
    }
}

#[test]
fn a_pull_request_that_runs_with_the_base_s_secrets() {
    for action in ["opened", "synchronize", "closed", "labeled"] {
        let expected =
            "refused, a fork's change is not deployed by a run that has the base repository's secrets";
        anyhow(&as_base(of_fork(action, 12, "main")), expected, "pull request #12 of a fork");
        anyhow(&as_base(payloads::of_lost_fork(action, 12, "x")), expected, "pull request #12 of a fork");
    }
    check(&as_base(pull_request("opened", 12, "x")), &[TOKEN], "preview of x (#12)");
    check(&as_base(pull_request("opened", 12, "x")), &[], "check");
    check(&as_base(merged(12, "x")), &[TOKEN], "delete of x (#12)");
}

#[test]
fn a_merge_queue() {
    let reason = "a merge queue's candidate is checked, not published";
    anyhow(&Run::example("merge_group", 0), "check", reason);
    anyhow(&push_to("gh-readonly-queue/master/pr-104-929f8209"), "check", reason);
}

#[test]
fn a_schedule() {
    with_token(&payloads::schedule(), "sweep", "scheduled run");
}

#[test]
fn a_manual_run() {
    let on = |reference| payloads::manual(reference);
    with_token(&on("refs/heads/master"), "publish", "manual run on the production branch `master`");
    with_token(&on("refs/heads/x"), "preview of x", "manual run on branch `x`");
    let reason = "manual run on no branch; `GITBOOK_MODE=publish` publishes from a tag";
    anyhow(&on("refs/tags/v1"), "nothing", reason);
    check(&on("refs/tags/v1"), &[TOKEN, ("GITBOOK_MODE", "publish")], "publish");
}

#[test]
fn a_release() {
    with_token(&Run::example("release", 0), "publish", "a release was published");
    for index in 1..payloads::examples("release").len() {
        let run = Run::example("release", index);
        let published = payloads::examples("release")[index]["action"] == "published";
        check(&run, &[TOKEN], if published { "publish" } else { "nothing" });
    }
}

#[test]
fn anything_else() {
    anyhow(&Run::example("create", 0), "nothing", "nothing is to be done on `create`");
    anyhow(&Run::example("star", 0), "nothing", "nothing is to be done on `star: created`");
    let comment = "nothing is to be done on `issue_comment: created`";
    anyhow(&Run::example("issue_comment", 0), "nothing", comment);
}

#[test]
fn no_ci_system() {
    let check = |variables: &[(&str, &str)], expected: &str| {
        let environment = Environment::of(variables);
        let (config, _) = Config::from_environment(&environment).unwrap();
        let plan = decide(&config, &crate::ci::detect(&environment).unwrap());
        assert_eq!(told(&plan.decision), expected, "{variables:?}");
    };
    check(&[], "refused, nothing says what happened");
    check(&[TOKEN], "refused, nothing says what happened");
    check(&[TOKEN, ("CI", "true")], "refused, nothing says what happened");
    check(&[SANDBOX], "publish");
    check(&[TOKEN, ("GITBOOK_MODE", "publish")], "publish");
    check(&[("GITBOOK_MODE", "publish")], "refused, `GITBOOK_TOKEN` is unset or empty");
    check(&[("GITBOOK_MODE", "check")], "check");
    let preview = ("GITBOOK_MODE", "preview");
    check(&[TOKEN, preview], "refused, there is no branch whose preview this could be about");
    check(&[TOKEN, preview, ("GITBOOK_BRANCH", "x")], "preview of x");
    check(&[TOKEN, ("GITBOOK_MODE", "delete"), ("GITBOOK_BRANCH", "x")], "delete of x");
    check(&[TOKEN, ("GITBOOK_BRANCH", "x")], "refused, the production branch is not known");
    check(&[TOKEN, ("GITBOOK_BRANCH", "x"), ("GITBOOK_DEFAULT_BRANCH", "main")], "preview of x");
    check(&[TOKEN, ("GITBOOK_BRANCH", "main"), ("GITBOOK_DEFAULT_BRANCH", "main")], "publish");
    check(&[TOKEN, ("GITBOOK_EVENT", "closed"), ("GITBOOK_BRANCH", "x")], "delete of x");
    check(&[TOKEN, ("GITBOOK_EVENT", "schedule")], "sweep");
}

#[test]
fn a_refusal_names_what_is_to_be_set() {
    let check = |refusal: Refusal, expected: &str| {
        let hint = refusal.hint();
        assert!(hint.contains(&format!("`{expected}`")), "{refusal}: {hint}");
    };
    check(Refusal::NoToken, "GITBOOK_TOKEN");
    check(Refusal::ForkAsBase, "pull_request");
    check(Refusal::StopJob, "GITBOOK_MODE");
    check(Refusal::NoProductionBranch, "GITBOOK_PRODUCTION_BRANCH");
    check(Refusal::NoBranch, "GITBOOK_BRANCH");
    check(Refusal::NoEvent, "GITBOOK_EVENT");
}

#[test]
fn the_forge_is_asked_where_something_changes() {
    let check = |run: &Run, mode: &str, expected: bool| {
        let run = run.clone().with_all(&[TOKEN, ("GITBOOK_MODE", mode)]);
        let (config, _) = Config::from_environment(&run.environment()).unwrap();
        let decision = decide(&config, &run.ci().unwrap()).decision;
        assert_eq!(decision.concerns_forge(), expected, "{decision:?}");
    };
    for mode in ["publish", "preview", "delete", "sweep"] {
        check(&push_to("x"), mode, true);
    }
    for mode in ["check", "plan"] {
        check(&push_to("x"), mode, false);
    }
    check(&Run::example("push", 0), "auto", false);
    check(&payloads::schedule(), "preview", false);
}
