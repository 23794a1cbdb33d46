//! What others put there between two tries: nothing of it is deleted or overwritten that the first try would not have.

use fake_github::FakeGitHub;
use serde_json::{Value, json};

use super::{Row, World, busy, preview, table};
use crate::support::Effect::{self, Done, Lost};
use crate::support::Fault::{self, Meanwhile, Reset, Say};
use crate::support::{Response, payloads};

/// The number of the run that is told of, which finds a preview of run 7, in version 3.
const RUN: u64 = 8;

/// What somebody else has made by hand.
fn theirs() -> Value {
    json!({"name": "hello-fix", "version": 9, "title": "Theirs", "summary": "By hand.", "visibility": "public", "owner": {"id": "acme"}})
}

/// The preview of another run of the same branch.
fn by(run: u64) -> Value {
    let mut preview = preview("hello-fix", run);
    preview["version"] = 9.into();
    preview
}

/// Not answered by GitBook itself, so that nobody knows whether it has happened.
fn lost(effect: Effect, meanwhile: Value) -> Fault {
    Meanwhile(effect, Response::error(503, "Come back later"), meanwhile)
}

/// Answered with a no, so that it is known not to have happened.
fn refused(meanwhile: Value) -> Fault {
    Meanwhile(Lost, Response::error(429, "Too many"), meanwhile)
}

async fn told((name, method, faults): &Row<'_>) -> String {
    let world = World::with_preview().await;
    let mut since = world.there();
    // The first fault befalls the first try, and the rest, what is read before the second one.
    world.proxy.fail("GET", Fault::None, 1);
    for (fault, kind) in faults.iter().zip([*method, "GET"]) {
        world.proxy.fail(kind, fault.clone(), 1);
        if let Meanwhile(_, _, other) = fault {
            since.insert("hello-fix".to_owned(), other["version"].clone());
        }
    }
    let run = world.run(2);
    let run = match *method {
        "POST" => run.on_github("fix", RUN),
        _ => run.on_github_event("delete", &payloads::delete("fix"), RUN),
    };
    let told = world.told_since(since, name, run.variable("GITBOOK_LOG_FORMAT", "text")).await;
    assert_eq!(world.proxy.struck(), faults.len(), "{told}");
    let other = faults.iter().find_map(|fault| match fault {
        Meanwhile(_, _, other) => Some(other),
        _ => None,
    });
    // What is left as it is, is left to the last byte.
    if let Some(other) = other.filter(|_| told.contains("there: hello-fix 9")) {
        assert_eq!(world.sandbox.integration("hello-fix"), *other, "{told}");
    }
    told.replace("::add-mask::<token>\n", "")
}

#[tokio::test]
async fn a_deletion_that_is_overtaken() {
    let forbidden = Say(Lost, Response::error(403, "You may not"));
    let rows: &[Row<'_>] = &[
        ("a newer run's, and nobody knows", "DELETE", &[lost(Lost, by(9))]),
        ("a newer run's, after it was gone", "DELETE", &[lost(Done, by(9))]),
        ("a newer run's, after a no", "DELETE", &[refused(by(9))]),
        ("somebody else's, and nobody knows", "DELETE", &[lost(Done, theirs())]),
        ("somebody else's, after a no", "DELETE", &[refused(theirs())]),
        ("an older run's", "DELETE", &[lost(Done, by(6))]),
        ("another attempt of the same run's", "DELETE", &[lost(Done, by(RUN))]),
        ("busy while it is read", "DELETE", &[lost(Lost, by(7)), busy(503)]),
        ("reset while it is read, after a no", "DELETE", &[refused(by(9)), Reset(Done)]),
        ("not to be read, after a no", "DELETE", &[refused(by(7)), forbidden]),
    ];
    insta::assert_snapshot!(table(rows, told).await, @"
    == a newer run's, and nobody knows: GET DELETE GET; there: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 947ms
    == a newer run's, after it was gone: GET DELETE GET; there: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 685ms
    == a newer run's, after a no: GET DELETE GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many; retrying in 857ms
    == somebody else's, and nobody knows: GET DELETE GET; there: hello-fix 9
    exit 1
    warning: GitBook server error: 503 Come back later; retrying in 525ms
    error: `hello-fix` (“Theirs”) was not made by gitbook-deploy, so it is left as it is; an earlier try of deleting it may have happened
    == somebody else's, after a no: GET DELETE GET; there: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many; retrying in 811ms
    error: `hello-fix` (“Theirs”) was not made by gitbook-deploy, so it is left as it is
    == an older run's: GET DELETE GET DELETE; there: nothing
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 707ms
    == another attempt of the same run's: GET DELETE GET DELETE; there: nothing
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 608ms
    == busy while it is read: GET DELETE GET GET DELETE; there: nothing
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 961ms
    warning: GitBook server error: 503 Come back later; retrying in 1s 721ms
    == reset while it is read, after a no: GET DELETE GET GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many; retrying in 807ms
    warning: connection lost: connection error: Connection reset by peer (os error 104); retrying in 1s 882ms
    == not to be read, after a no: GET DELETE GET; there: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many; retrying in 836ms
    error: deleting `hello-fix` failed
    cause: the token lacks a permission: 403 You may not
    ");
}

#[tokio::test]
async fn a_publish_that_is_overtaken() {
    let forbidden = Say(Lost, Response::error(403, "You may not"));
    let rows: &[Row<'_>] = &[
        ("a newer run's, and nobody knows", "POST", &[lost(Lost, by(9))]),
        ("a newer run's, over ours", "POST", &[lost(Done, by(9))]),
        ("a newer run's, after a no", "POST", &[refused(by(9))]),
        ("somebody else's, and nobody knows", "POST", &[lost(Done, theirs())]),
        ("somebody else's, after a no", "POST", &[refused(theirs())]),
        ("an older run's", "POST", &[lost(Done, by(6))]),
        ("another attempt of the same run's, with something else", "POST", &[lost(Done, by(RUN))]),
        ("busy while it is read", "POST", &[lost(Lost, by(7)), busy(503)]),
        ("reset while it is read, after a no", "POST", &[refused(by(9)), Reset(Done)]),
        ("not to be read, after a no", "POST", &[refused(by(7)), forbidden]),
    ];
    insta::assert_snapshot!(table(rows, told).await, @"
    == a newer run's, and nobody knows: GET POST GET; there: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 698ms
    == a newer run's, over ours: GET POST GET; there: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 599ms
    == a newer run's, after a no: GET POST GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many; retrying in 691ms
    == somebody else's, and nobody knows: GET POST GET; there: hello-fix 9
    exit 1
    warning: GitBook server error: 503 Come back later; retrying in 838ms
    error: `hello-fix` (“Theirs”) was not made by gitbook-deploy, so it is left as it is; an earlier try of publishing it may have happened
    == somebody else's, after a no: GET POST GET; there: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many; retrying in 653ms
    error: `hello-fix` (“Theirs”) was not made by gitbook-deploy, so it is left as it is
    == an older run's: GET POST GET POST GET; there: hello-fix 10
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 912ms
    == another attempt of the same run's, with something else: GET POST GET POST GET; there: hello-fix 10
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 940ms
    == busy while it is read: GET POST GET GET POST GET; there: hello-fix 10
    exit 0
    warning: GitBook server error: 503 Come back later; retrying in 663ms
    warning: GitBook server error: 503 Come back later; retrying in 1s 370ms
    == reset while it is read, after a no: GET POST GET GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Too many; retrying in 585ms
    warning: connection lost: connection error: Connection reset by peer (os error 104); retrying in 1s 765ms
    == not to be read, after a no: GET POST GET; there: hello-fix 9
    exit 1
    warning: GitBook rate limit reached: 429 Too many; retrying in 967ms
    error: publishing `hello-fix` failed
    cause: the token lacks a permission: 403 You may not
    ");
}

/// What is there with the very mark of the run was there before the first try, so that it is no trace of it.
#[tokio::test]
async fn what_is_published_once_more_on_purpose_is_so_however_often_it_is_tried() {
    let world = World::new().await;
    let run = || world.run(1).on_github("fix", RUN).variable("GITBOOK_SKIP_UNCHANGED", "false");
    for (version, effect) in [(1, None), (2, Some(Lost)), (3, Some(Done))] {
        if let Some(effect) = effect {
            world.proxy.fail("POST", Say(effect, Response::error(503, "Come back later")), 1);
        }
        let ended = run().runs().await;
        assert_eq!(ended.output("result"), "published", "{}", ended.log());
        assert_eq!(world.sandbox.integration("hello-fix")["version"], version, "{}", ended.log());
    }
    assert_eq!(world.proxy.requests().join(" "), "GET POST GET GET POST GET POST GET GET POST GET GET");
}

/// Nothing is in progress any more, and nothing has failed.
#[tokio::test]
async fn the_deployment_of_a_publish_that_is_overtaken_is_inactive() {
    let (world, forge) = (World::with_preview().await, FakeGitHub::start().await);
    let sha = "1".repeat(40);
    forge.set_branch("fix", &sha);
    world.proxy.fail("POST", lost(Done, by(9)), 1);
    let run = world.run(1).on_github_event("push", &payloads::push("fix", &sha), RUN).with_forge(&forge);
    let ended = run.runs().await;
    assert_eq!((ended.code, ended.output("result")), (Some(0), "skipped".to_owned()), "{}", ended.log());
    let deployments = forge.deployments();
    let states: Vec<_> = deployments.iter().map(|one| one.statuses.last().unwrap().state.clone()).collect();
    assert_eq!(states, ["inactive"], "{deployments:?}");
}
