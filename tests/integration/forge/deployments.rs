//! GitHub Deployments, which record each publication.

mod limits;
mod sizes;

use std::time::{Duration, Instant};

use fake_github::{Deployment as Record, FakeGitHub, Fault, Head, Request};
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer};

use super::{on_pull_request, sha};
use crate::support::{
    Deployment, Finished, RecordedRequests as _, Sandbox, api_error, deployment, gitbook, payloads,
    published, repository, wait_until,
};

/// Starts a forge with the branch `main` at commit `1…`.
async fn forge() -> FakeGitHub {
    let forge = FakeGitHub::start().await;
    forge.set_branch("main", &sha('1'));
    forge
}

fn push_to_main(gitbook: &MockServer, forge: &FakeGitHub) -> Deployment {
    deployment()
        .on_github_event("push", &payloads::push("main", &sha('1')), 100)
        .with_endpoint(&gitbook.uri())
        .with_forge(forge)
        .variable("GITBOOK_CONCURRENCY", "1")
}

/// Returns the environment, the kind, the commit and the states of a GitHub Deployment.
fn describe(record: &Record) -> String {
    let kind = match (record.transient, record.production) {
        (true, false) => "transient",
        (false, true) => "production",
        other => panic!("{other:?}"),
    };
    let statuses = record.statuses.iter().map(|status| match &*status.environment_url {
        "" => status.state.clone(),
        url => format!("{} at {url}", status.state),
    });
    let statuses: Vec<_> = statuses.collect();
    format!("{} ({kind}) of {}: {}", record.environment, &record.sha[..7], statuses.join(", "))
}

fn describe_all(forge: &FakeGitHub) -> String {
    forge.deployments().iter().map(describe).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn each_integration_has_its_own_deployment_environment() {
    let (gitbook, forge) = (gitbook().await, forge().await);
    let folder = repository().integration("hello").integration("other");
    let finished = push_to_main(&gitbook, &forge).folder(&folder).run().await;
    assert_eq!(finished.code, Some(0), "{}", finished.log());
    insta::assert_snapshot!(describe_all(&forge), @"
    gitbook: hello (production) of 1111111: in_progress, success at https://app.gitbook.com/integrations/hello
    gitbook: other (production) of 1111111: in_progress, success at https://app.gitbook.com/integrations/other
    ");
    let record = &forge.deployments()[0];
    assert_eq!(record.payload["name"], "hello");
    assert_eq!(record.payload["hash"].as_str().unwrap().len(), 64);
    assert_eq!(record.statuses[1].log_url, "https://github.com/acme/integrations/actions/runs/100");
}

#[tokio::test]
async fn creates_the_deployment_before_publishing() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (gitbook().await, forge().await);
    let barrier = forge.hold("POST", "/deployments$");
    let run = push_to_main(&gitbook, &forge).folder(&folder).start();
    barrier.reached().await;
    assert_eq!(gitbook.requests().await, ["GET /v1/integrations/hello"]);
    barrier.release();
    assert_eq!(run.finish().await.code, Some(0));
}

#[tokio::test]
async fn marks_the_deployments_of_a_deleted_preview_inactive() {
    let (gitbook, forge) = (Sandbox::start().await, forge().await);
    let folder = repository().integration("hello");
    forge.page_size(2);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    for (number, commit) in ['1', '2', '3'].into_iter().enumerate() {
        forge.push_to_pull_request(12, &sha(commit));
        let folder =
            repository().integration("hello").file("hello/main.ts", format!("export default {number};"));
        let run = on_pull_request("synchronize", commit, 100, &gitbook, &forge).folder(&folder);
        assert_eq!(run.run().await.code, Some(0));
    }
    // A run with an unchanged integration creates no deployment.
    let run = on_pull_request("synchronize", '3', 100, &gitbook, &forge);
    let same = repository().integration("hello").file("hello/main.ts", "export default 2;");
    assert_eq!(run.folder(&same).run().await.output("result"), "unchanged");
    insta::assert_snapshot!(describe_all(&forge), @"
    gitbook preview: hello/fix (transient) of 1111111: in_progress, success, inactive
    gitbook preview: hello/fix (transient) of 2222222: in_progress, success, inactive
    gitbook preview: hello/fix (transient) of 3333333: in_progress, success
    ");
    forge.close_pull_request(12);
    for run in [101, 102] {
        forge.clear_requests();
        let closed = on_pull_request("closed", '3', run, &gitbook, &forge).folder(&folder).run().await;
        assert_eq!(closed.code, Some(0), "{}", closed.log());
    }
    insta::assert_snapshot!(describe_all(&forge), @"
    gitbook preview: hello/fix (transient) of 1111111: in_progress, success, inactive
    gitbook preview: hello/fix (transient) of 2222222: in_progress, success, inactive
    gitbook preview: hello/fix (transient) of 3333333: in_progress, success, inactive
    ");
    // All deployments were inactive already, so the second run sends no status.
    let is_status = |request: &Request| request.method == "POST" && request.path.contains("/statuses");
    assert!(!forge.requests().iter().any(is_status));
}

#[tokio::test]
async fn records_a_failed_publication() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (MockServer::start().await, forge().await);
    Mock::given(method("POST")).respond_with(api_error(400, "No.")).mount(&gitbook).await;
    let finished = push_to_main(&gitbook, &forge).folder(&folder).run().await;
    assert_eq!(finished.code, Some(1));
    insta::assert_snapshot!(describe_all(&forge), @"gitbook: hello (production) of 1111111: in_progress, failure");
}

#[cfg_attr(not(unix), ignore = "needs a Unix shell that sends signals")]
#[tokio::test]
async fn a_cancelled_run_leaves_no_deployment_in_progress() {
    let repository = repository().integration("hello").integration("other");
    let forge = forge().await;
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let gitbook = MockServer::start().await;
    Mock::given(method("GET")).respond_with(api_error(404, "Integration not found")).mount(&gitbook).await;
    let late = api_error(500, "late").set_delay(Duration::from_secs(50));
    Mock::given(method("POST")).respond_with(late).mount(&gitbook).await;
    let payload = payloads::pull_request("opened", 12, "fix", &sha('1'));
    let run = deployment()
        .on_github_event("pull_request", &payload, 100)
        .with_endpoint(&gitbook.uri())
        .with_forge(&forge)
        .variable("GITBOOK_CONCURRENCY", "1")
        .folder(&repository)
        .start();
    wait_until("the run publishes", async || {
        gitbook.requests().await.iter().any(|received| received.starts_with("POST"))
    })
    .await;
    let started = Instant::now();
    run.signal("TERM").await;
    let finished = run.finish().await;
    assert_eq!(finished.code, Some(143), "{}", finished.log());
    // GitHub's runner kills a step ten seconds after the first signal.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    insta::assert_snapshot!(describe_all(&forge), @"gitbook preview: hello/fix (transient) of 1111111: in_progress, failure");
    assert_eq!(forge.deployments()[0].statuses[1].description, "Cancelled");
    let comment = &forge.comments(12)[0].body;
    assert!(comment.contains("cancelled"), "{comment}");
}

#[tokio::test]
async fn publishes_although_the_deployment_cannot_be_recorded() {
    let folder = repository().integration("hello").integration("other");
    let check = async |status: u16, message: &str| {
        let (gitbook, forge) = (gitbook().await, forge().await);
        let body = json!({"message": message, "documentation_url": "https://docs.github.com"});
        forge.fail(Fault::on("POST", "/deployments$").always().status(status).json(body).unvalidated());
        let finished = push_to_main(&gitbook, &forge).folder(&folder).run().await;
        assert_eq!(finished.code, Some(0), "{}", finished.log());
        assert_eq!(
            gitbook.requests().await.iter().filter(|received| received.starts_with("POST")).count(),
            2
        );
        assert_eq!(forge.deployments(), []);
        let lines: Vec<_> =
            finished.log().lines().filter(|line| line.contains("deployments")).map(str::to_owned).collect();
        let received =
            forge.requests().iter().filter(|request| request.path.ends_with("/deployments")).count();
        format!("{received} × {}", lines.join("\n"))
    };
    insta::assert_snapshot!(check(403, "Resource not accessible by integration").await, @"1 × ::notice::could not record the GitHub Deployments: the token lacks the permission `deployments: write`: 403 Resource not accessible by integration; add `deployments: write` to the job's `permissions`, or to the permissions of the token");
    insta::assert_snapshot!(check(404, "Not Found").await, @"1 ×");
    insta::assert_snapshot!(check(422, "No ref found for: 1").await, @"1 ×");
}

#[tokio::test]
async fn creates_no_deployment_if_disabled() {
    let folder = repository().integration("hello");
    for (variable, value) in [("GITBOOK_DEPLOYMENTS", "false"), ("GITBOOK_DRY_RUN", "true")] {
        let (gitbook, forge) = (gitbook().await, forge().await);
        let run = push_to_main(&gitbook, &forge).variable(variable, value);
        assert_eq!(run.folder(&folder).run().await.code, Some(0));
        assert!(!forge.requests().iter().any(|request| request.path.contains("/deployments")), "{variable}");
    }
}

/// Everybody with access to the repository can read the content hash in the payload of a deployment.
#[tokio::test]
async fn the_content_hash_does_not_reveal_a_secret() {
    let gitbook = gitbook().await;
    let hash = async |secret: &str, token: &str| {
        let forge = forge().await;
        let folder = repository().manifest("hello", "hello", "secrets:\n  KEY: ${{ env.KEY }}\n");
        let run = push_to_main(&gitbook, &forge).variable("KEY", secret).variable("GITBOOK_TOKEN", token);
        assert_eq!(run.folder(&folder).run().await.code, Some(0));
        forge.deployments()[0].payload["hash"].as_str().unwrap().to_owned()
    };
    let first = hash("secret-1", "token-1").await;
    assert_eq!(first, hash("secret-1", "token-1").await, "the hash is stable");
    assert_ne!(first, hash("secret-2", "token-1").await, "a new secret changes the hash");
    assert_ne!(
        first,
        hash("secret-1", "token-2").await,
        "the hash depends on the token, so nobody can guess secrets without the token"
    );
    let _ = published("hello");
}

/// A GitBook and a forge for repeated pushes of one integration to production.
struct ProductionPushes {
    gitbook: Sandbox,
    forge: FakeGitHub,
}

impl ProductionPushes {
    async fn new() -> Self {
        Self { gitbook: Sandbox::start().await, forge: forge().await }
    }

    /// Pushes a script and returns the output `result` and the version.
    async fn push(&self, script: &str, change: impl FnOnce(Deployment) -> Deployment) -> String {
        let finished = self.push_script(script, change).await;
        format!("{} {}", finished.output("result"), finished.output("version"))
    }

    /// Pushes a script and returns the finished run. Asserts that the output `version` is correct.
    async fn push_script(&self, script: &str, change: impl FnOnce(Deployment) -> Deployment) -> Finished {
        let folder = repository().integration("hello").file("hello/main.ts", script);
        let run = deployment().on_github_event("push", &payloads::push("main", &sha('1')), 100);
        let run = run.with_endpoint(self.gitbook.endpoint()).with_forge(&self.forge);
        let finished = change(run).folder(&folder).run().await;
        assert_eq!(finished.code, Some(0), "{}", finished.log());
        let version = &self.gitbook.integration("hello")["version"];
        assert_eq!(finished.output("version"), version.to_string());
        finished
    }

    /// Pushes the script `export default 1;` and returns the output `result` and the version.
    async fn push_first_script(&self) -> String {
        self.push("export default 1;", |run| run).await
    }
}

#[tokio::test]
async fn does_not_republish_an_unchanged_production_integration() {
    let pushes = ProductionPushes::new().await;
    assert_eq!(pushes.push_first_script().await, "published 1");
    assert_eq!(pushes.push_first_script().await, "unchanged 1");
    assert_eq!(pushes.forge.deployments().len(), 1, "an unchanged integration has no new deployment");
    assert_eq!(pushes.push("export default 2;", |run| run).await, "published 2");
    // A script that was published earlier, but not last, is published again.
    assert_eq!(pushes.push_first_script().await, "published 3");
    let forced = |run: Deployment| run.variable("GITBOOK_SKIP_UNCHANGED", "false");
    assert_eq!(pushes.push("export default 1;", forced).await, "published 4");
    let unrecorded = |run: Deployment| run.variable("GITBOOK_DEPLOYMENTS", "false");
    assert_eq!(pushes.push("export default 1;", unrecorded).await, "published 5");
    // No deployment records version 5, so the program cannot know that the script is unchanged.
    assert_eq!(pushes.push_first_script().await, "published 6");
}

#[tokio::test]
async fn republishes_production_after_changes_by_others() {
    let pushes = ProductionPushes::new().await;
    assert_eq!(pushes.push_first_script().await, "published 1");
    pushes.gitbook.remove("hello");
    assert_eq!(pushes.push_first_script().await, "published 1");
    // A field that the manifest omits has the API's default, so a manual change of that field is reverted, too.
    let edits = [
        ("title", json!("Others")),
        ("summary", json!("Others")),
        ("visibility", json!("public")),
        ("target", json!("site")),
        ("scopes", json!([])),
        ("blocks", json!([{"id": "block", "title": "Block"}])),
        ("contentSecurityPolicy", json!({"default-src": "*"})),
    ];
    for (version, (field, value)) in (2..).zip(edits) {
        let mut edited = pushes.gitbook.integration("hello");
        edited[field] = value;
        pushes.gitbook.set("hello", &edited);
        assert_eq!(pushes.push_first_script().await, format!("published {version}"), "{field}");
        assert_eq!(pushes.push_first_script().await, format!("unchanged {version}"), "{field}");
    }
}

#[tokio::test]
async fn republishes_production_after_a_failed_publication() {
    let pushes = ProductionPushes::new().await;
    assert_eq!(pushes.push_first_script().await, "published 1");
    let rejecting = MockServer::start().await;
    Mock::given(method("POST")).respond_with(api_error(400, "No.")).mount(&rejecting).await;
    let folder = repository().integration("hello").file("hello/main.ts", "export default 2;");
    let failed = push_to_main(&rejecting, &pushes.forge).folder(&folder).run().await;
    assert_eq!(failed.code, Some(1));
    assert_eq!(pushes.push_first_script().await, "published 2");
}

#[tokio::test]
async fn publishes_production_without_access_to_deployments() {
    let pushes = ProductionPushes::new().await;
    assert_eq!(pushes.push_first_script().await, "published 1");
    pushes.forge.fail(
        Fault::on("GET", "/deployments").always().status(403).json(json!({"message": "No."})).unvalidated(),
    );
    assert_eq!(pushes.push_first_script().await, "published 2");
}

#[tokio::test]
async fn ignores_deployments_recorded_for_another_endpoint() {
    let (one, other) = (ProductionPushes::new().await, Sandbox::start().await);
    assert_eq!(one.push_first_script().await, "published 1");
    let elsewhere = ProductionPushes { gitbook: other, forge: one.forge };
    assert_eq!(
        elsewhere.push("export default 2;", |run| run.variable("GITBOOK_DEPLOYMENTS", "false")).await,
        "published 1"
    );
    assert_eq!(elsewhere.push_first_script().await, "published 2");
}
