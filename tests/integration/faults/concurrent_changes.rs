//! Changes by others between two attempts: the second attempt deletes and overwrites no more than the first
//! may.

use fake_github::FakeGitHub;
use serde_json::{Value, json};

use super::{Row, TestEnvironment, busy, preview, table};
use crate::support::Effect::{self, Done, Lost};
use crate::support::Fault::{self, Meanwhile, Reset, Say};
use crate::support::{Response, payloads};

/// The number of the tested run; the existing preview is version 3 of run 7.
const RUN: u64 = 8;

/// Returns an integration that somebody else has created by hand.
fn third_party() -> Value {
    json!({"name": "hello-fix", "version": 9, "title": "Theirs", "summary": "By hand.", "visibility": "public", "owner": {"id": "acme"}})
}

/// Returns the preview of another run for the same branch.
fn by(run: u64) -> Value {
    let mut preview = preview("hello-fix", run);
    preview["version"] = 9.into();
    preview
}

/// Returns a response of a proxy, which leaves the effect unknown.
fn lost(effect: Effect, meanwhile: Value) -> Fault {
    Meanwhile(effect, Response::error(503, "Come back later"), meanwhile)
}

/// Returns an error of GitBook, which excludes an effect.
fn refused(meanwhile: Value) -> Fault {
    Meanwhile(Lost, Response::error(429, "Too many"), meanwhile)
}

async fn outcome((name, method, faults): &Row<'_>) -> String {
    let environment = TestEnvironment::with_preview().await;
    let mut since = environment.versions();
    // The first fault applies to the first attempt, the others to the reads before the second.
    environment.proxy.fail("GET", Fault::None, 1);
    for (fault, kind) in faults.iter().zip([*method, "GET"]) {
        environment.proxy.fail(kind, fault.clone(), 1);
        if let Meanwhile(_, _, other) = fault {
            since.insert("hello-fix".to_owned(), other["version"].clone());
        }
    }
    let run = environment.run(2);
    let run = match *method {
        "POST" => run.on_github("fix", RUN),
        _ => run.on_github_event("delete", &payloads::delete("fix"), RUN),
    };
    let outcome = environment.outcome_since(since, name, run.variable("GITBOOK_LOG_FORMAT", "text")).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    let other = faults.iter().find_map(|fault| match fault {
        Meanwhile(_, _, other) => Some(other),
        _ => None,
    });
    // An untouched integration keeps every byte.
    if let Some(other) = other.filter(|_| outcome.contains("there: hello-fix 9")) {
        assert_eq!(environment.sandbox.integration("hello-fix"), *other, "{outcome}");
    }
    outcome.replace("::add-mask::<token>\n", "")
}

#[tokio::test]
async fn a_retried_deletion_respects_concurrent_changes() {
    let forbidden = Say(Lost, Response::error(403, "You may not"));
    let rows: &[Row<'_>] = &[
        ("a newer run's, and nobody knows", "DELETE", &[lost(Lost, by(9))]),
        ("a newer run's, after it was gone", "DELETE", &[lost(Done, by(9))]),
        ("a newer run's, after a no", "DELETE", &[refused(by(9))]),
        ("somebody else's, and nobody knows", "DELETE", &[lost(Done, third_party())]),
        ("somebody else's, after a no", "DELETE", &[refused(third_party())]),
        ("an older run's", "DELETE", &[lost(Done, by(6))]),
        ("another attempt of the same run's", "DELETE", &[lost(Done, by(RUN))]),
        ("busy while it is read", "DELETE", &[lost(Lost, by(7)), busy(503)]),
        ("reset while it is read, after a no", "DELETE", &[refused(by(9)), Reset(Done)]),
        ("not to be read, after a no", "DELETE", &[refused(by(7)), forbidden]),
    ];
    insta::assert_snapshot!(table(rows, outcome).await, @"
    == a newer run's, and nobody knows: GET DELETE GET; there: hello-fix 9
    == a newer run's, after it was gone: GET DELETE GET; there: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later
    info: skipped hello-fix (… s): a newer run (9) has published this preview; an earlier attempt at deleting it may have taken effect
    == a newer run's, after a no: GET DELETE GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many
    info: skipped hello-fix (… s): a newer run (9) has published this preview
    == somebody else's, and nobody knows: GET DELETE GET; there: hello-fix 9
    exit 1
    warning: GitBook server error: 503 Come back later
    error: `hello-fix` was not changed: the existing integration “Theirs” was not created by gitbook-deploy; an earlier attempt at deleting it may have taken effect
    == somebody else's, after a no: GET DELETE GET; there: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many
    error: `hello-fix` was not changed: the existing integration “Theirs” was not created by gitbook-deploy
    == an older run's: GET DELETE GET DELETE; there: nothing
    == another attempt of the same run's: GET DELETE GET DELETE; there: nothing
    exit 0
    warning: GitBook server error: 503 Come back later
    info: deleted hello-fix (… s)
    == busy while it is read: GET DELETE GET GET DELETE; there: nothing
    exit 0
    warning: GitBook server error: 503 Come back later
    warning: GitBook server error: 503 Come back later
    info: deleted hello-fix (… s)
    == reset while it is read, after a no: GET DELETE GET GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: skipped hello-fix (… s): a newer run (9) has published this preview
    == not to be read, after a no: GET DELETE GET; there: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many
    error: deleting `hello-fix` failed
    cause: the token lacks a permission: 403 You may not
    ");
}

#[tokio::test]
async fn a_retried_publication_respects_concurrent_changes() {
    let forbidden = Say(Lost, Response::error(403, "You may not"));
    let rows: &[Row<'_>] = &[
        ("a newer run's, and nobody knows", "POST", &[lost(Lost, by(9))]),
        ("a newer run's, over ours", "POST", &[lost(Done, by(9))]),
        ("a newer run's, after a no", "POST", &[refused(by(9))]),
        ("somebody else's, and nobody knows", "POST", &[lost(Done, third_party())]),
        ("somebody else's, after a no", "POST", &[refused(third_party())]),
        ("an older run's", "POST", &[lost(Done, by(6))]),
        ("another attempt of the same run's, with something else", "POST", &[lost(Done, by(RUN))]),
        ("busy while it is read", "POST", &[lost(Lost, by(7)), busy(503)]),
        ("reset while it is read, after a no", "POST", &[refused(by(9)), Reset(Done)]),
        ("not to be read, after a no", "POST", &[refused(by(7)), forbidden]),
    ];
    insta::assert_snapshot!(table(rows, outcome).await, @"
    == a newer run's, and nobody knows: GET POST GET; there: hello-fix 9
    == a newer run's, over ours: GET POST GET; there: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later
    info: skipped hello-fix (0.1 KiB, … s): a newer run (9) has published this preview; an earlier attempt at publishing it may have taken effect
    == a newer run's, after a no: GET POST GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many
    info: skipped hello-fix (0.1 KiB, … s): a newer run (9) has published this preview
    == somebody else's, and nobody knows: GET POST GET; there: hello-fix 9
    exit 1
    warning: GitBook server error: 503 Come back later
    error: `hello-fix` was not changed: the existing integration “Theirs” was not created by gitbook-deploy; an earlier attempt at publishing it may have taken effect
    == somebody else's, after a no: GET POST GET; there: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many
    error: `hello-fix` was not changed: the existing integration “Theirs” was not created by gitbook-deploy
    == an older run's: GET POST GET POST GET; there: hello-fix 10
    == another attempt of the same run's, with something else: GET POST GET POST GET; there: hello-fix 10
    exit 0
    warning: GitBook server error: 503 Come back later
    info: published hello-fix v10 (0.1 KiB, … s)
    == busy while it is read: GET POST GET GET POST GET; there: hello-fix 10
    exit 0
    warning: GitBook server error: 503 Come back later
    warning: GitBook server error: 503 Come back later
    info: published hello-fix v10 (0.1 KiB, … s)
    == reset while it is read, after a no: GET POST GET GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: skipped hello-fix (0.1 KiB, … s): a newer run (9) has published this preview
    == not to be read, after a no: GET POST GET; there: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many
    error: publishing `hello-fix` failed
    cause: the token lacks a permission: 403 You may not
    ");
}

/// A preview with the run's own marker existed before the first attempt, so it is no trace of that attempt.
#[tokio::test]
async fn republishes_despite_failed_attempts() {
    let environment = TestEnvironment::new().await;
    let run = || environment.run(1).on_github("fix", RUN).variable("GITBOOK_SKIP_UNCHANGED", "false");
    for (version, effect) in [(1, None), (2, Some(Lost)), (3, Some(Done))] {
        if let Some(effect) = effect {
            environment.proxy.fail("POST", Say(effect, Response::error(503, "Come back later")), 1);
        }
        let finished = run().run().await;
        assert_eq!(finished.output("result"), "published", "{}", finished.log());
        assert_eq!(environment.sandbox.integration("hello-fix")["version"], version, "{}", finished.log());
    }
    assert_eq!(environment.proxy.requests().join(" "), "GET POST GET GET POST GET POST GET GET POST GET GET");
}

/// No deployment stays in progress, and none has failed.
#[tokio::test]
async fn the_deployment_of_a_superseded_publication_is_inactive() {
    let (environment, forge) = (TestEnvironment::with_preview().await, FakeGitHub::start().await);
    let sha = "1".repeat(40);
    forge.set_branch("fix", &sha);
    environment.proxy.fail("POST", lost(Done, by(9)), 1);
    let run =
        environment.run(1).on_github_event("push", &payloads::push("fix", &sha), RUN).with_forge(&forge);
    let finished = run.run().await;
    assert_eq!(
        (finished.code, finished.output("result")),
        (Some(0), "skipped".to_owned()),
        "{}",
        finished.log()
    );
    let deployments = forge.deployments();
    let states: Vec<_> = deployments.iter().map(|one| one.statuses.last().unwrap().state.clone()).collect();
    assert_eq!(states, ["inactive"], "{deployments:?}");
}
