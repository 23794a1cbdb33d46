//! Whoever else has a hand in it: what is not ours stays, also where a run cleans up after itself.

use serde_json::json;

use super::{World, log, with_pull_request};
use crate::support::{published, repository};

/// What somebody else has published under a preview's name.
fn somebody_else_publishes(world: &World, name: &str) {
    let mut theirs = published(name);
    (theirs["summary"], theirs["title"]) = ("Mine.".into(), "Somebody else's".into());
    theirs["owner"] = json!({"object": "organization", "id": "acme", "title": "acme"});
    world.sandbox.set(name, &theirs);
}

#[tokio::test]
async fn what_somebody_else_has_published_meanwhile_is_not_deleted_with_what_was_closed() {
    let world = with_pull_request().await;
    let mut gate = world.gitbook.hold_answer("POST", "hello-fix");
    let opened = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;
    somebody_else_publishes(&world, "hello-fix");
    world.forge.close_pull_request(12);
    gate.release();
    let opened = opened.ends().await;
    assert_eq!((opened.code, opened.output("result").as_str()), (Some(1), "failed"), "{opened:#?}");
    insta::assert_snapshot!(log(&opened), @"
    exit 1
    info: published `hello-fix` v1 (0.0 KiB, 0.0 s) file:///tmp/.tmpddZGA3/hello-fix/
    info: pull request #12 is closed: deleting the published previews
    info: updated the comment on pull request #12
    error: `hello-fix` (“Somebody else's”) was not made by gitbook-deploy, so it is left as it is
     hint: give previews another name with `GITBOOK_PREVIEW_NAME`; if this one is a preview whose mark was edited away, delete it by hand in GitBook
    ");
    assert_eq!(world.sandbox.integration("hello-fix")["summary"], "Mine.");
}

/// One that fails keeps no other from being deleted again.
#[tokio::test]
async fn of_several_each_that_was_published_is_deleted_again() {
    let world = with_pull_request().await;
    somebody_else_publishes(&world, "beta-fix");
    let folder = repository().integration("alpha").integration("beta").integration("gamma");
    let mut gate = world.gitbook.hold("POST", "gamma-fix");
    let opened = world.pull_request("opened", '1', 100).folder(&folder).starts();
    gate.reached().await;
    world.forge.close_pull_request(12);
    gate.release();
    let opened = opened.ends().await;
    assert_eq!(opened.code, Some(1), "{opened:#?}");
    let integrations = opened.integrations();
    let each = integrations.as_array().unwrap().iter();
    let results: Vec<_> = each.map(|each| format!("{} {}", each["name"], each["result"])).collect();
    assert_eq!(results, [r#""alpha-fix" "deleted""#, r#""beta-fix" "failed""#, r#""gamma-fix" "deleted""#]);
    assert_eq!(world.sandbox.names(), ["beta-fix"]);
    assert_eq!(world.sandbox.integration("beta-fix")["summary"], "Mine.");
}

/// A signal that comes while the run is held stops it there, and what is there is said to be there.
#[cfg(unix)]
#[tokio::test]
async fn a_run_that_is_cancelled_while_the_forge_is_asked_says_what_it_did() {
    let world = with_pull_request().await;
    let mut published = world.gitbook.hold_answer("POST", "hello-fix");
    let opened = world.pull_request("opened", '1', 100).starts();
    published.reached().await;
    let asked = world.forge.hold("GET", "/pulls/12");
    published.release();
    asked.reached().await;
    world.forge.close_pull_request(12);
    opened.signal("TERM").await;
    let opened = opened.ends().await;
    assert_eq!((opened.code, opened.output("result").as_str()), (Some(143), "published"), "{opened:#?}");
    assert_eq!(world.published(), ["hello-fix: commit 1, run 100"]);
}
