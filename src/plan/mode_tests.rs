//! Modes that are asked for by name, templates with `{pr}`, and the mistakes that other tools made.

use super::tests::{TOKEN, decision};
use crate::ci::payloads::{self, Run, as_base, merged, of_fork, of_lost_fork, pull_request, push_to};
use crate::preview::{Branch, Template};

const BY_NUMBER: (&str, &str) = ("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}");

#[track_caller]
fn check(run: &Run, variables: &[(&str, &str)], expected: &str) {
    let with_token: Vec<_> = variables.iter().copied().chain([TOKEN]).collect();
    assert_eq!(decision(run, &with_token).0, expected, "{run:?}, {variables:?}");
}

fn mode(mode: &'static str) -> (&'static str, &'static str) {
    ("GITBOOK_MODE", mode)
}

#[test]
fn a_mode_is_done_whatever_the_event() {
    let runs =
        [push_to("x"), Run::example("push", 0), pull_request("labeled", 12, "x"), Run::example("release", 1)];
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
fn a_preview_is_of_the_event_s_branch() {
    check(&push_to("master"), &[mode("preview")], "preview of master");
    check(&pull_request("labeled", 12, "x"), &[mode("preview")], "preview of x (#12)");
    check(&of_fork("opened", 12, "main"), &[mode("preview")], "preview of mona:main (#12)");
    check(&payloads::delete_of("x"), &[mode("delete")], "delete of x");
    check(&pull_request("opened", 12, "x"), &[mode("delete")], "delete of x (#12)");
    for mode in [mode("preview"), mode("delete")] {
        let expected = "refused, there is no branch whose preview this could be about";
        check(&payloads::schedule(), &[mode], expected);
        check(&Run::example("push", 0), &[mode], expected);
        assert_eq!(decision(&push_to("x"), &[mode]).0, "refused, `GITBOOK_TOKEN` is unset or empty");
    }
}

#[test]
fn any_branch_s_preview_is_deleted_by_hand() {
    let by_hand = [mode("delete"), ("GITBOOK_BRANCH", "old")];
    for run in [push_to("x"), payloads::manual("refs/heads/master"), payloads::manual("refs/tags/v1")] {
        check(&run, &by_hand, "delete of old");
    }
    for run in [payloads::schedule(), Run::example("push", 0), Run::example("release", 0)] {
        check(&run, &by_hand, "delete of old");
        check(&run, &[mode("preview"), ("GITBOOK_BRANCH", "new")], "preview of new");
    }
    let by_number = [mode("delete"), BY_NUMBER, ("GITBOOK_BRANCH", "old"), ("GITBOOK_PULL_REQUEST", "12")];
    for run in [push_to("x"), payloads::manual("refs/heads/master"), payloads::delete_of("x")] {
        check(&run, &by_number, "delete of old (#12)");
    }
}

#[test]
fn a_stranger_s_script_is_published_by_no_mode() {
    let run = as_base(of_fork("opened", 12, "main"));
    let refused = "refused, a fork's change is not deployed by a run that has the base repository's secrets";
    check(&run, &[mode("publish")], refused);
    check(&run, &[mode("preview")], refused);
    check(&run, &[mode("preview"), ("GITBOOK_EVENT", "pull_request")], refused);
    check(&run, &[mode("delete")], "delete of mona:main (#12)");
    check(&run, &[mode("check")], "check");
}

#[test]
fn a_plan_says_what_the_event_means_and_why() {
    let check = |run: &Run, variables: &[(&str, &str)], expected: &str, reason: &str| {
        let variables: Vec<_> = variables.iter().copied().chain([mode("plan")]).collect();
        let reason = format!("`GITBOOK_MODE=plan`; on its own this event means {reason}");
        assert_eq!(decision(run, &variables), (expected.to_owned(), reason), "{run:?}");
    };
    let push = "`publish`: push to the production branch `master`";
    check(&push_to("master"), &[TOKEN], "plan (publish)", push);
    check(&push_to("x"), &[TOKEN], "plan (preview of x)", "`preview`: push to branch `x`");
    let closed = "`delete`: pull request #12 from `x` was closed";
    check(&merged(12, "x"), &[TOKEN], "plan (delete of x (#12))", closed);
    check(&payloads::schedule(), &[TOKEN], "plan (sweep)", "`sweep`: scheduled run");
    let without = "`check`: pull request #12 was updated, but there is no token: checked, not published";
    check(&pull_request("opened", 12, "x"), &[], "plan (check)", without);
    // The token is the later job's.
    check(&push_to("master"), &[], "plan (publish)", push);
    let unknown = [("GITBOOK_EVENT", "push"), ("GITBOOK_BRANCH", "x"), ("GITHUB_ACTIONS", "")];
    let refused = "plan (refused, the production branch is not known)";
    check(&push_to("x"), &unknown, refused, "`refuse`: push to branch `x`");
}

#[test]
fn a_stranger_s_script_is_published_under_no_other_event_s_name() {
    let run = as_base(of_fork("opened", 12, "evil"));
    let refused = "refused, a fork's change is not deployed by a run that has the base repository's secrets";
    let as_event = |event, branch| [TOKEN, ("GITBOOK_EVENT", event), ("GITBOOK_BRANCH", branch)];
    for event in ["push", "manual", "release", "pull_request"] {
        check(&run, &as_event(event, "master"), refused);
        check(&run, &as_event(event, "evil"), refused);
    }
}

#[test]
fn with_a_number_in_their_name_only_pull_requests_have_previews() {
    let why = "; only pull requests have previews, since `GITBOOK_PREVIEW_NAME` holds `{pr}`";
    let none = |run: &Run, reason: &str| {
        for token in [TOKEN, ("GITBOOK_TOKEN", "")] {
            let expected = ("nothing".to_owned(), format!("{reason}{why}"));
            assert_eq!(decision(run, &[token, BY_NUMBER]), expected);
        }
    };
    none(&push_to("x"), "push to branch `x`");
    none(&payloads::manual("refs/heads/x"), "manual run on branch `x`");
    none(&payloads::delete_of("x"), "branch `x` was deleted");
    none(&payloads::push_deleting("x"), "branch `x` was deleted");
    check(&push_to("master"), &[BY_NUMBER], "publish");
    check(&pull_request("opened", 12, "x"), &[BY_NUMBER], "preview of x (#12)");
    check(&merged(12, "x"), &[BY_NUMBER], "delete of x (#12)");
    check(&payloads::schedule(), &[BY_NUMBER], "sweep");
}

// Mistakes that other tools made.

#[test]
fn mistake_a_fork_s_branch_called_main_is_taken_for_production() {
    // `GITHUB_HEAD_REF || GITHUB_REF_NAME` is `master` here.
    check(&of_fork("opened", 12, "master"), &[], "preview of mona:master (#12)");
    check(&of_fork("opened", 12, "master"), &[("GITBOOK_BRANCH", "master")], "preview of mona:master (#12)");
    check(&of_fork("closed", 12, "master"), &[("GITBOOK_BRANCH", "master")], "delete of mona:master (#12)");
    let any = ("GITBOOK_PRODUCTION_BRANCH", "*");
    check(&of_fork("opened", 12, "master"), &[any], "preview of mona:master (#12)");
    check(&pull_request("opened", 12, "master"), &[any], "preview of master (#12)");
}

#[test]
fn mistake_a_merged_pull_request_deploys_production() {
    // `GITHUB_REF` is the base branch on all of these.
    check(&merged(12, "x"), &[], "delete of x (#12)");
    check(&as_base(merged(12, "x")), &[], "delete of x (#12)");
    check(&payloads::delete_of("x"), &[], "delete of x");
    check(&payloads::push_deleting("x"), &[], "delete of x");
    check(&payloads::push_deleting("master"), &[], "delete of master");
}

#[test]
fn mistake_closed_is_an_update_like_any_other() {
    for run in [merged(12, "x"), pull_request("closed", 12, "x")] {
        check(&run, &[], "delete of x (#12)");
        assert_ne!(decision(&run, &[]).0, "check");
    }
}

#[test]
fn mistake_pull_request_1_is_found_in_12() {
    let template: Template = "{name}-pr-{pr}".parse().unwrap();
    let name = |number| template.name("hello", &Branch::new("x"), Some(number));
    assert_eq!((name(1), name(12)), ("hello-pr-1".to_owned(), "hello-pr-12".to_owned()));
    check(&merged(1, "x"), &[BY_NUMBER], "delete of x (#1)");
    check(&merged(12, "x"), &[BY_NUMBER], "delete of x (#12)");
}

#[test]
fn mistake_a_crash_when_the_fork_is_gone() {
    check(&of_lost_fork("closed", 12, "main"), &[], "delete of mona:main (#12)");
    check(&of_lost_fork("opened", 12, "main"), &[], "preview of mona:main (#12)");
}

#[test]
fn mistake_two_long_branches_share_a_name_or_end_in_a_dash() {
    let name = |branch: &str| Template::default().name("hello", &Branch::new(branch), None);
    let long = "feature/".to_owned() + &"very-".repeat(30);
    let [one, other] = ["one", "other"].map(|end| name(&format!("{long}{end}")));
    assert_ne!(one, other);
    for cut in 1..long.len() {
        let name = name(&long[..cut]);
        assert!(name.len() <= 100 && !name.ends_with('-') && !name.contains("--"), "{name}");
    }
}

#[test]
fn mistake_a_last_segment_called_main_is_taken_for_production() {
    check(&push_to("feature/master"), &[], "preview of feature/master");
    check(&payloads::manual("refs/heads/feature/master"), &[], "preview of feature/master");
}
