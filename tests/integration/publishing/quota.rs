//! A preview that is one too many: the error says how many there are, and what deletes those of branches that are gone.

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::push;
use crate::support::{Finished, Recorded as _, published, repository, said};

const ENOUGH: &str = "You have reached the limit of 3 integrations";

fn mark(repository: &str) -> String {
    format!("<!-- gitbook-deploy:preview integration=hello repository={repository} branch=old run=1 -->")
}

/// What an organization has: two previews of this repository, one of another's, and an integration.
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

/// A GitBook that takes nothing new and says why, and what it answers for the organizations and for their list.
async fn full(refusal: ResponseTemplate, list: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let organizations = json!({"items": [{"id": "o1", "hostname": "acme.gitbook.io"}]});
    let answers = [
        ("GET", "/v1/orgs", ResponseTemplate::new(200).set_body_json(organizations)),
        ("GET", "/v1/orgs/o1/integrations", list),
        ("GET", "/v1/integrations/hello-fix", said(404, "Integration not found")),
        ("POST", "/v1/integrations/hello-fix", refusal.clone()),
        ("POST", "/v1/integrations/hello", refusal),
    ];
    for (verb, at, answer) in answers {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&server).await;
    }
    server
}

async fn pushed(server: &MockServer, branch: &str) -> Finished {
    push(&server.uri(), branch, &repository().integration("hello")).runs().await
}

/// The lines of the log about the failure.
fn failure(ended: &Finished) -> String {
    assert_eq!((ended.code, ended.output("result")), (Some(1), "failed".to_owned()), "{ended:#?}");
    let log = ended.log();
    log.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_quota_is_told_with_how_many_previews_there_are() {
    let list = ResponseTemplate::new(200).set_body_json(of_the_organization());
    let server = full(said(403, ENOUGH), list.clone()).await;
    let ended = pushed(&server, "fix").await;
    insta::assert_snapshot!(failure(&ended), @"
    error: publishing `hello-fix` failed
    cause: the token lacks a permission: 403 You have reached the limit of 3 integrations
     hint: let the token's user manage integrations of the organization in the manifest, or use another user's token
    ");
    assert_eq!(
        server.asked().await,
        [
            "GET /v1/integrations/hello-fix",
            "POST /v1/integrations/hello-fix",
            "GET /v1/orgs",
            "GET /v1/orgs/o1/integrations"
        ]
    );
    assert!(ended.summary.contains("has 3 "), "{}", ended.summary);
}

#[tokio::test]
async fn whatever_status_a_quota_has() {
    let list = ResponseTemplate::new(200).set_body_json(of_the_organization());
    for status in [400, 402, 403, 409, 412, 422, 429] {
        let server = full(said(status, ENOUGH), list.clone()).await;
        let told = failure(&pushed(&server, "fix").await);
        assert!(told.contains("has 3 ") && told.contains(", 2 of "), "{told}");
        assert!(told.contains(&format!("{status} {ENOUGH}\n")), "{told}");
        assert!(told.contains("GITBOOK_MODE=sweep"), "{told}");
    }
}

#[tokio::test]
async fn another_refusal_is_no_quota() {
    let list = ResponseTemplate::new(200).set_body_json(of_the_organization());
    let others = [
        (400, "\"title\" must be at most 30 characters"),
        (402, "Something about money"),
        (403, "You are not allowed to manage the integrations of this organization"),
        (409, "The name is taken"),
        (412, "Too many scopes, the limit is 20"),
        (422, "The script exceeds the maximum size"),
        (429, "Rate limit of your plan exceeded"),
        (500, ENOUGH),
        (404, ENOUGH),
    ];
    for (status, message) in others {
        let server = full(said(status, message), list.clone()).await;
        let told = failure(&pushed(&server, "fix").await);
        assert!(told.contains("`hello-fix`"), "{told}");
        assert!(told.contains(message) && !told.contains("sweep"), "{told}");
        assert_eq!(server.asked().await.len(), 2, "{:?}", server.asked().await);
    }
    // A proxy's page is nobody's quota.
    let page = ResponseTemplate::new(403).set_body_string(ENOUGH);
    let told = failure(&pushed(&full(page, list).await, "fix").await);
    assert!(told.contains("`hello-fix`"), "{told}");
}

#[tokio::test]
async fn a_quota_is_told_without_a_number_where_there_is_none() {
    let no_organization = json!({"items": []});
    let server = full(said(403, ENOUGH), said(500, "Oh no")).await;
    insta::assert_snapshot!(failure(&pushed(&server, "fix").await), @"
    error: publishing `hello-fix` failed
    cause: the token lacks a permission: 403 You have reached the limit of 3 integrations
     hint: let the token's user manage integrations of the organization in the manifest, or use another user's token
    ");
    let server = MockServer::start().await;
    let answers = [
        ("GET", "/v1/orgs", ResponseTemplate::new(200).set_body_json(no_organization)),
        ("GET", "/v1/integrations/hello-fix", said(404, "Integration not found")),
        ("POST", "/v1/integrations/hello-fix", said(403, ENOUGH)),
    ];
    for (verb, at, answer) in answers {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&server).await;
    }
    let told = failure(&pushed(&server, "fix").await);
    assert!(told.contains("GITBOOK_MODE=sweep") && !told.contains("has 3 "), "{told}");
}

#[tokio::test]
async fn what_is_there_already_is_not_one_too_many() {
    let server = MockServer::start().await;
    let mut there = published("hello-fix");
    there["summary"] = mark("github.com/acme/integrations").replace("branch=old", "branch=fix").into();
    let there = ResponseTemplate::new(200).set_body_json(there);
    Mock::given(method("GET")).respond_with(there).mount(&server).await;
    Mock::given(method("POST")).respond_with(said(403, ENOUGH)).mount(&server).await;
    let told = failure(&pushed(&server, "fix").await);
    assert!(told.contains("`hello-fix`") && !told.contains("sweep"), "{told}");
    assert_eq!(server.asked().await, ["GET /v1/integrations/hello-fix", "POST /v1/integrations/hello-fix"]);
}

#[tokio::test]
async fn an_integration_itself_is_no_preview_too_many() {
    let list = ResponseTemplate::new(200).set_body_json(of_the_organization());
    let server = full(said(403, ENOUGH), list).await;
    let told = failure(&pushed(&server, "main").await);
    assert!(told.contains("`hello`") && !told.contains("sweep"), "{told}");
    assert_eq!(server.asked().await, ["GET /v1/integrations/hello", "POST /v1/integrations/hello"]);
}
