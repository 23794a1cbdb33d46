//! Right requests, whose answers are all validated on the way.

use reqwest::Method;
use serde_json::json;

use super::client::Client;
use crate::{Head, StandIn};

fn sha(digit: &str) -> String {
    digit.repeat(40)
}

#[tokio::test]
async fn tells_who_the_token_is_of() {
    let forge = StandIn::start().await;
    forge.user("ghp_monas", "mona");
    let mut client = Client::of(&forge);
    let user = format!("{}/user", forge.url());
    assert_eq!(client.get(&user).await.status, 403);
    client.token = "ghp_monas".to_owned();
    assert_eq!(client.get(&user).await.body["login"], "mona");
}

#[tokio::test]
async fn shows_the_repository() {
    let forge = StandIn::start().await;
    let client = Client::of(&forge);
    let reply = client.get("").await;
    assert_eq!((reply.status, &reply.body["full_name"]), (200, &json!("acme/integrations")));
    assert_eq!(reply.body["default_branch"], "main");
    assert_eq!(client.get(&format!("{}/repos/acme/nothing", forge.url())).await.status, 404);
}

#[tokio::test]
async fn shows_branches() {
    let forge = StandIn::start().await;
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
    let forge = StandIn::start().await;
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
    let forge = StandIn::start().await;
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
async fn keeps_deployments() {
    let forge = StandIn::start().await;
    forge.set_branch("feature/x", &sha("b"));
    let client = Client::of(&forge);
    let order = json!({
        "ref": "feature/x", "auto_merge": false, "required_contexts": [], "environment": "preview",
        "payload": {"a": 1}, "transient_environment": true,
    });
    let made = client.post("/deployments", order).await;
    assert_eq!((made.status, &made.body["sha"]), (201, &json!(sha("b"))));
    let statuses = format!("/deployments/{}/statuses", made.body["id"]);
    let done =
        client.post(&statuses, json!({"state": "success", "environment_url": "https://x.example"})).await;
    assert_eq!(done.status, 201);
    assert_eq!(client.get(&statuses).await.body[0]["state"], "success");
    let found = client.get("/deployments?environment=preview&per_page=100").await.body;
    assert_eq!(found[0]["payload"], json!({"a": 1}));
    assert_eq!(forge.deployments()[0].statuses[0].environment_url, "https://x.example");
    assert_eq!(client.post("/deployments", json!({"ref": "main"})).await.status, 409);
    let nothing = json!({"ref": "nothing", "auto_merge": false, "required_contexts": []});
    assert_eq!(client.post("/deployments", nothing).await.status, 422);
}
