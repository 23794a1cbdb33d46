//! Deployments and their statuses, whose answers are all validated on the way.

use serde_json::{Value, json};

use super::client::{Client, Reply};
use crate::{FakeGitHub, Head};

async fn deploy(client: &Client, more: Value) -> Reply {
    let mut order =
        json!({"ref": "main", "auto_merge": false, "required_contexts": [], "environment": "preview"});
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    client.post("/deployments", order).await
}

async fn succeed(client: &Client, deployment: &Reply, more: Value) -> u16 {
    let mut status = json!({"state": "success"});
    for (name, value) in more.as_object().unwrap() {
        status[name] = value.clone();
    }
    client.post(&statuses(deployment), status).await.status
}

fn statuses(deployment: &Reply) -> String {
    format!("/deployments/{}/statuses", deployment.body["id"])
}

/// The last state of each deployment, the oldest deployment first.
fn states(forge: &FakeGitHub) -> Vec<String> {
    let last = |deployment: crate::Deployment| deployment.statuses.last().map(|status| status.state.clone());
    forge.deployments().into_iter().map(|deployment| last(deployment).unwrap_or_default()).collect()
}

#[tokio::test]
async fn keeps_deployments() {
    let forge = FakeGitHub::start().await;
    forge.set_branch("feature/x", &"b".repeat(40));
    let client = Client::of(&forge);
    let order = json!({
        "ref": "feature/x", "auto_merge": false, "required_contexts": [], "environment": "preview",
        "payload": {"a": 1}, "transient_environment": true,
    });
    let made = client.post("/deployments", order).await;
    assert_eq!((made.status, &made.body["sha"]), (201, &json!("b".repeat(40))));
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

#[tokio::test]
async fn deploys_commits_that_it_has_seen() {
    let forge = FakeGitHub::start().await;
    let client = Client::of(&forge);
    forge.open_pull_request(12, Head::fork("mona", "x"), &"c".repeat(40));
    forge.push_to_pull_request(12, &"d".repeat(40));
    for reference in ["c", "d", "a"] {
        assert_eq!(deploy(&client, json!({"ref": reference.repeat(40)})).await.status, 201);
    }
    assert_eq!(deploy(&client, json!({"ref": "refs/heads/main"})).await.body["sha"], json!("a".repeat(40)));
    let unknown = deploy(&client, json!({"ref": "e".repeat(40)})).await;
    assert_eq!((unknown.status, forge.deployments().len()), (422, 4));
    assert_eq!(deploy(&client, json!({"required_contexts": ["ci"]})).await.status, 409);
}

#[tokio::test]
async fn fills_in_what_is_not_said() {
    let forge = FakeGitHub::start().await;
    let client = Client::of(&forge);
    let order = json!({"ref": "main", "auto_merge": false, "required_contexts": []});
    assert_eq!(client.post("/deployments", order).await.status, 201);
    let deployment = forge.deployments().remove(0);
    assert_eq!((deployment.environment.as_str(), deployment.task.as_str()), ("production", "deploy"));
    assert_eq!((deployment.production, deployment.transient, deployment.payload), (true, false, json!({})));
    assert_eq!(deployment.creator, "github-actions[bot]");
}

#[tokio::test]
async fn deactivates_what_is_replaced() {
    let forge = FakeGitHub::start().await;
    let client = Client::of(&forge);
    let kinds = [
        json!({}),
        json!({"transient_environment": true}),
        json!({"production_environment": true}),
        json!({"environment": "other"}),
    ];
    for kind in kinds {
        let deployment = deploy(&client, kind).await;
        assert_eq!(succeed(&client, &deployment, json!({"auto_inactive": false})).await, 201);
    }
    let pending = deploy(&client, json!({})).await;
    let last = deploy(&client, json!({})).await;
    assert_eq!(states(&forge), ["success", "success", "success", "success", "", ""]);
    succeed(&client, &last, json!({})).await;
    assert_eq!(states(&forge), ["inactive", "success", "success", "success", "", "success"]);
    succeed(&client, &pending, json!({})).await;
    assert_eq!(states(&forge)[5], "success");
}

#[tokio::test]
async fn lists_the_newest_first() {
    let forge = FakeGitHub::start().await;
    let client = Client::of(&forge);
    let (first, second) = (deploy(&client, json!({})).await, deploy(&client, json!({})).await);
    let listed = client.get("/deployments?environment=preview").await.body;
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&second.body["id"], &first.body["id"]));
    let sha = "f".repeat(40);
    assert_eq!(client.get(&format!("/deployments?sha={sha}")).await.body, json!([]));
    for state in ["queued", "in_progress"] {
        client.post(&statuses(&first), json!({"state": state})).await;
    }
    forge.page_size(1);
    let page = client.get(&statuses(&first)).await;
    assert_eq!(page.body[0]["state"], "in_progress");
    let next = page.link.unwrap();
    let next = next.split(['<', '>']).nth(1).unwrap();
    assert_eq!(client.get(next).await.body[0]["state"], "queued");
}

#[tokio::test]
async fn refuses_wrong_statuses() {
    let forge = FakeGitHub::start().await;
    let client = Client::of(&forge);
    let deployment = deploy(&client, json!({})).await;
    assert_eq!(succeed(&client, &deployment, json!({"log_url": "ftp://x.example"})).await, 422);
    assert_eq!(succeed(&client, &deployment, json!({"description": "x".repeat(141)})).await, 422);
    assert_eq!(succeed(&client, &deployment, json!({"description": "é".repeat(140)})).await, 201);
    assert_eq!(client.post("/deployments/1/statuses", json!({"state": "success"})).await.status, 404);
    assert_eq!(client.get("/deployments/1/statuses").await.status, 404);
}
