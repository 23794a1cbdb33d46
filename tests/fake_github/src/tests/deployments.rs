//! Deployments and their statuses. The fake GitHub also validates each response.

use serde_json::{Value, json};

use super::client::{Client, Reply, start};
use crate::{FakeGitHub, Head};

/// Creates a deployment of `main` to the environment `preview`, with changes to the request.
async fn deploy(client: &Client, changes: Value) -> Reply {
    let body = json!({"ref": "main", "auto_merge": false, "required_contexts": [], "environment": "preview"});
    client.post("/deployments", merged(body, changes)).await
}

async fn succeed(client: &Client, deployment: &Reply, changes: Value) -> u16 {
    client.post(&statuses(deployment), merged(json!({"state": "success"}), changes)).await.status
}

fn merged(mut body: Value, changes: Value) -> Value {
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

fn statuses(deployment: &Reply) -> String {
    format!("/deployments/{}/statuses", deployment.body["id"])
}

/// Returns the last state of each deployment, the oldest deployment first.
fn states(forge: &FakeGitHub) -> Vec<String> {
    let last = |deployment: crate::Deployment| deployment.statuses.last().map(|status| status.state.clone());
    forge.deployments().into_iter().map(|deployment| last(deployment).unwrap_or_default()).collect()
}

#[tokio::test]
async fn deploys_known_commits() {
    let (forge, client) = start().await;
    forge.open_pull_request(13, Head::fork("mona", "x"), &"c".repeat(40));
    forge.push_to_pull_request(13, &"d".repeat(40));
    let main = "a".repeat(40);
    for (reference, sha) in [
        ("main", &main),
        ("refs/heads/main", &main),
        ("feature/x", &"b".repeat(40)),
        (&"c".repeat(40), &"c".repeat(40)),
        (&"d".repeat(40), &"d".repeat(40)),
    ] {
        let created = deploy(&client, json!({"ref": reference})).await;
        assert_eq!((created.status, created.body["sha"].as_str()), (201, Some(&**sha)));
    }
    let first = forge.deployments().remove(0);
    assert_eq!(
        (&*first.task, first.production, first.transient, first.payload),
        ("deploy", false, false, json!({}))
    );
    for reference in ["nothing", &"e".repeat(40)] {
        assert_eq!(deploy(&client, json!({"ref": reference})).await.status, 422);
    }
    for conflict in [json!({"required_contexts": ["ci"]}), json!({"auto_merge": true})] {
        assert_eq!(deploy(&client, conflict).await.status, 409);
    }
    assert_eq!(forge.deployments().len(), 5);
}

#[tokio::test]
async fn a_success_deactivates_earlier_deployments() {
    let (forge, client) = start().await;
    for kind in [
        json!({}),
        json!({"transient_environment": true}),
        json!({"production_environment": true}),
        json!({"environment": "other"}),
    ] {
        let deployment = deploy(&client, kind).await;
        assert_eq!(succeed(&client, &deployment, json!({"auto_inactive": false})).await, 201);
    }
    let (pending, last) = (deploy(&client, json!({})).await, deploy(&client, json!({})).await);
    assert_eq!(states(&forge), ["success", "success", "success", "success", "", ""]);
    succeed(&client, &last, json!({})).await;
    assert_eq!(states(&forge), ["inactive", "success", "success", "success", "", "success"]);
    succeed(&client, &pending, json!({})).await;
    assert_eq!(states(&forge)[5], "success");
}

#[tokio::test]
async fn rejects_invalid_statuses() {
    let (_forge, client) = start().await;
    let deployment = deploy(&client, json!({})).await;
    assert_eq!(succeed(&client, &deployment, json!({"log_url": "ftp://x.example"})).await, 422);
    assert_eq!(succeed(&client, &deployment, json!({"description": "x".repeat(141)})).await, 422);
    assert_eq!(succeed(&client, &deployment, json!({"description": "é".repeat(140)})).await, 201);
    assert_eq!(client.post("/deployments/1/statuses", json!({"state": "success"})).await.status, 404);
    assert_eq!(client.get("/deployments/1/statuses").await.status, 404);
}
