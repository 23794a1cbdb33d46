//! The GitBook client: every kind of failure, and the retries.

mod lists;
mod transport;

use std::time::{Duration, SystemTime};

use gitbook_deploy::gitbook::{
    Attempts, Deletion, FailedAttempt, GitBook, GitBookError, PublishedIntegration, RequestError,
};
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{RecordedRequests as _, TOKEN, api_error, published, replace_digits_after};

fn client(endpoint: &str, retries: u32) -> GitBook {
    let endpoint = format!("{endpoint}/").parse().unwrap();
    GitBook::new(endpoint, TOKEN.into(), Duration::from_secs(10), retries).unwrap()
}

/// Allows every attempt without a check.
async fn approve_attempt<T>(_: Option<FailedAttempt>) -> Result<Option<T>, GitBookError> {
    Ok(None)
}

/// Starts a server that sends each of these responses once, in order, and then responds with 404.
async fn server(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    for answer in answers {
        Mock::given(any()).respond_with(answer).up_to_n_times(1).mount(&server).await;
    }
    server
}

/// Returns the variant, the message and the hint of an error.
fn describe(error: &GitBookError) -> String {
    let kind = format!("{error:?}");
    let kind = kind.trim_start_matches("Request(").split(['(', ')', ' ']).next().unwrap();
    format!("{kind}: {error}\nhint: {}", error.hint())
}

/// Publishes to a server with these responses, with at most one retry. Returns the outcome and the number of requests.
async fn publish_outcome(answers: Vec<ResponseTemplate>) -> String {
    let server = server(answers).await;
    let result = client(&server.uri(), 1).publish("hello", b"{}".to_vec(), approve_attempt).await.last;
    let result =
        result.map_or_else(|error| describe(&error), |published| format!("published {}", published.name));
    format!("{result}\nrequests: {}", server.requests().await.len())
}

fn published_response() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(published("hello"))
}

#[tokio::test]
async fn a_rejected_request_has_a_hint_about_the_manifest() {
    insta::assert_snapshot!(publish_outcome(vec![api_error(400, "body.title is too long")]).await, @"
    Rejected: GitBook rejected the request: 400 body.title is too long
    hint: correct the manifest field named in GitBook's response, then re-run the job
    requests: 1
    ");
    for status in [412, 413, 415, 422] {
        let outcome = publish_outcome(vec![api_error(status, "no")]).await;
        assert!(outcome.starts_with("Rejected: ") && outcome.ends_with("requests: 1"), "{outcome}");
        assert!(outcome.contains(&format!("{status} no")), "{outcome}");
    }
}

#[tokio::test]
async fn does_not_retry_a_rejected_token() {
    insta::assert_snapshot!(publish_outcome(vec![api_error(401, "Authentication required")]).await, @"
    Unauthorized: GitBook rejected the token: 401 Authentication required
    hint: create an API token in GitBook's developer settings and store it as the secret that sets `GITBOOK_TOKEN`
    requests: 1
    ");
}

#[tokio::test]
async fn does_not_retry_a_missing_permission() {
    insta::assert_snapshot!(publish_outcome(vec![api_error(403, "You may not")]).await, @"
    Forbidden: the token lacks a permission: 403 You may not
    hint: let the token's user manage integrations of the organization in the manifest, or use another user's token
    requests: 1
    ");
}

#[tokio::test]
async fn a_404_on_publishing_has_a_hint_about_the_organization() {
    insta::assert_snapshot!(publish_outcome(vec![api_error(404, "Organization not found")]).await, @"
    OrganizationNotFound: organization not found: 404 Organization not found
    hint: check `organization` in the manifest (an ID or subdomain), and that the token's user is a member
    requests: 1
    ");
}

#[tokio::test]
async fn a_404_from_another_server_has_a_hint_about_the_endpoint() {
    insta::assert_snapshot!(publish_outcome(vec![ResponseTemplate::new(404)]).await, @"
    NotFound: GitBook resource not found: 404 Not Found (not a GitBook response)
    hint: check `GITBOOK_ENDPOINT`
    requests: 1
    ");
}

#[tokio::test]
async fn an_unexpected_404_has_a_hint_about_the_endpoint() {
    let server = server(vec![api_error(404, "Not found")]).await;
    let error = client(&server.uri(), 1).list("acme", Some).await.unwrap_err();
    insta::assert_snapshot!(describe(&error), @"
    NotFound: GitBook resource not found: 404 Not found
    hint: check `GITBOOK_ENDPOINT`
    ");
    assert_eq!(server.requests().await, ["GET /v1/orgs/acme/integrations"]);
}

#[tokio::test]
async fn does_not_retry_after_a_name_conflict() {
    insta::assert_snapshot!(publish_outcome(vec![api_error(409, "The name is taken")]).await, @"
    Conflict: GitBook reported a conflict: 409 The name is taken
    hint: choose another `name`, since names are unique across GitBook; if the integration is yours, re-run the job
    requests: 1
    ");
}

#[tokio::test]
async fn reports_an_undocumented_status() {
    insta::assert_snapshot!(publish_outcome(vec![api_error(418, "I am a teapot")]).await, @"
    Unexpected: GitBook sent an unexpected response: 418 I am a teapot
    hint: check that `GITBOOK_ENDPOINT` is the URL of the API and that no proxy intercepts the requests
    requests: 1
    ");
}

#[tokio::test]
async fn hides_the_error_page_of_a_proxy() {
    let page = ResponseTemplate::new(403).set_body_string("<html>blocked by your firewall</html>");
    insta::assert_snapshot!(publish_outcome(vec![page]).await, @"
    Forbidden: the token lacks a permission: 403 Forbidden (not a GitBook response)
    hint: let the token's user manage integrations of the organization in the manifest, or use another user's token
    requests: 1
    ");
}

#[tokio::test]
async fn reports_a_proxy_page_with_status_200() {
    let page = ResponseTemplate::new(200).set_body_string("<html>log in to the network</html>");
    insta::assert_snapshot!(publish_outcome(vec![page]).await, @"
    NotJson: GitBook sent an unexpected response body with status 200
    hint: check that `GITBOOK_ENDPOINT` is the URL of the API and that no proxy intercepts the requests
    requests: 1
    ");
}

#[tokio::test]
async fn waits_until_the_rate_limit_resets() {
    let started = std::time::Instant::now();
    let limited = api_error(429, "Too many requests").insert_header("retry-after", "2");
    assert_eq!(publish_outcome(vec![limited, published_response()]).await, "published hello\nrequests: 2");
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
    let limited = api_error(429, "Too many requests").insert_header("retry-after", "0");
    assert_eq!(publish_outcome(vec![limited, published_response()]).await, "published hello\nrequests: 2");
    let limited = api_error(429, "Too many requests").insert_header("x-ratelimit-reset", "1");
    assert_eq!(publish_outcome(vec![limited, published_response()]).await, "published hello\nrequests: 2");
}

#[tokio::test]
async fn waiting_for_a_rate_limit_does_not_count_as_a_retry() {
    let limited = || api_error(429, "Too many requests").insert_header("retry-after", "1");
    assert_eq!(
        publish_outcome(vec![limited(), limited(), published_response()]).await,
        "published hello\nrequests: 3"
    );
}

#[tokio::test]
async fn does_not_wait_for_a_long_rate_limit() {
    let started = std::time::Instant::now();
    let limited = api_error(429, "Too many requests").insert_header("retry-after", "3600");
    insta::assert_snapshot!(publish_outcome(vec![limited, published_response()]).await, @"
    RateLimited: GitBook rate limit reached: 429 Too many requests
    hint: re-run the job in 1h, or lower `GITBOOK_CONCURRENCY`
    requests: 1
    ");
    let reset = SystemTime::now() + Duration::from_secs(7200);
    let reset = reset.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string();
    let limited = api_error(429, "Too many requests").insert_header("x-ratelimit-reset", reset);
    let outcome = publish_outcome(vec![limited, published_response()]).await;
    assert!(outcome.contains("1h 59m") && outcome.ends_with("requests: 1"), "{outcome}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn does_not_wait_for_a_huge_retry_after_value() {
    let unavailable = api_error(503, "later").insert_header("retry-after", u64::MAX.to_string().as_str());
    let outcome = publish_outcome(vec![unavailable.set_delay(Duration::from_millis(1100))]).await;
    assert!(outcome.starts_with("Server: ") && outcome.ends_with("requests: 1"), "{outcome}");
}

#[tokio::test]
async fn reports_a_rate_limit_without_a_reset_time() {
    let limited = || api_error(429, "Too many requests");
    insta::assert_snapshot!(publish_outcome(vec![limited(), limited()]).await, @"
    RateLimited: GitBook rate limit reached: 429 Too many requests
    hint: re-run the job later, or lower `GITBOOK_CONCURRENCY`
    requests: 2
    ");
}

#[tokio::test]
async fn retries_until_the_server_recovers() {
    let check = async |status| {
        let result = publish_outcome(vec![ResponseTemplate::new(status), published_response()]).await;
        assert_eq!(result, "published hello\nrequests: 2", "{status}");
    };
    futures::future::join_all([408, 425, 500, 502, 503, 504].map(check)).await;
}

#[tokio::test]
async fn reports_a_failure_after_the_last_retry() {
    let broken = || api_error(503, "Unavailable");
    insta::assert_snapshot!(publish_outcome(vec![broken(), broken(), published_response()]).await, @"
    Server: GitBook server error: 503 Unavailable
    hint: re-run the job later; publishing and deleting are safe to repeat
    requests: 2
    ");
}

#[tokio::test]
async fn each_attempt_sends_the_token_and_the_body() {
    let server = MockServer::start().await;
    let authorized = || Mock::given(header("authorization", format!("Bearer {TOKEN}").as_str()));
    authorized().respond_with(api_error(500, "again")).up_to_n_times(1).mount(&server).await;
    authorized().respond_with(published_response()).mount(&server).await;
    client(&server.uri(), 1).publish("hello", b"{\"a\":1}".to_vec(), approve_attempt).await.last.unwrap();
    let bodies: Vec<_> = server.received_requests().await.unwrap().into_iter().map(|r| r.body).collect();
    assert_eq!(bodies, [b"{\"a\":1}", b"{\"a\":1}"]);
}

#[tokio::test]
async fn reports_a_redirect_without_following_it() {
    let other_server = server(vec![published_response()]).await;
    let check = async |status| {
        let redirect = ResponseTemplate::new(status).insert_header("location", other_server.uri());
        publish_outcome(vec![redirect]).await
    };
    insta::assert_snapshot!(replace_digits_after(&check(302).await, "127.0.0.1:", "<port>"), @"
    Redirect: GitBook redirects to `127.0.0.1:<port>` (302); the token was not sent there
    hint: set `GITBOOK_ENDPOINT` to the URL of `127.0.0.1:<port>` if you trust that server
    requests: 1
    ");
    for status in [301, 303, 307, 308] {
        assert!(check(status).await.starts_with("Redirect: "), "{status}");
    }
    assert_eq!(other_server.requests().await, [""; 0]);
}

#[tokio::test]
async fn a_deletion_returns_whether_the_integration_existed() {
    let deletion = async |status| {
        let server = server(vec![ResponseTemplate::new(status)]).await;
        let deletion = client(&server.uri(), 0).delete("hello", approve_attempt).await.last.unwrap();
        assert_eq!(server.requests().await, ["DELETE /v1/integrations/hello"]);
        deletion
    };
    assert_eq!(deletion(205).await, Deletion::Deleted);
    assert_eq!(deletion(204).await, Deletion::DidNotExist);
}

/// Deletes an integration on a server with these responses, and reads the integration before each retry. Returns the outcome
/// and the requests.
async fn delete_outcome(answers: Vec<ResponseTemplate>) -> String {
    let server = server(answers).await;
    let client = client(&server.uri(), 2);
    let before = async |failure: Option<FailedAttempt>| {
        let Some(_) = failure else { return Ok(None) };
        let existing = client.read_once("hello").await?;
        Ok::<_, GitBookError>(existing.is_none().then_some(Deletion::DidNotExist))
    };
    let Attempts { last, unanswered } = client.delete("hello", before).await;
    let last = last.map_or_else(|error| describe(&error), |deletion| format!("{deletion:?}"));
    let received: Vec<_> = server
        .requests()
        .await
        .iter()
        .map(|received| received.split(' ').next().unwrap().to_owned())
        .collect();
    format!("{last}\nunanswered: {unanswered}, {}", received.join(" "))
}

#[tokio::test]
async fn reads_the_integration_before_each_retry_of_a_deletion() {
    let (busy, limited) = (|| api_error(503, "busy"), || api_error(429, "limited"));
    let (gone, deleted) = (|| api_error(404, "Integration not found"), || ResponseTemplate::new(205));
    insta::assert_snapshot!(delete_outcome(vec![deleted()]).await, @"
    Deleted
    unanswered: 0, DELETE
    ");
    insta::assert_snapshot!(delete_outcome(vec![busy(), published_response(), deleted()]).await, @"
    Deleted
    unanswered: 1, DELETE GET DELETE
    ");
    insta::assert_snapshot!(delete_outcome(vec![busy(), gone()]).await, @"
    DidNotExist
    unanswered: 1, DELETE GET
    ");
    insta::assert_snapshot!(delete_outcome(vec![limited(), gone()]).await, @"
    DidNotExist
    unanswered: 0, DELETE GET
    ");
    // A failed read counts as a failed attempt without an effect.
    insta::assert_snapshot!(delete_outcome(vec![limited(), busy(), published_response(), deleted()]).await, @"
    Deleted
    unanswered: 0, DELETE GET GET DELETE
    ");
    insta::assert_snapshot!(delete_outcome(vec![limited(), busy(), busy(), deleted()]).await, @"
    Server: GitBook server error: 503 busy
    hint: re-run the job later; publishing and deleting are safe to repeat
    unanswered: 0, DELETE GET GET
    ");
    insta::assert_snapshot!(delete_outcome(vec![busy(), api_error(403, "no"), deleted()]).await, @"
    Forbidden: the token lacks a permission: 403 no
    hint: let the token's user manage integrations of the organization in the manifest, or use another user's token
    unanswered: 1, DELETE GET
    ");
}

#[tokio::test]
async fn a_check_before_an_attempt_can_end_a_publication() {
    let busy = || api_error(503, "busy");
    let server = server(vec![busy(), published_response(), busy(), busy()]).await;
    let client = client(&server.uri(), 1);
    let read_before_retry = async |failure: Option<FailedAttempt>| {
        let Some(FailedAttempt { unanswered, .. }) = failure else { return Ok(None) };
        assert_eq!(unanswered, 1);
        client.read_once("hello").await
    };
    let Attempts { last, unanswered } = client.publish("hello", b"{}".to_vec(), read_before_retry).await;
    assert_eq!((last.unwrap().name.as_str(), unanswered), ("hello", 1));
    client.publish("hello", b"{}".to_vec(), approve_attempt).await.last.unwrap_err();
    let refuse = async |_: Option<FailedAttempt>| {
        Err::<Option<PublishedIntegration>, _>(GitBookError::Request(RequestError::Cancelled))
    };
    let refused = client.publish("hello", b"{}".to_vec(), refuse).await.last;
    assert!(matches!(refused, Err(GitBookError::Request(RequestError::Cancelled))), "{refused:?}");
    let methods = ["POST", "GET", "POST", "POST"].map(|method| format!("{method} /v1/integrations/hello"));
    assert_eq!(server.requests().await, methods);
}

#[tokio::test]
async fn only_the_api_can_report_a_missing_integration() {
    let own =
        ResponseTemplate::new(404).set_body_json(serde_json::json!({"error": {"code": 404, "message": "x"}}));
    let page = ResponseTemplate::new(404).set_body_string("<h1>Not here</h1>");
    let server = server(vec![own.clone(), own, page.clone(), page]).await;
    let client = client(&server.uri(), 0);
    assert_eq!(client.delete("hello", approve_attempt).await.last.unwrap(), Deletion::DidNotExist);
    assert_eq!(client.read("hello").await.unwrap(), None);
    assert!(matches!(
        client.delete("hello", approve_attempt).await.last,
        Err(GitBookError::Request(RequestError::NotFound(_)))
    ));
    assert!(matches!(client.read("hello").await, Err(GitBookError::Request(RequestError::NotFound(_)))));
}

#[tokio::test]
async fn reads_a_missing_integration_as_none() {
    let server =
        server(vec![api_error(404, "Integration not found"), api_error(403, "no"), published_response()])
            .await;
    let client = client(&server.uri(), 0);
    assert_eq!(client.read("hello").await.unwrap(), None);
    assert!(describe(&client.read("hello").await.unwrap_err()).starts_with("Forbidden: "));
    assert_eq!(client.read("hello").await.unwrap().unwrap().name, "hello");
}

#[tokio::test]
async fn encodes_a_name_as_one_path_segment() {
    let server = server(vec![api_error(404, "Integration not found")]).await;
    client(&server.uri(), 0).read("a/../b?c#d").await.unwrap();
    assert_eq!(server.requests().await, ["GET /v1/integrations/a%2F..%2Fb%3Fc%23d"]);
}
