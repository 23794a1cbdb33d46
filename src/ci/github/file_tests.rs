//! Tests event files that are missing, damaged or too large, and variables that replace the event file.

use serde_json::Value;

use crate::ci::test_payloads::{self, WorkflowRun};
use crate::ci::test_support::describe_event;
use crate::ci::{Event, PullRequestOrigin};
use crate::repository::Branch;

const HINT: &str = "set `GITBOOK_EVENT` and `GITBOOK_BRANCH`";

#[track_caller]
fn check_error(result: Result<crate::ci::Ci, String>, expected: &str) {
    let error = result.unwrap_err();
    assert!(error.starts_with(expected), "{error}");
    assert!(error.contains(HINT), "{error}");
}

#[test]
fn rejects_a_file_that_does_not_contain_the_event() {
    let run = test_payloads::push_to("x");
    let problem = "the event file named by `GITHUB_EVENT_PATH` is not a valid `push` event";
    for bytes in [&b""[..], b"push", b"[]", b"null", b"{\"ref\": 1}", b"{\"repository\": {}}", b"\xff\xfe{}"]
    {
        check_error(run.ci_with_event_file(bytes), problem);
    }
}

#[test]
fn rejects_a_file_without_required_fields() {
    for event in ["pull_request", "pull_request_target", "delete"] {
        let run = test_payloads::pull_request("opened", 1, "x").with("GITHUB_EVENT_NAME", event);
        check_error(
            run.ci_with_event_file(b"{}"),
            &format!("the event file named by `GITHUB_EVENT_PATH` is not a valid `{event}` event"),
        );
    }
}

#[test]
fn names_the_missing_field() {
    let check = |run: WorkflowRun, field: &str| {
        assert_eq!(run.detection_error(), format!("missing field `{field}`"), "{run:?}");
    };
    let pull_request =
        |event| test_payloads::pull_request("opened", 12, "x").with("GITHUB_EVENT_NAME", event);
    for event in ["pull_request", "pull_request_target"] {
        check(pull_request(event).edit_payload("/pull_request", Value::Null), "pull_request");
        let unnumbered = pull_request(event).edit_payload("/number", Value::Null);
        check(unnumbered.edit_payload("/pull_request/number", Value::Null), "number");
    }
    check(test_payloads::delete_event("x").edit_payload("/ref", Value::Null), "ref");
    check(test_payloads::delete_event("x").edit_payload("/ref_type", Value::Null), "ref_type");
}

#[test]
fn rejects_a_missing_file() {
    let missing = "could not read the event file named by `GITHUB_EVENT_PATH`";
    let run = test_payloads::pull_request("opened", 1, "x");
    check_error(
        run.clone().with("GITHUB_EVENT_PATH", "/nowhere/event.json").ci_without_event_file(),
        missing,
    );
    check_error(
        run.clone().with("GITHUB_EVENT_PATH", env!("CARGO_MANIFEST_DIR")).ci_without_event_file(),
        missing,
    );
    // The variables alone do not show whether a pull request comes from a fork.
    let unset = "could not read the event file: `GITHUB_EVENT_PATH` is not set";
    check_error(run.ci_without_event_file(), unset);
    check_error(test_payloads::delete_event("x").ci_without_event_file(), unset);
}

#[test]
fn detects_a_push_without_a_file() {
    let ci = test_payloads::push_to("x").ci_without_event_file().unwrap();
    assert_eq!(ci.event, Event::Push(Branch::new("x")));
    assert_eq!(ci.default_branch, None);
    assert_eq!(ci.commit.as_deref(), Some(test_payloads::GITHUB_SHA));
}

#[test]
fn rejects_a_file_above_32_mib() {
    let of_size = |size| {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(size).unwrap();
        test_payloads::push_to("x")
            .with("GITHUB_EVENT_PATH", file.path().to_str().unwrap())
            .ci_without_event_file()
    };
    const MAX: u64 = 32 * 1024 * 1024;
    check_error(
        of_size(MAX + 1),
        "the event file named by `GITHUB_EVENT_PATH` is 33554433 bytes; the limit is 32 MiB",
    );
    check_error(of_size(MAX), "the event file named by `GITHUB_EVENT_PATH` is not a valid `push` event");
}

/// Reading `/dev/zero` would never end.
#[cfg(unix)]
#[test]
fn rejects_a_device() {
    let found = test_payloads::push_to("x").with("GITHUB_EVENT_PATH", "/dev/zero").ci_without_event_file();
    check_error(found, "could not read the event file named by `GITHUB_EVENT_PATH`");
}

#[test]
fn accepts_the_variables_from_the_hint_instead_of_the_file() {
    let with_event = |run: WorkflowRun| run.with("GITBOOK_EVENT", "closed").with("GITBOOK_BRANCH", "x");
    let run = with_event(test_payloads::pull_request("opened", 1, "y"));
    let expected = Event::BranchDeleted(Branch::new("x"));
    assert_eq!(run.ci_without_event_file().unwrap().event, expected);
    for bytes in [&b""[..], b"[]", b"{}"] {
        assert_eq!(run.ci_with_event_file(bytes).unwrap().event, expected);
    }
}

#[test]
fn requires_the_file_for_pull_request_target() {
    let run = test_payloads::as_pull_request_target(test_payloads::pull_request("opened", 1, "y"));
    let run = run.with("GITBOOK_EVENT", "push").with("GITBOOK_BRANCH", "main");
    assert!(run.ci_without_event_file().is_err());
    for bytes in [&b""[..], b"[]", b"{}"] {
        assert!(run.ci_with_event_file(bytes).is_err());
    }
}

#[test]
fn variables_take_precedence_over_the_payload() {
    let check = |run: WorkflowRun, variables: &[(&str, &str)], expected: Event| {
        assert_eq!(run.with_all(variables).ci().unwrap().event, expected);
    };
    check(test_payloads::push_to("x"), &[("GITBOOK_BRANCH", "y")], Event::Push(Branch::new("y")));
    check(
        test_payloads::delete_event("x"),
        &[("GITBOOK_BRANCH", "y")],
        Event::BranchDeleted(Branch::new("y")),
    );
    check(test_payloads::push_to("x"), &[("GITBOOK_EVENT", "schedule")], Event::Schedule);
    // `GITBOOK_BRANCH` does not turn a scheduled run into a push.
    check(test_payloads::scheduled_run(), &[("GITBOOK_BRANCH", "y")], Event::Schedule);
    let variables = [
        ("GITBOOK_DEFAULT_BRANCH", "refs/heads/d"),
        ("GITBOOK_COMMIT", "c"),
        ("GITBOOK_REPOSITORY", "h.x/o/r"),
    ];
    let ci = test_payloads::push_to("x").with_all(&variables).ci().unwrap();
    let found = [ci.default_branch, ci.commit, ci.repository].map(Option::unwrap);
    assert_eq!(found, ["d", "c", "h.x/o/r"]);
}

#[test]
fn variables_can_replace_the_pull_request() {
    let run = test_payloads::pull_request("opened", 12, "x");
    let run = run.with("GITBOOK_BRANCH", "y").with("GITBOOK_PULL_REQUEST", "13");
    assert_eq!(describe_event(&run.ci().unwrap().event), "#13 of y updated");
}

#[test]
fn variables_cannot_hide_a_fork() {
    let check = |variables: &[(&str, &str)], branch: &str| {
        let run = test_payloads::as_pull_request_target(test_payloads::pull_request_from_fork(
            "opened", 12, "main",
        ))
        .with_all(variables);
        let Event::PullRequest(pull_request) = run.ci().unwrap().event else { panic!("{variables:?}") };
        assert_eq!(pull_request.origin, PullRequestOrigin::Fork, "{variables:?}");
        assert!(pull_request.has_base_secrets, "{variables:?}");
        assert_eq!(pull_request.branch.as_str(), branch, "{variables:?}");
    };
    check(&[], "mona:main");
    // The result of `GITBOOK_BRANCH: ${{ github.head_ref || github.ref_name }}` in a workflow.
    check(&[("GITBOOK_BRANCH", "main")], "mona:main");
    check(&[("GITBOOK_EVENT", "pull_request")], "mona:main");
    check(&[("GITBOOK_EVENT", "closed"), ("GITBOOK_BRANCH", "main")], "mona:main");
    check(&[("GITBOOK_BRANCH", "other")], "other");
}
