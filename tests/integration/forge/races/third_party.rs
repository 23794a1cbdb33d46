//! Integrations of others under the name of a preview. A run deletes only the program's own previews.

use serde_json::json;

use super::{TestEnvironment, log, with_pull_request};
use crate::support::{published, repository};

/// Publishes somebody else's integration under the name of a preview.
fn somebody_else_publishes(environment: &TestEnvironment, name: &str) {
    let mut third_party = published(name);
    (third_party["summary"], third_party["title"]) = ("Mine.".into(), "Somebody else's".into());
    third_party["owner"] = json!({"object": "organization", "id": "acme", "title": "acme"});
    environment.sandbox.set(name, &third_party);
}

#[tokio::test]
async fn keeps_an_integration_of_somebody_else() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold_response("POST", "hello-fix");
    let opened = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;
    somebody_else_publishes(&environment, "hello-fix");
    environment.forge.close_pull_request(12);
    barrier.release();
    let opened = opened.finish().await;
    assert_eq!((opened.code, opened.output("result").as_str()), (Some(1), "failed"), "{opened:#?}");
    insta::assert_snapshot!(log(&opened), @"
    exit 1
    info: published hello-fix v1 (0.0 KiB, … s)
    info: pull request #12 is closed: deleting the published previews
    info: updated the comment on pull request #12
    error: `hello-fix` was not changed: the existing integration “Somebody else's” was not created by gitbook-deploy
     hint: set `GITBOOK_PREVIEW_NAME` to give previews another name; if someone removed the ownership marker from a preview, delete that preview in GitBook
    ");
    assert_eq!(environment.sandbox.integration("hello-fix")["summary"], "Mine.");
}

/// A failed deletion does not prevent the other deletions.
#[tokio::test]
async fn deletes_each_published_preview_of_a_closed_pull_request() {
    let environment = with_pull_request().await;
    somebody_else_publishes(&environment, "beta-fix");
    let folder = repository().integration("alpha").integration("beta").integration("gamma");
    let mut barrier = environment.gitbook.hold("POST", "gamma-fix");
    let opened = environment.pull_request("opened", '1', 100).folder(&folder).start();
    barrier.reached().await;
    environment.forge.close_pull_request(12);
    barrier.release();
    let opened = opened.finish().await;
    assert_eq!(opened.code, Some(1), "{opened:#?}");
    let integrations = opened.integrations();
    let each = integrations.as_array().unwrap().iter();
    let results: Vec<_> = each.map(|each| format!("{} {}", each["name"], each["result"])).collect();
    assert_eq!(results, [r#""alpha-fix" "deleted""#, r#""beta-fix" "failed""#, r#""gamma-fix" "deleted""#]);
    assert_eq!(environment.sandbox.names(), ["beta-fix"]);
    assert_eq!(environment.sandbox.integration("beta-fix")["summary"], "Mine.");
}

/// The signal arrives during the check after publishing. The report still contains the published preview.
#[cfg(unix)]
#[tokio::test]
async fn a_cancelled_check_reports_the_published_preview() {
    let environment = with_pull_request().await;
    let mut published = environment.gitbook.hold_response("POST", "hello-fix");
    let opened = environment.pull_request("opened", '1', 100).start();
    published.reached().await;
    let received = environment.forge.hold("GET", "/pulls/12");
    published.release();
    received.reached().await;
    environment.forge.close_pull_request(12);
    opened.signal("TERM").await;
    let opened = opened.finish().await;
    assert_eq!((opened.code, opened.output("result").as_str()), (Some(143), "published"), "{opened:#?}");
    assert_eq!(environment.published(), ["hello-fix: commit 1, run 100"]);
}
