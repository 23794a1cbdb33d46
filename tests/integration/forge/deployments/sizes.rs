//! The size change of a script. The previous size comes from the last GitHub Deployment of production, or from the marker of a
//! preview.

use fake_github::{FakeGitHub, Head};
use serde_json::{Value, json};

use super::super::{on_pull_request, sha};
use super::{ProductionPushes, forge};
use crate::support::{Deployment, Finished, Sandbox, repository, script};

impl ProductionPushes {
    /// Pushes a script with this number of additional bytes, and returns the result and the size.
    async fn push_with_extra_bytes(
        &self,
        extra_bytes: usize,
        change: impl FnOnce(Deployment) -> Deployment,
    ) -> String {
        let finished = self.push_script(&script(extra_bytes), change).await;
        format!("{}: {}", finished.output("result"), finished.size())
    }

    /// Pushes a script, changes the payload of the deployment, pushes a longer script and returns the result and the size.
    async fn outcome_with_payload(change: impl FnOnce(&mut Value)) -> String {
        let pushes = Self::new().await;
        pushes.push_with_extra_bytes(0, |run| run).await;
        let record = &pushes.forge.deployments()[0];
        let mut payload = record.payload.clone();
        change(&mut payload);
        pushes.forge.set_payload(record.id, payload);
        pushes.push_with_extra_bytes(1000, |run| run).await
    }
}

#[tokio::test]
async fn shows_the_change_in_size_in_production() {
    let pushes = ProductionPushes::new().await;
    let mut outcome = Vec::new();
    for more in [0, 1, 2049, 2049, 0] {
        outcome.push(pushes.push_with_extra_bytes(more, |run| run).await);
    }
    insta::assert_snapshot!(outcome.join("\n"), @"
    published: 2.0 KiB, before: null
    published: 2.0 KiB (+1 B), before: 2094
    published: 4.0 KiB (+2.0 KiB), before: 2095
    unchanged: 4.0 KiB, before: null
    published: 2.0 KiB (−2.0 KiB), before: 4143
    ");
    let recorded: Vec<_> =
        pushes.forge.deployments().iter().map(|record| record.payload["script_bytes"].clone()).collect();
    insta::assert_snapshot!(Value::from(recorded), @"[2094,2095,4143,2094]");
}

#[tokio::test]
async fn the_size_change_needs_no_additional_request() {
    let pushes = ProductionPushes::new().await;
    pushes.push_with_extra_bytes(0, |run| run).await;
    pushes.forge.clear_requests();
    let outcome = pushes.push_with_extra_bytes(1000, |run| run).await;
    insta::assert_snapshot!(outcome, @"published: 3.0 KiB (+1.0 KiB), before: 2094");
    let reads = |forge: &FakeGitHub| {
        let requests = forge.requests().into_iter().filter(|request| request.method == "GET");
        requests.filter(|request| request.path.contains("/deployments")).count()
    };
    // The program needs the newest deployment and its status anyway, to detect unchanged integrations.
    assert_eq!(reads(&pushes.forge), 2);
    pushes.forge.clear_requests();
    let always = |run: Deployment| run.variable("GITBOOK_SKIP_UNCHANGED", "false");
    insta::assert_snapshot!(pushes.push_with_extra_bytes(2000, always).await, @"published: 4.0 KiB, before: null");
    assert_eq!(reads(&pushes.forge), 0);
}

#[tokio::test]
async fn ignores_an_invalid_recorded_size() {
    insta::assert_snapshot!(ProductionPushes::outcome_with_payload(|_| ()).await, @"published: 3.0 KiB (+1.0 KiB), before: 2094");
    let none = ProductionPushes::outcome_with_payload(|payload| drop(payload["script_bytes"].take())).await;
    insta::assert_snapshot!(none, @"published: 3.0 KiB, before: null");
    // Older versions of the program recorded no size. Only somebody else can have written the other values.
    let older = ProductionPushes::outcome_with_payload(|payload| {
        drop(payload.as_object_mut().unwrap().remove("script_bytes"));
    });
    assert_eq!(older.await, none);
    for invalid in [json!(-1), json!("58"), json!("<b>@all</b>"), json!(1e300), json!(u64::MAX), json!([[]])]
    {
        let outcome =
            ProductionPushes::outcome_with_payload(|payload| payload["script_bytes"] = invalid.clone()).await;
        assert_eq!(outcome, none, "{invalid}");
    }
    for invalid in [json!("x"), json!({}), json!({"script_bytes": 58})] {
        let outcome = ProductionPushes::outcome_with_payload(|payload| *payload = invalid.clone()).await;
        assert_eq!(outcome, none, "{invalid}");
    }
    let huge =
        ProductionPushes::outcome_with_payload(|payload| payload["script_bytes"] = json!(u32::MAX)).await;
    insta::assert_snapshot!(huge, @"published: 3.0 KiB (−4194301.0 KiB), before: 4294967295");
}

#[tokio::test]
async fn ignores_the_recorded_size_of_an_earlier_version() {
    let pushes = ProductionPushes::new().await;
    pushes.push_with_extra_bytes(0, |run| run).await;
    let unrecorded = |run: Deployment| run.variable("GITBOOK_DEPLOYMENTS", "false");
    insta::assert_snapshot!(pushes.push_with_extra_bytes(1000, unrecorded).await, @"published: 3.0 KiB, before: null");
    // The newest deployment records an earlier version.
    insta::assert_snapshot!(pushes.push_with_extra_bytes(2000, |run| run).await, @"published: 4.0 KiB, before: null");
    pushes.gitbook.remove("hello");
    insta::assert_snapshot!(pushes.push_with_extra_bytes(3000, |run| run).await, @"published: 5.0 KiB, before: null");
    insta::assert_snapshot!(pushes.push_with_extra_bytes(4000, |run| run).await, @"published: 6.0 KiB (+1.0 KiB), before: 5094");
}

/// Returns the size column of the comment.
fn size_in_comment(forge: &FakeGitHub) -> String {
    let comments = forge.comments(12);
    let row = comments[0].body.lines().find(|line| line.contains("hello-fix")).unwrap();
    row.split(" | ").nth(3).unwrap().to_owned()
}

#[tokio::test]
async fn comment_and_summary_show_the_same_size() {
    let (gitbook, forge) = (Sandbox::start().await, forge().await);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let push = async |more: usize, commit: char, comment: &str| -> Finished {
        forge.push_to_pull_request(12, &sha(commit));
        let run = u64::from(commit.to_digit(16).unwrap());
        let folder = repository().integration("hello").file("hello/main.ts", script(more));
        let run = on_pull_request("synchronize", commit, run, &gitbook, &forge).folder(&folder);
        run.variable("GITBOOK_COMMENT", comment).run().await
    };
    let mut outcome = Vec::new();
    for (more, commit) in [(0, '1'), (1000, '2'), (1000, '3'), (500, '4')] {
        let finished = push(more, commit, "true").await;
        assert!(finished.size().starts_with(&format!("{},", size_in_comment(&forge))), "{}", finished.size());
        outcome.push(finished.size());
    }
    // This push writes no comment.
    push(5000, '5', "false").await;
    let finished = push(5001, '6', "true").await;
    assert!(finished.size().starts_with(&format!("{},", size_in_comment(&forge))), "{}", finished.size());
    outcome.push(finished.size());
    insta::assert_snapshot!(outcome.join("\n"), @"
    2.0 KiB, before: null
    3.0 KiB (+1.0 KiB), before: 2094
    3.0 KiB, before: null
    2.5 KiB (−0.5 KiB), before: 3094
    6.9 KiB (+1 B), before: 7094
    ");
}
