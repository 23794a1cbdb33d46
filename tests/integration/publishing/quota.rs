//! Tests of GitBook's limit on integrations: the error contains the number of previews and explains how to delete unused ones.

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::push;
use crate::support::{Finished, RecordedRequests as _, api_error, published, repository};

const LIMIT_MESSAGE: &str = "You have reached the limit of 3 integrations";

fn marker(repository: &str) -> String {
    format!("<!-- gitbook-deploy:preview integration=hello repository={repository} branch=old run=1 -->")
}

/// Returns a list of an organization's integrations: one without a marker, two previews of this repository and one of another.
fn organization_integrations() -> Value {
    let integration = |name: &str, summary: &str| {
        let mut integration = published(name);
        integration["summary"] = summary.into();
        integration
    };
    let ours = marker("github.com/acme/integrations");
    let items = [
        integration("hello", "Hello."),
        integration("hello-old", &ours),
        integration("hello-older", &ours),
        integration("other-old", &marker("github.com/acme/other")),
    ];
    json!({"items": items})
}

/// Starts a fake GitBook that responds with `refusal` to publishes and with `list` to the list of an organization's integrations.
async fn gitbook_with_refusal(refusal: ResponseTemplate, list: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let organizations = json!({"items": [{"id": "o1", "hostname": "acme.gitbook.io"}]});
    let answers = [
        ("GET", "/v1/orgs", ResponseTemplate::new(200).set_body_json(organizations)),
        ("GET", "/v1/orgs/o1/integrations", list),
        ("GET", "/v1/integrations/hello-fix", api_error(404, "Integration not found")),
        ("POST", "/v1/integrations/hello-fix", refusal.clone()),
        ("POST", "/v1/integrations/hello", refusal),
    ];
    for (verb, url_path, answer) in answers {
        Mock::given(method(verb)).and(path(url_path)).respond_with(answer).mount(&server).await;
    }
    server
}

async fn on_push_to(server: &MockServer, branch: &str) -> Finished {
    push(&server.uri(), branch, &repository().integration("hello")).run().await
}

/// Returns the log lines of the failure.
fn failure(finished: &Finished) -> String {
    assert_eq!((finished.code, finished.output("result")), (Some(1), "failed".to_owned()), "{finished:#?}");
    let log = finished.log();
    log.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn reports_the_number_of_previews_at_the_limit() {
    let list = ResponseTemplate::new(200).set_body_json(organization_integrations());
    let server = gitbook_with_refusal(api_error(402, LIMIT_MESSAGE), list.clone()).await;
    let finished = on_push_to(&server, "fix").await;
    insta::assert_snapshot!(failure(&finished), @"
    error: publishing the preview `hello-fix` failed: GitBook plan limit reached; organization `acme` has 3 previews created by gitbook-deploy, 2 of them from this repository
    cause: GitBook plan limit reached: 402 You have reached the limit of 3 integrations
     hint: delete the previews of closed branches with `GITBOOK_MODE=sweep` or a scheduled run, then re-run the job
    ");
    assert_eq!(
        server.requests().await,
        [
            "GET /v1/integrations/hello-fix",
            "POST /v1/integrations/hello-fix",
            "GET /v1/orgs",
            "GET /v1/orgs/o1/integrations"
        ]
    );
    assert!(finished.summary.contains("has 3 "), "{}", finished.summary);
}

#[tokio::test]
async fn does_not_count_previews_after_other_errors() {
    let list = ResponseTemplate::new(200).set_body_json(organization_integrations());
    for status in [400, 403, 409, 429, 500] {
        let server = gitbook_with_refusal(api_error(status, LIMIT_MESSAGE), list.clone()).await;
        let log = failure(&on_push_to(&server, "fix").await);
        assert!(log.contains(LIMIT_MESSAGE) && !log.contains("sweep"), "{log}");
        assert_eq!(server.requests().await.len(), 2, "{:?}", server.requests().await);
    }
}

#[tokio::test]
async fn reports_the_limit_if_previews_cannot_be_listed() {
    let no_organization = json!({"items": []});
    let server = gitbook_with_refusal(api_error(402, LIMIT_MESSAGE), api_error(500, "Oh no")).await;
    insta::assert_snapshot!(failure(&on_push_to(&server, "fix").await), @"
    error: publishing the preview `hello-fix` failed: GitBook plan limit reached; the number of previews is unknown
    cause: GitBook plan limit reached: 402 You have reached the limit of 3 integrations
     hint: delete the previews of closed branches with `GITBOOK_MODE=sweep` or a scheduled run, then re-run the job
    ");
    let server = MockServer::start().await;
    let answers = [
        ("GET", "/v1/orgs", ResponseTemplate::new(200).set_body_json(no_organization)),
        ("GET", "/v1/integrations/hello-fix", api_error(404, "Integration not found")),
        ("POST", "/v1/integrations/hello-fix", api_error(402, LIMIT_MESSAGE)),
    ];
    for (verb, url_path, answer) in answers {
        Mock::given(method(verb)).and(path(url_path)).respond_with(answer).mount(&server).await;
    }
    let log = failure(&on_push_to(&server, "fix").await);
    assert!(log.contains("GITBOOK_MODE=sweep") && !log.contains("has 3 "), "{log}");
}

#[tokio::test]
async fn updating_a_preview_does_not_count_previews() {
    let server = MockServer::start().await;
    let mut existing = published("hello-fix");
    existing["summary"] = marker("github.com/acme/integrations").replace("branch=old", "branch=fix").into();
    let existing = ResponseTemplate::new(200).set_body_json(existing);
    Mock::given(method("GET")).respond_with(existing).mount(&server).await;
    Mock::given(method("POST")).respond_with(api_error(402, LIMIT_MESSAGE)).mount(&server).await;
    let log = failure(&on_push_to(&server, "fix").await);
    assert!(log.contains("`hello-fix`") && !log.contains("sweep"), "{log}");
    assert_eq!(
        server.requests().await,
        ["GET /v1/integrations/hello-fix", "POST /v1/integrations/hello-fix"]
    );
}

#[tokio::test]
async fn publishing_to_production_does_not_count_previews() {
    let list = ResponseTemplate::new(200).set_body_json(organization_integrations());
    let server = gitbook_with_refusal(api_error(402, LIMIT_MESSAGE), list).await;
    let log = failure(&on_push_to(&server, "main").await);
    assert!(log.contains("`hello`") && !log.contains("sweep"), "{log}");
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello", "POST /v1/integrations/hello"]);
}
