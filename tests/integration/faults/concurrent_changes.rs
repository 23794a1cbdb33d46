//! Changes by others between two attempts. A retry must not delete or overwrite anything that the first attempt must not.

use fake_github::FakeGitHub;
use serde_json::{Value, json};

use super::{TestCase, TestEnvironment, gitbook_error, outcome_table, preview};
use crate::support::Effect::{self, Applied, Dropped};
use crate::support::Fault::{self, Reset, Respond, RespondAfterChange};
use crate::support::{Response, payloads};

/// The number of the tested run; the existing preview is version 3 of run 7.
const RUN_NUMBER: u64 = 8;

/// Returns an integration that somebody else has created by hand.
fn third_party() -> Value {
    json!({"name": "hello-fix", "version": 9, "title": "Theirs", "summary": "By hand.", "visibility": "public", "owner": {"id": "acme"}})
}

/// Returns a preview of the same branch that this run has published.
fn preview_of_run(run: u64) -> Value {
    let mut preview = preview("hello-fix", run);
    preview["version"] = 9.into();
    preview
}

/// Returns a fault after which the program cannot know the effect: a 503 response, while another client stores an integration.
fn unanswered(effect: Effect, other: Value) -> Fault {
    RespondAfterChange(effect, Response::error(503, "Come back later"), other)
}

/// Returns a fault without an effect: a 429 response, while another client stores an integration.
fn rejected(other: Value) -> Fault {
    RespondAfterChange(Dropped, Response::error(429, "Too many"), other)
}

async fn outcome((name, method, faults): &TestCase<'_>) -> String {
    let environment = TestEnvironment::with_preview().await;
    let mut before = environment.versions();
    // The first fault applies to the first attempt, the second fault to the read before the retry.
    environment.proxy.fail("GET", Fault::None, 1);
    for (fault, kind) in faults.iter().zip([*method, "GET"]) {
        environment.proxy.fail(kind, fault.clone(), 1);
        if let RespondAfterChange(_, _, other) = fault {
            before.insert("hello-fix".to_owned(), other["version"].clone());
        }
    }
    let run = environment.run(2);
    let run = match *method {
        "POST" => run.on_github("fix", RUN_NUMBER),
        _ => run.on_github_event("delete", &payloads::delete("fix"), RUN_NUMBER),
    };
    let outcome = environment.outcome_since(before, name, run.variable("GITBOOK_LOG_FORMAT", "text")).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    let other = faults.iter().find_map(|fault| match fault {
        RespondAfterChange(_, _, other) => Some(other),
        _ => None,
    });
    // The integration that another client has stored must be unchanged.
    if let Some(other) = other.filter(|_| outcome.contains("stored: hello-fix 9")) {
        assert_eq!(environment.sandbox.integration("hello-fix"), *other, "{outcome}");
    }
    outcome.replace("::add-mask::<token>\n", "")
}

#[tokio::test]
async fn a_retried_deletion_respects_concurrent_changes() {
    let forbidden = Respond(Dropped, Response::error(403, "You may not"));
    let cases: &[TestCase<'_>] = &[
        ("newer run, unknown effect", "DELETE", &[unanswered(Dropped, preview_of_run(9))]),
        ("newer run, after a successful deletion", "DELETE", &[unanswered(Applied, preview_of_run(9))]),
        ("newer run, after a rejection", "DELETE", &[rejected(preview_of_run(9))]),
        ("third party, unknown effect", "DELETE", &[unanswered(Applied, third_party())]),
        ("third party, after a rejection", "DELETE", &[rejected(third_party())]),
        ("older run, unknown effect", "DELETE", &[unanswered(Applied, preview_of_run(6))]),
        ("same run, unknown effect", "DELETE", &[unanswered(Applied, preview_of_run(RUN_NUMBER))]),
        (
            "failed read, unknown effect",
            "DELETE",
            &[unanswered(Dropped, preview_of_run(7)), gitbook_error(503)],
        ),
        ("read reset, after a rejection", "DELETE", &[rejected(preview_of_run(9)), Reset(Applied)]),
        ("read forbidden, after a rejection", "DELETE", &[rejected(preview_of_run(7)), forbidden]),
    ];
    insta::assert_snapshot!(outcome_table(cases, outcome).await, @"
    == newer run, unknown effect: GET DELETE GET; stored: hello-fix 9
    == newer run, after a successful deletion: GET DELETE GET; stored: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later
    info: skipped hello-fix (… s): a newer run (9) has published this preview; an earlier request may have deleted `hello-fix`
    == newer run, after a rejection: GET DELETE GET; stored: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many
    info: skipped hello-fix (… s): a newer run (9) has published this preview
    == third party, unknown effect: GET DELETE GET; stored: hello-fix 9
    exit 1
    warning: GitBook server error: 503 Come back later
    error: `hello-fix` was not changed: the existing integration “Theirs” was not created by gitbook-deploy; an earlier request may have deleted `hello-fix`
    == third party, after a rejection: GET DELETE GET; stored: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many
    error: `hello-fix` was not changed: the existing integration “Theirs” was not created by gitbook-deploy
    == older run, unknown effect: GET DELETE GET DELETE; stored: nothing
    == same run, unknown effect: GET DELETE GET DELETE; stored: nothing
    exit 0
    warning: GitBook server error: 503 Come back later
    info: deleted hello-fix (… s)
    == failed read, unknown effect: GET DELETE GET GET DELETE; stored: nothing
    exit 0
    warning: GitBook server error: 503 Come back later
    warning: GitBook server error: 503 Come back later
    info: deleted hello-fix (… s)
    == read reset, after a rejection: GET DELETE GET GET; stored: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: skipped hello-fix (… s): a newer run (9) has published this preview
    == read forbidden, after a rejection: GET DELETE GET; stored: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many
    error: deleting `hello-fix` failed
    cause: the token lacks a permission: 403 You may not
    ");
}

#[tokio::test]
async fn a_retried_publication_respects_concurrent_changes() {
    let forbidden = Respond(Dropped, Response::error(403, "You may not"));
    let cases: &[TestCase<'_>] = &[
        ("newer run, unknown effect", "POST", &[unanswered(Dropped, preview_of_run(9))]),
        ("newer run, after a successful publication", "POST", &[unanswered(Applied, preview_of_run(9))]),
        ("newer run, after a rejection", "POST", &[rejected(preview_of_run(9))]),
        ("third party, unknown effect", "POST", &[unanswered(Applied, third_party())]),
        ("third party, after a rejection", "POST", &[rejected(third_party())]),
        ("older run, unknown effect", "POST", &[unanswered(Applied, preview_of_run(6))]),
        (
            "same run with other content, unknown effect",
            "POST",
            &[unanswered(Applied, preview_of_run(RUN_NUMBER))],
        ),
        (
            "failed read, unknown effect",
            "POST",
            &[unanswered(Dropped, preview_of_run(7)), gitbook_error(503)],
        ),
        ("read reset, after a rejection", "POST", &[rejected(preview_of_run(9)), Reset(Applied)]),
        ("read forbidden, after a rejection", "POST", &[rejected(preview_of_run(7)), forbidden]),
    ];
    insta::assert_snapshot!(outcome_table(cases, outcome).await, @"
    == newer run, unknown effect: GET POST GET; stored: hello-fix 9
    == newer run, after a successful publication: GET POST GET; stored: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later
    info: skipped hello-fix (0.1 KiB, … s): a newer run (9) has published this preview; an earlier request may have published `hello-fix`
    == newer run, after a rejection: GET POST GET; stored: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many
    info: skipped hello-fix (0.1 KiB, … s): a newer run (9) has published this preview
    == third party, unknown effect: GET POST GET; stored: hello-fix 9
    exit 1
    warning: GitBook server error: 503 Come back later
    error: `hello-fix` was not changed: the existing integration “Theirs” was not created by gitbook-deploy; an earlier request may have published `hello-fix`
    == third party, after a rejection: GET POST GET; stored: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many
    error: `hello-fix` was not changed: the existing integration “Theirs” was not created by gitbook-deploy
    == older run, unknown effect: GET POST GET POST GET; stored: hello-fix 10
    == same run with other content, unknown effect: GET POST GET POST GET; stored: hello-fix 10
    exit 0
    warning: GitBook server error: 503 Come back later
    info: published hello-fix v10 (0.1 KiB, … s)
    == failed read, unknown effect: GET POST GET GET POST GET; stored: hello-fix 10
    exit 0
    warning: GitBook server error: 503 Come back later
    warning: GitBook server error: 503 Come back later
    info: published hello-fix v10 (0.1 KiB, … s)
    == read reset, after a rejection: GET POST GET GET; stored: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: skipped hello-fix (0.1 KiB, … s): a newer run (9) has published this preview
    == read forbidden, after a rejection: GET POST GET; stored: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many
    error: publishing `hello-fix` failed
    cause: the token lacks a permission: 403 You may not
    ");
}

/// A preview with the run's own marker exists before the first attempt, so it does not prove that the attempt succeeded.
#[tokio::test]
async fn republishes_its_own_preview_after_a_failed_attempt() {
    let environment = TestEnvironment::new().await;
    let run = || environment.run(1).on_github("fix", RUN_NUMBER).variable("GITBOOK_SKIP_UNCHANGED", "false");
    for (version, effect) in [(1, None), (2, Some(Dropped)), (3, Some(Applied))] {
        if let Some(effect) = effect {
            environment.proxy.fail("POST", Respond(effect, Response::error(503, "Come back later")), 1);
        }
        let finished = run().run().await;
        assert_eq!(finished.output("result"), "published", "{}", finished.log());
        assert_eq!(environment.sandbox.integration("hello-fix")["version"], version, "{}", finished.log());
    }
    assert_eq!(environment.proxy.requests().join(" "), "GET POST GET GET POST GET POST GET GET POST GET GET");
}

#[tokio::test]
async fn marks_the_deployment_of_a_superseded_publication_inactive() {
    let (environment, forge) = (TestEnvironment::with_preview().await, FakeGitHub::start().await);
    let sha = "1".repeat(40);
    forge.set_branch("fix", &sha);
    environment.proxy.fail("POST", unanswered(Applied, preview_of_run(9)), 1);
    let run = environment
        .run(1)
        .on_github_event("push", &payloads::push("fix", &sha), RUN_NUMBER)
        .with_forge(&forge);
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
