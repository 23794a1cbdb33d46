//! The limit of integrations: the error names the number of previews and the command that deletes unused
//! ones.

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::push;
use crate::support::{Finished, RecordedRequests as _, api_error, published, repository};

const ENOUGH: &str = "You have reached the limit of 3 integrations";

fn mark(repository: &str) -> String {
    format!("<!-- gitbook-deploy:preview integration=hello repository={repository} branch=old run=1 -->")
}

/// Returns two previews of this repository, one of another repository, and an integration.
fn of_the_organization() -> Value {
    let integration = |name: &str, summary: &str| {
        let mut integration = published(name);
        integration["summary"] = summary.into();
        integration
    };
    let ours = mark("github.com/acme/integrations");
    let items = [
        integration("hello", "Hello."),
        integration("hello-old", &ours),
        integration("hello-older", &ours),
        integration("other-old", &mark("github.com/acme/other")),
    ];
    json!({"items": items})
}

/// Returns a GitBook that rejects new integrations, with these responses for its lists.
async fn full(refusal: ResponseTemplate, list: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let organizations = json!({"items": [{"id": "o1", "hostname": "acme.gitbook.io"}]});
    let answers = [
        ("GET", "/v1/orgs", ResponseTemplate::new(200).set_body_json(organizations)),
        ("GET", "/v1/orgs/o1/integrations", list),
        ("GET", "/v1/integrations/hello-fix", api_error(404, "Integration not found")),
        ("POST", "/v1/integrations/hello-fix", refusal.clone()),
        ("POST", "/v1/integrations/hello", refusal),
    ];
    for (verb, at, answer) in answers {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&server).await;
    }
    server
}

async fn pushed(server: &MockServer, branch: &str) -> Finished {
    push(&server.uri(), branch, &repository().integration("hello")).run().await
}

/// Returns the log lines of the failure.
fn failure(finished: &Finished) -> String {
    assert_eq!((finished.code, finished.output("result")), (Some(1), "failed".to_owned()), "{finished:#?}");
    let log = finished.log();
    log.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn reports_the_number_of_previews() {
    let list = ResponseTemplate::new(200).set_body_json(of_the_organization());
    let server = full(api_error(402, ENOUGH), list.clone()).await;
    let finished = pushed(&server, "fix").await;
    insta::assert_snapshot!(failure(&finished), @"
    error: publishing the preview `hello-fix` failed: GitBook accepts no more integrations; the organization `acme` has 3 previews of gitbook-deploy, 2 of them from this repository
    cause: GitBook plan limit reached: 402 You have reached the limit of 3 integrations
     hint: delete the previews of closed branches with `GITBOOK_MODE=sweep` or a scheduled run, then run again
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
async fn other_errors_are_not_the_limit() {
    let list = ResponseTemplate::new(200).set_body_json(of_the_organization());
    for status in [400, 403, 409, 429, 500] {
        let server = full(api_error(status, ENOUGH), list.clone()).await;
        let outcome = failure(&pushed(&server, "fix").await);
        assert!(outcome.contains(ENOUGH) && !outcome.contains("sweep"), "{outcome}");
        assert_eq!(server.requests().await.len(), 2, "{:?}", server.requests().await);
    }
}

#[tokio::test]
async fn reports_the_limit_without_a_list() {
    let no_organization = json!({"items": []});
    let server = full(api_error(402, ENOUGH), api_error(500, "Oh no")).await;
    insta::assert_snapshot!(failure(&pushed(&server, "fix").await), @"
    error: publishing the preview `hello-fix` failed: GitBook accepts no more integrations; the number of previews is unknown
    cause: GitBook plan limit reached: 402 You have reached the limit of 3 integrations
     hint: delete the previews of closed branches with `GITBOOK_MODE=sweep` or a scheduled run, then run again
    ");
    let server = MockServer::start().await;
    let answers = [
        ("GET", "/v1/orgs", ResponseTemplate::new(200).set_body_json(no_organization)),
        ("GET", "/v1/integrations/hello-fix", api_error(404, "Integration not found")),
        ("POST", "/v1/integrations/hello-fix", api_error(402, ENOUGH)),
    ];
    for (verb, at, answer) in answers {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&server).await;
    }
    let outcome = failure(&pushed(&server, "fix").await);
    assert!(outcome.contains("GITBOOK_MODE=sweep") && !outcome.contains("has 3 "), "{outcome}");
}

#[tokio::test]
async fn updating_a_preview_does_not_count_previews() {
    let server = MockServer::start().await;
    let mut existing = published("hello-fix");
    existing["summary"] = mark("github.com/acme/integrations").replace("branch=old", "branch=fix").into();
    let existing = ResponseTemplate::new(200).set_body_json(existing);
    Mock::given(method("GET")).respond_with(existing).mount(&server).await;
    Mock::given(method("POST")).respond_with(api_error(402, ENOUGH)).mount(&server).await;
    let outcome = failure(&pushed(&server, "fix").await);
    assert!(outcome.contains("`hello-fix`") && !outcome.contains("sweep"), "{outcome}");
    assert_eq!(
        server.requests().await,
        ["GET /v1/integrations/hello-fix", "POST /v1/integrations/hello-fix"]
    );
}

#[tokio::test]
async fn publishing_an_integration_does_not_count_previews() {
    let list = ResponseTemplate::new(200).set_body_json(of_the_organization());
    let server = full(api_error(402, ENOUGH), list).await;
    let outcome = failure(&pushed(&server, "main").await);
    assert!(outcome.contains("`hello`") && !outcome.contains("sweep"), "{outcome}");
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello", "POST /v1/integrations/hello"]);
}
