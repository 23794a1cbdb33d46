//! What is recorded of deployments.

mod limits;
mod sizes;

use std::time::{Duration, Instant};

use forge_stand_in::{Deployment as Record, Fault, Head, Request, StandIn};
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer};

use super::{on_pull_request, sha};
use crate::support::{
    Deployment, Ended, Recorded as _, Sandbox, deployment, gitbook, payloads, published, repository, said,
    until,
};

/// A forge whose `main` is at the first commit.
async fn forge() -> StandIn {
    let forge = StandIn::start().await;
    forge.set_branch("main", &sha('1'));
    forge
}

fn push_to_main(gitbook: &MockServer, forge: &StandIn) -> Deployment {
    deployment()
        .on_github_event("push", &payloads::push("main", &sha('1')), 100)
        .against(&gitbook.uri())
        .with_forge(forge)
        .variable("GITBOOK_CONCURRENCY", "1")
}

/// A record in a line: environment, what it is, and what has become of it.
fn told(record: &Record) -> String {
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

fn all(forge: &StandIn) -> String {
    forge.deployments().iter().map(told).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn each_integration_has_an_environment_of_its_own() {
    let (gitbook, forge) = (gitbook().await, forge().await);
    let folder = repository().integration("hello").integration("other");
    let ended = push_to_main(&gitbook, &forge).folder(&folder).runs().await;
    assert_eq!(ended.code, Some(0), "{}", ended.log());
    insta::assert_snapshot!(all(&forge), @"
    gitbook: hello (production) of 1111111: in_progress, success at https://app.gitbook.com/integrations/hello
    gitbook: other (production) of 1111111: in_progress, success at https://app.gitbook.com/integrations/other
    ");
    let record = &forge.deployments()[0];
    assert_eq!(record.payload["name"], "hello");
    assert_eq!(record.payload["hash"].as_str().unwrap().len(), 64);
    assert_eq!(record.statuses[1].log_url, "https://github.com/acme/integrations/actions/runs/100");
}

#[tokio::test]
async fn a_deployment_is_on_record_before_anything_is_published() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (gitbook().await, forge().await);
    let gate = forge.hold("POST", "/deployments$");
    let run = push_to_main(&gitbook, &forge).folder(&folder).starts();
    gate.reached().await;
    assert_eq!(gitbook.asked().await, ["GET /v1/integrations/hello"]);
    gate.release();
    assert_eq!(run.ends().await.code, Some(0));
}

#[tokio::test]
async fn a_preview_is_transient_and_inactive_when_it_is_gone() {
    let (gitbook, forge) = (Sandbox::start().await, forge().await);
    let folder = repository().integration("hello");
    forge.page_size(2);
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    for (number, commit) in ['1', '2', '3'].into_iter().enumerate() {
        forge.push_to_pull_request(12, &sha(commit));
        let folder =
            repository().integration("hello").file("hello/main.ts", format!("export default {number};"));
        let run = on_pull_request("synchronize", commit, 100, &gitbook, &forge).folder(&folder);
        assert_eq!(run.runs().await.code, Some(0));
    }
    // What is there already is not deployed.
    let run = on_pull_request("synchronize", '3', 100, &gitbook, &forge);
    let same = repository().integration("hello").file("hello/main.ts", "export default 2;");
    assert_eq!(run.folder(&same).runs().await.output("result"), "unchanged");
    insta::assert_snapshot!(all(&forge), @"
    gitbook preview: hello/fix (transient) of 1111111: in_progress, success, inactive
    gitbook preview: hello/fix (transient) of 2222222: in_progress, success, inactive
    gitbook preview: hello/fix (transient) of 3333333: in_progress, success
    ");
    forge.close_pull_request(12);
    for run in [101, 102] {
        forge.clear_requests();
        let closed = on_pull_request("closed", '3', run, &gitbook, &forge).folder(&folder).runs().await;
        assert_eq!(closed.code, Some(0), "{}", closed.log());
    }
    insta::assert_snapshot!(all(&forge), @"
    gitbook preview: hello/fix (transient) of 1111111: in_progress, success, inactive
    gitbook preview: hello/fix (transient) of 2222222: in_progress, success, inactive
    gitbook preview: hello/fix (transient) of 3333333: in_progress, success, inactive
    ");
    // The second time there was nothing to say.
    let said = |request: &Request| request.method == "POST" && request.path.contains("/statuses");
    assert!(!forge.requests().iter().any(said));
}

#[tokio::test]
async fn a_failure_is_on_record() {
    let folder = repository().integration("hello");
    let (gitbook, forge) = (MockServer::start().await, forge().await);
    Mock::given(method("POST")).respond_with(said(400, "No.")).mount(&gitbook).await;
    let ended = push_to_main(&gitbook, &forge).folder(&folder).runs().await;
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!(all(&forge), @"gitbook: hello (production) of 1111111: in_progress, failure");
}

#[cfg_attr(not(unix), ignore = "signals are sent by a shell")]
#[tokio::test]
async fn a_cancelled_run_leaves_nothing_in_progress() {
    let repository = repository().integration("hello").integration("other");
    let forge = forge().await;
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    let gitbook = MockServer::start().await;
    Mock::given(method("GET")).respond_with(said(404, "Integration not found")).mount(&gitbook).await;
    let late = said(500, "late").set_delay(Duration::from_secs(50));
    Mock::given(method("POST")).respond_with(late).mount(&gitbook).await;
    let payload = payloads::pull_request("opened", 12, "fix", &sha('1'));
    let run = deployment()
        .on_github_event("pull_request", &payload, 100)
        .against(&gitbook.uri())
        .with_forge(&forge)
        .variable("GITBOOK_CONCURRENCY", "1")
        .folder(&repository)
        .starts();
    until("it publishes", async || gitbook.asked().await.iter().any(|asked| asked.starts_with("POST"))).await;
    let started = Instant::now();
    run.signal("TERM").await;
    let ended = run.ends().await;
    assert_eq!(ended.code, Some(143), "{}", ended.log());
    // GitHub's runner would have killed it by then.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    insta::assert_snapshot!(all(&forge), @"gitbook preview: hello/fix (transient) of 1111111: in_progress, failure");
    assert_eq!(forge.deployments()[0].statuses[1].description, "Cancelled");
    let comment = &forge.comments(12)[0].body;
    assert!(comment.contains("cancelled while publishing"), "{comment}");
}

#[tokio::test]
async fn what_can_not_be_recorded_is_told_and_fails_nothing() {
    let folder = repository().integration("hello").integration("other");
    let check = async |status: u16, message: &str| {
        let (gitbook, forge) = (gitbook().await, forge().await);
        let body = json!({"message": message, "documentation_url": "https://docs.github.com"});
        forge.fail(Fault::on("POST", "/deployments$").always().status(status).json(body).unvalidated());
        let ended = push_to_main(&gitbook, &forge).folder(&folder).runs().await;
        assert_eq!(ended.code, Some(0), "{}", ended.log());
        assert_eq!(gitbook.asked().await.iter().filter(|asked| asked.starts_with("POST")).count(), 2);
        assert_eq!(forge.deployments(), []);
        let lines: Vec<_> =
            ended.log().lines().filter(|line| line.contains("deployments")).map(str::to_owned).collect();
        let asked = forge.requests().iter().filter(|request| request.path.ends_with("/deployments")).count();
        format!("{asked} × {}", lines.join("\n"))
    };
    insta::assert_snapshot!(check(403, "Resource not accessible by integration").await, @"1 × ::notice::no deployments are recorded: the token lacks the permission `deployments: write`: 403 Resource not accessible by integration; add `deployments: write` to the job's `permissions`, or to what the token may do");
    insta::assert_snapshot!(check(404, "Not Found").await, @"1 × the forge keeps no record of deployments");
    insta::assert_snapshot!(check(422, "No ref found for: 1").await, @"1 × ::warning::no deployments are recorded: the forge refused it: 422 No ref found for: 1; nothing that was published is affected");
}

#[tokio::test]
async fn none_is_recorded_where_none_is_wanted() {
    let folder = repository().integration("hello");
    for (variable, value) in [("GITBOOK_DEPLOYMENTS", "false"), ("GITBOOK_DRY_RUN", "true")] {
        let (gitbook, forge) = (gitbook().await, forge().await);
        let run = push_to_main(&gitbook, &forge).variable(variable, value);
        assert_eq!(run.folder(&folder).runs().await.code, Some(0));
        assert!(!forge.requests().iter().any(|request| request.path.contains("/deployments")), "{variable}");
    }
}

/// The hash stands where anybody can read it who can read the repository.
#[tokio::test]
async fn a_secret_can_not_be_guessed_by_the_hash() {
    let gitbook = gitbook().await;
    let hash = async |secret: &str, token: &str| {
        let forge = forge().await;
        let folder = repository().manifest("hello", "hello", "secrets:\n  KEY: ${{ env.KEY }}\n");
        let run = push_to_main(&gitbook, &forge).variable("KEY", secret).variable("GITBOOK_TOKEN", token);
        assert_eq!(run.folder(&folder).runs().await.code, Some(0));
        forge.deployments()[0].payload["hash"].as_str().unwrap().to_owned()
    };
    let first = hash("secret-1", "token-1").await;
    assert_eq!(first, hash("secret-1", "token-1").await, "it is stable");
    assert_ne!(first, hash("secret-2", "token-1").await, "a new secret is published");
    assert_ne!(first, hash("secret-1", "token-2").await, "who has no token can't try secrets");
    let _ = published("hello");
}

/// A push to production of one integration, again and again.
struct Pushes {
    gitbook: Sandbox,
    forge: StandIn,
}

impl Pushes {
    async fn new() -> Self {
        Self { gitbook: Sandbox::start().await, forge: forge().await }
    }

    /// Pushes this script, and gives the output `result` and the version that is there afterwards.
    async fn push(&self, script: &str, change: impl FnOnce(Deployment) -> Deployment) -> String {
        let ended = self.run(script, change).await;
        format!("{} {}", ended.output("result"), ended.output("version"))
    }

    /// Pushes this script.
    async fn run(&self, script: &str, change: impl FnOnce(Deployment) -> Deployment) -> Ended {
        let folder = repository().integration("hello").file("hello/main.ts", script);
        let run = deployment().on_github_event("push", &payloads::push("main", &sha('1')), 100);
        let run = run.against(self.gitbook.endpoint()).with_forge(&self.forge);
        let ended = change(run).folder(&folder).runs().await;
        assert_eq!(ended.code, Some(0), "{}", ended.log());
        let version = &self.gitbook.integration("hello")["version"];
        assert_eq!(ended.output("version"), version.to_string());
        ended
    }

    /// The same, as it is.
    async fn again(&self) -> String {
        self.push("export default 1;", |run| run).await
    }
}

#[tokio::test]
async fn production_is_not_published_twice() {
    let pushes = Pushes::new().await;
    assert_eq!(pushes.again().await, "published 1");
    assert_eq!(pushes.again().await, "unchanged 1");
    assert_eq!(pushes.forge.deployments().len(), 1, "what is there already is not deployed");
    assert_eq!(pushes.push("export default 2;", |run| run).await, "published 2");
    // Neither is what was there before.
    assert_eq!(pushes.again().await, "published 3");
    let forced = |run: Deployment| run.variable("GITBOOK_SKIP_UNCHANGED", "false");
    assert_eq!(pushes.push("export default 1;", forced).await, "published 4");
    let unrecorded = |run: Deployment| run.variable("GITBOOK_DEPLOYMENTS", "false");
    assert_eq!(pushes.push("export default 1;", unrecorded).await, "published 5");
    // Nobody has recorded that one.
    assert_eq!(pushes.again().await, "published 6");
}

#[tokio::test]
async fn what_others_did_to_production_is_put_right() {
    let pushes = Pushes::new().await;
    assert_eq!(pushes.again().await, "published 1");
    pushes.gitbook.remove("hello");
    assert_eq!(pushes.again().await, "published 1");
    // Fields that the manifest lacks have the API's defaults: an edit by hand is undone, too.
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
        assert_eq!(pushes.again().await, format!("published {version}"), "{field}");
        assert_eq!(pushes.again().await, format!("unchanged {version}"), "{field}");
    }
}

#[tokio::test]
async fn after_a_failure_production_is_published_anew() {
    let pushes = Pushes::new().await;
    assert_eq!(pushes.again().await, "published 1");
    let refusing = MockServer::start().await;
    Mock::given(method("POST")).respond_with(said(400, "No.")).mount(&refusing).await;
    let folder = repository().integration("hello").file("hello/main.ts", "export default 2;");
    let failed = push_to_main(&refusing, &pushes.forge).folder(&folder).runs().await;
    assert_eq!(failed.code, Some(1));
    assert_eq!(pushes.again().await, "published 2");
}

#[tokio::test]
async fn where_deployments_can_not_be_read_production_is_published() {
    let pushes = Pushes::new().await;
    assert_eq!(pushes.again().await, "published 1");
    pushes.forge.fail(
        Fault::on("GET", "/deployments").always().status(403).json(json!({"message": "No."})).unvalidated(),
    );
    assert_eq!(pushes.again().await, "published 2");
}

#[tokio::test]
async fn one_endpoint_s_record_is_not_another_s() {
    let (one, other) = (Pushes::new().await, Sandbox::start().await);
    assert_eq!(one.again().await, "published 1");
    let elsewhere = Pushes { gitbook: other, forge: one.forge };
    assert_eq!(
        elsewhere.push("export default 2;", |run| run.variable("GITBOOK_DEPLOYMENTS", "false")).await,
        "published 1"
    );
    assert_eq!(elsewhere.again().await, "published 2");
}
