//! Right requests, whose answers are all validated on the way.

use reqwest::Method;
use serde_json::json;

use super::client::Client;
use crate::{FakeGitHub, Head};

fn sha(digit: &str) -> String {
    digit.repeat(40)
}

#[tokio::test]
async fn tells_who_the_token_is_of() {
    let forge = FakeGitHub::start().await;
    forge.user("ghp_monas", "mona");
    let mut client = Client::of(&forge);
    let user = format!("{}/user", forge.url());
    assert_eq!(client.get(&user).await.status, 403);
    client.token = "ghp_monas".to_owned();
    assert_eq!(client.get(&user).await.body["login"], "mona");
}

#[tokio::test]
async fn shows_the_repository() {
    let forge = FakeGitHub::start().await;
    let client = Client::of(&forge);
    let reply = client.get("").await;
    assert_eq!((reply.status, &reply.body["full_name"]), (200, &json!("acme/integrations")));
    assert_eq!(reply.body["default_branch"], "main");
    assert_eq!(client.get(&format!("{}/repos/acme/nothing", forge.url())).await.status, 404);
}

#[tokio::test]
async fn shows_branches() {
    let forge = FakeGitHub::start().await;
    forge.set_branch("feature/x", &sha("b"));
    let client = Client::of(&forge);
    let reply = client.get("/branches/feature%2Fx").await;
    assert_eq!((reply.status, &reply.body["commit"]["sha"]), (200, &json!(sha("b"))));
    forge.rename_branch("feature/x", "feature/y");
    let moved = client.get("/branches/feature%2Fx").await;
    assert_eq!(moved.status, 301);
    let reply = client.get(&moved.location.unwrap()).await;
    assert_eq!((reply.status, &reply.body["name"]), (200, &json!("feature/y")));
    forge.delete_branch("feature/y");
    let reply = client.get("/branches/feature%2Fy").await;
    assert_eq!((reply.status, &reply.body["message"]), (404, &json!("Branch not found")));
}

#[tokio::test]
async fn shows_pull_requests() {
    let forge = FakeGitHub::start().await;
    forge.open_pull_request(12, Head::own("feature/x"), &sha("b"));
    forge.open_pull_request(13, Head::fork("mona", "feature/x"), &sha("c"));
    let client = Client::of(&forge);
    assert_eq!(client.get("/pulls").await.body.as_array().unwrap().len(), 2);
    let of_mona = client.get("/pulls?head=mona:feature/x&state=open").await.body;
    assert_eq!((of_mona.as_array().unwrap().len(), &of_mona[0]["number"]), (1, &json!(13)));
    forge.delete_fork_of(13);
    assert_eq!(client.get("/pulls?head=mona:feature/x").await.body[0]["head"]["repo"], json!(null));
    let pull = client.get("/pulls/13").await.body;
    assert_eq!((&pull["head"]["repo"], &pull["head"]["label"]), (&json!(null), &json!("mona:feature/x")));
    forge.merge_pull_request(12);
    let pull = client.get("/pulls/12").await.body;
    assert_eq!((&pull["state"], &pull["merged"]), (&json!("closed"), &json!(true)));
    assert_eq!(client.get("/pulls/14").await.status, 404);
}

#[tokio::test]
async fn keeps_comments() {
    let forge = FakeGitHub::start().await;
    forge.open_pull_request(12, Head::own("feature/x"), &sha("b"));
    let client = Client::of(&forge);
    let made = client.post("/issues/12/comments", json!({"body": "one"})).await;
    assert_eq!((made.status, &made.body["user"]["type"]), (201, &json!("Bot")));
    let other = forge.comment_by("mona", 12, "two");
    let id = made.body["id"].as_u64().unwrap();
    let path = format!("/issues/comments/{id}");
    assert_eq!(client.send(Method::PATCH, &path, json!({"body": "three"})).await.status, 200);
    assert_eq!(client.get(&path).await.body["body"], "three");
    let bodies: Vec<_> =
        forge.comments(12).into_iter().map(|comment| (comment.author, comment.body)).collect();
    let expected = [("github-actions[bot]", "three"), ("mona", "two")];
    assert_eq!(bodies, expected.map(|(author, body)| (author.to_owned(), body.to_owned())));
    assert_eq!(client.get("/issues/12/comments").await.body.as_array().unwrap().len(), 2);
    assert_eq!(client.delete(&path).await.status, 204);
    assert_eq!(client.delete(&path).await.status, 404);
    assert_eq!(client.get(&path).await.status, 404);
    forge.edit_comment(other, "four");
    forge.delete_comment(other);
    let blank = client.post("/issues/12/comments", json!({"body": " "})).await;
    assert_eq!(blank.status, 422);
    let long = client.post("/issues/12/comments", json!({"body": "x".repeat(65_537)})).await;
    assert_eq!(long.status, 422);
    assert!(forge.comments(12).is_empty());
}

#[tokio::test]
async fn follows_what_happens_to_branches() {
    let forge = FakeGitHub::start().await;
    let client = Client::of(&forge);
    forge.open_pull_request(12, Head::own("one"), &sha("b"));
    forge.set_branch("one", &sha("c"));
    assert_eq!(client.get("/pulls/12").await.body["head"]["sha"], json!(sha("c")));
    forge.push_to_pull_request(12, &sha("d"));
    assert_eq!(client.get("/branches/one").await.body["commit"]["sha"], json!(sha("d")));
    forge.delete_branch("one");
    assert_eq!(client.get("/pulls/12").await.body["state"], "closed");
    forge.reopen_pull_request(12);
    assert_eq!(client.get("/branches/one").await.status, 200);
    forge.rename_branch("one", "two");
    forge.rename_branch("two", "three");
    assert!(client.get("/branches/one").await.location.unwrap().ends_with("/branches/three"));
    forge.set_branch("one", &sha("e"));
    assert_eq!(client.get("/branches/one").await.status, 200);
    assert!(client.get("/branches/master").await.location.unwrap().ends_with("/branches/main"));
}

#[tokio::test]
async fn lists_pull_requests_as_asked() {
    let forge = FakeGitHub::start().await;
    for number in 1..=3 {
        forge.open_pull_request(number, Head::own(format!("branch-{number}")), &sha("b"));
    }
    forge.close_pull_request(2);
    let client = Client::of(&forge);
    let cases = [
        ("", vec![3, 1]),
        ("?state=closed", vec![2]),
        ("?state=all", vec![3, 2, 1]),
        ("?state=all&direction=asc", vec![1, 2, 3]),
        ("?state=all&sort=updated", vec![1, 3, 2]),
        ("?state=all&head=acme:branch-2", vec![2]),
        ("?head=mona:branch-1", vec![]),
        ("?head=branch-1", vec![3, 1]),
        ("?base=other", vec![]),
    ];
    for (query, expected) in cases {
        let found = client.get(&format!("/pulls{query}")).await.body;
        let numbers: Vec<_> =
            found.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, expected, "{query}");
    }
}
