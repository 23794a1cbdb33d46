//! The event file: missing, damaged, too large, or replaced by what the variables say.

use serde_json::Value;

use crate::ci::payloads::{self, Run};
use crate::ci::test_support::described;
use crate::ci::{Author, Event};
use crate::preview::Branch;

const HINT: &str = "say what happened with `GITBOOK_EVENT` and `GITBOOK_BRANCH`";

#[track_caller]
fn refused(found: Result<crate::ci::Ci, String>, expected: &str) {
    let error = found.unwrap_err();
    assert!(error.starts_with(expected), "{error}");
    assert!(error.contains(HINT), "{error}");
}

#[test]
fn a_file_that_is_no_event() {
    let run = payloads::push_to("x");
    let problem = "the event file that `GITHUB_EVENT_PATH` names is no `push` event";
    for bytes in [&b""[..], b"push", b"[]", b"null", b"{\"ref\": 1}", b"{\"repository\": {}}", b"\xff\xfe{}"]
    {
        refused(run.ci_of_file(bytes), problem);
    }
}

#[test]
fn a_file_without_what_its_event_is_about() {
    for event in ["pull_request", "pull_request_target", "delete"] {
        let run = payloads::pull_request("opened", 1, "x").with("GITHUB_EVENT_NAME", event);
        refused(
            run.ci_of_file(b"{}"),
            &format!("the event file that `GITHUB_EVENT_PATH` names is no `{event}` event"),
        );
    }
}

#[test]
fn what_the_file_lacks_is_named() {
    let check =
        |run: Run, field: &str| assert_eq!(run.cause(), format!("missing field `{field}`"), "{run:?}");
    let request = |event| payloads::pull_request("opened", 12, "x").with("GITHUB_EVENT_NAME", event);
    for event in ["pull_request", "pull_request_target"] {
        check(request(event).edit("/pull_request", Value::Null), "pull_request");
        let unnumbered = request(event).edit("/number", Value::Null);
        check(unnumbered.edit("/pull_request/number", Value::Null), "number");
    }
    check(payloads::delete_of("x").edit("/ref", Value::Null), "ref");
    check(payloads::delete_of("x").edit("/ref_type", Value::Null), "ref_type");
}

#[test]
fn a_file_that_is_not_there() {
    let missing = "the event file that `GITHUB_EVENT_PATH` names can't be read";
    let run = payloads::pull_request("opened", 1, "x");
    refused(run.clone().with("GITHUB_EVENT_PATH", "/nowhere/event.json").ci_of_variables(), missing);
    refused(run.clone().with("GITHUB_EVENT_PATH", env!("CARGO_MANIFEST_DIR")).ci_of_variables(), missing);
    // Without the file, a pull request of a fork can't be described from one of the repository itself.
    refused(run.ci_of_variables(), missing);
    refused(payloads::delete_of("x").ci_of_variables(), missing);
}

#[test]
fn a_push_is_told_by_variables_too() {
    let ci = payloads::push_to("x").ci_of_variables().unwrap();
    assert_eq!(ci.event, Event::Push(Branch::new("x")));
    assert_eq!(ci.default_branch, None);
    assert_eq!(ci.commit.as_deref(), Some(payloads::GITHUB_SHA));
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let of_size = |size| {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(size).unwrap();
        payloads::push_to("x").with("GITHUB_EVENT_PATH", file.path().to_str().unwrap()).ci_of_variables()
    };
    const MOST: u64 = 32 * 1024 * 1024;
    refused(
        of_size(MOST + 1),
        "the event file that `GITHUB_EVENT_PATH` names has 33554433 bytes, 32 MiB are the most",
    );
    refused(of_size(MOST), "the event file that `GITHUB_EVENT_PATH` names is no `push` event");
}

/// It has no length, and nothing would end the reading but the memory's end.
#[cfg(unix)]
#[test]
fn a_device_is_not_read() {
    let found = payloads::push_to("x").with("GITHUB_EVENT_PATH", "/dev/zero").ci_of_variables();
    refused(found, "the event file that `GITHUB_EVENT_PATH` names can't be read");
}

#[test]
fn what_the_hint_asks_for_helps() {
    let said = |run: Run| run.with("GITBOOK_EVENT", "closed").with("GITBOOK_BRANCH", "x");
    let run = said(payloads::pull_request("opened", 1, "y"));
    let expected = Event::BranchDeleted(Branch::new("x"));
    assert_eq!(run.ci_of_variables().unwrap().event, expected);
    for bytes in [&b""[..], b"[]", b"{}"] {
        assert_eq!(run.ci_of_file(bytes).unwrap().event, expected);
    }
}

#[test]
fn whose_pull_request_runs_with_the_base_s_rights_is_never_a_guess() {
    let run = payloads::as_base(payloads::pull_request("opened", 1, "y"));
    let run = run.with("GITBOOK_EVENT", "push").with("GITBOOK_BRANCH", "main");
    assert!(run.ci_of_variables().is_err());
    for bytes in [&b""[..], b"[]", b"{}"] {
        assert!(run.ci_of_file(bytes).is_err());
    }
}

#[test]
fn what_the_variables_say_goes_first() {
    let check = |run: Run, variables: &[(&str, &str)], expected: Event| {
        assert_eq!(run.with_all(variables).ci().unwrap().event, expected);
    };
    check(payloads::push_to("x"), &[("GITBOOK_BRANCH", "y")], Event::Push(Branch::new("y")));
    check(payloads::delete_of("x"), &[("GITBOOK_BRANCH", "y")], Event::BranchDeleted(Branch::new("y")));
    check(payloads::push_to("x"), &[("GITBOOK_EVENT", "schedule")], Event::Schedule);
    // A scheduled run stays one.
    check(payloads::schedule(), &[("GITBOOK_BRANCH", "y")], Event::Schedule);
    let given = [
        ("GITBOOK_DEFAULT_BRANCH", "refs/heads/d"),
        ("GITBOOK_COMMIT", "c"),
        ("GITBOOK_REPOSITORY", "h.x/o/r"),
    ];
    let ci = payloads::push_to("x").with_all(&given).ci().unwrap();
    let found = [ci.default_branch, ci.commit, ci.repository].map(Option::unwrap);
    assert_eq!(found, ["d", "c", "h.x/o/r"]);
}

#[test]
fn another_pull_request_can_be_named() {
    let run = payloads::pull_request("opened", 12, "x");
    let named = run.with("GITBOOK_BRANCH", "y").with("GITBOOK_PULL_REQUEST", "13");
    assert_eq!(described(&named.ci().unwrap().event), "#13 of y updated");
}

#[test]
fn a_fork_stays_a_fork_whatever_the_variables_say() {
    let check = |variables: &[(&str, &str)], branch: &str| {
        let run = payloads::as_base(payloads::of_fork("opened", 12, "main")).with_all(variables);
        let Event::PullRequest(pull_request) = run.ci().unwrap().event else { panic!("{variables:?}") };
        assert_eq!(pull_request.author, Author::Fork, "{variables:?}");
        assert!(pull_request.runs_as_base, "{variables:?}");
        assert_eq!(pull_request.branch.as_str(), branch, "{variables:?}");
    };
    check(&[], "mona:main");
    // As in `GITBOOK_BRANCH: ${{ github.head_ref || github.ref_name }}`.
    check(&[("GITBOOK_BRANCH", "main")], "mona:main");
    check(&[("GITBOOK_EVENT", "pull_request")], "mona:main");
    check(&[("GITBOOK_EVENT", "closed"), ("GITBOOK_BRANCH", "main")], "mona:main");
    check(&[("GITBOOK_BRANCH", "other")], "other");
}
