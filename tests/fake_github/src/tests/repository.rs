//! Branches, pull requests and comments, where the tests of the program do not cover them. The fake GitHub also validates each
//! response.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, Reply, reply, start};
use crate::Head;

fn sha(digit: &str) -> String {
    digit.repeat(40)
}

fn values(reply: &Reply, field: &str) -> Vec<Value> {
    reply.body.as_array().unwrap().iter().map(|item| item[field].clone()).collect()
}

#[tokio::test]
async fn a_changed_branch_updates_its_pull_requests_and_vice_versa() {
    let (forge, client) = start().await;
    forge.set_branch("feature/x", &sha("c"));
    assert_eq!(client.get("/pulls/12").await.body["head"]["sha"], sha("c"));
    forge.push_to_pull_request(12, &sha("d"));
    assert_eq!(client.get("/branches/feature%2Fx").await.body["commit"]["sha"], sha("d"));
    forge.delete_branch("feature/x");
    let missing = client.get("/branches/feature%2Fx").await;
    assert_eq!((missing.status, &missing.body["message"]), (404, &json!("Branch not found")));
    assert_eq!(client.get("/pulls/12").await.body["state"], "closed");
    forge.reopen_pull_request(12);
    forge.rename_branch("feature/x", "two");
    forge.rename_branch("two", "three");
    let moved = client.get("/branches/feature%2Fx").await;
    assert_eq!((moved.status, &client.get(&moved.location).await.body["name"]), (301, &json!("three")));
    forge.set_branch("feature/x", &sha("e"));
    assert_eq!(client.get("/branches/feature%2Fx").await.status, 200);
    assert!(client.get("/branches/master").await.location.ends_with("/branches/main"));
}

#[tokio::test]
async fn lists_pull_requests_by_filter() {
    let (forge, client) = start().await;
    forge.open_pull_request(13, Head::own("two"), &sha("b"));
    forge.open_pull_request(14, Head::fork("mona", "three"), &sha("c"));
    forge.merge_pull_request(13);
    for (query, expected) in [
        ("", &[14, 12][..]),
        ("?state=closed", &[13]),
        ("?state=all&direction=asc", &[12, 13, 14]),
        ("?state=all&sort=updated", &[12, 14, 13]),
        ("?state=all&head=acme:two", &[13]),
        ("?head=mona:feature/x", &[]),
        ("?head=three", &[14, 12]),
        ("?base=other", &[]),
    ] {
        assert_eq!(values(&client.get(&format!("/pulls{query}")).await, "number"), expected, "{query}");
    }
    forge.delete_fork_of(14);
    assert_eq!(client.get("/pulls?head=mona:three").await.body[0]["head"]["repo"], Value::Null);
    let head = client.get("/pulls/14").await.body["head"].clone();
    assert_eq!((&head["repo"], &head["label"]), (&Value::Null, &json!("mona:three")));
    assert_eq!(client.get("/pulls/13").await.body["merged"], true);
    assert_eq!(client.get("/pulls/15").await.status, 404);
}

#[tokio::test]
async fn rejects_blank_and_long_comments() {
    let (_forge, client) = start().await;
    for body in [" ".to_owned(), "x".repeat(65_537)] {
        assert_eq!(client.post("/issues/12/comments", json!({"body": body})).await.status, 422);
    }
}

#[tokio::test]
async fn an_unvalidated_github_accepts_any_request() {
    let forge = crate::FakeGitHub::unvalidated().await;
    let client = Client::new(&forge);
    assert_eq!(client.get("/pulls?branch=main").await.status, 200);
    assert_eq!(client.get("/nothing").await.status, 404);
    assert_eq!(reply(client.without_headers(Method::GET, "/pulls")).await.status, 401);
    assert!(forge.violations().is_empty());
}
