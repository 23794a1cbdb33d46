//! The client at the HTTP edge: every way in which a request can fail, and when it is tried again.

mod lists;
mod transport;

use std::time::{Duration, SystemTime};

use gitbook_deploy::gitbook::{ApiError, Deletion, Failure, GitBook, Published, Tried};
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{Recorded as _, TOKEN, published, said};

fn client(endpoint: &str, retries: u32) -> GitBook {
    let endpoint = format!("{endpoint}/").parse().unwrap();
    GitBook::new(endpoint, TOKEN.into(), Duration::from_secs(10), retries).unwrap()
}

/// Lets every attempt go on.
async fn attempted<T>(_: Option<Failure>) -> Result<Option<T>, ApiError> {
    Ok(None)
}

/// A server that gives these answers, one after the other, and then none.
async fn server(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    for answer in answers {
        Mock::given(any()).respond_with(answer).up_to_n_times(1).mount(&server).await;
    }
    server
}

/// Kind, text and hint of an error.
fn told(error: &ApiError) -> String {
    let kind = format!("{error:?}");
    let kind = kind.split(['(', ' ']).next().unwrap();
    format!("{kind}: {error}\nhint: {}", error.hint())
}

/// What comes of publishing to a server that gives these answers, with one retry.
async fn publishing(answers: Vec<ResponseTemplate>) -> String {
    let server = server(answers).await;
    let result = client(&server.uri(), 1).publish("hello", b"{}".to_vec(), attempted).await.last;
    let result =
        result.map_or_else(|error| told(&error), |published| format!("published {}", published.name));
    format!("{result}\nrequests: {}", server.asked().await.len())
}

fn good() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(published("hello"))
}

#[tokio::test]
async fn a_request_that_is_refused_is_the_manifests_fault() {
    insta::assert_snapshot!(publishing(vec![said(400, "body.title is too long")]).await, @"
    Refused: GitBook refused the integration: 400 body.title is too long
    hint: change the manifest as GitBook asks, then run again
    requests: 1
    ");
    for status in [412, 413, 415, 422] {
        let told = publishing(vec![said(status, "no")]).await;
        assert!(told.starts_with("Refused: ") && told.ends_with("requests: 1"), "{told}");
        assert!(told.contains(&format!("{status} no")), "{told}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_told_and_not_tried_again() {
    insta::assert_snapshot!(publishing(vec![said(401, "Authentication required")]).await, @"
    Unauthorized: GitBook did not accept the token: 401 Authentication required
    hint: create a new API token in GitBook's developer settings and store it as the secret that `GITBOOK_TOKEN` is set from
    requests: 1
    ");
}

#[tokio::test]
async fn a_token_that_may_not_is_told_and_not_tried_again() {
    insta::assert_snapshot!(publishing(vec![said(403, "You may not")]).await, @"
    Forbidden: the token may not do this: 403 You may not
    hint: the token's user must be allowed to manage integrations of the organization that the manifest names
    requests: 1
    ");
}

#[tokio::test]
async fn what_is_not_found_on_publishing_is_the_organization() {
    insta::assert_snapshot!(publishing(vec![said(404, "Organization not found")]).await, @"
    NoOrganization: the organization was not found: 404 Organization not found
    hint: check `organization` in the manifest (its id or subdomain), and that the token's user is a member
    requests: 1
    ");
}

#[tokio::test]
async fn what_another_server_does_not_find_is_the_endpoints_fault() {
    insta::assert_snapshot!(publishing(vec![ResponseTemplate::new(404)]).await, @"
    NotFound: GitBook did not find it: 404 Not Found, not in GitBook's own words
    hint: check `GITBOOK_ENDPOINT`
    requests: 1
    ");
}

#[tokio::test]
async fn what_is_not_found_elsewhere_is_the_endpoints_fault() {
    let server = server(vec![said(404, "Not found")]).await;
    let error = client(&server.uri(), 1).list("acme", Some).await.unwrap_err();
    insta::assert_snapshot!(told(&error), @"
    NotFound: GitBook did not find it: 404 Not found
    hint: check `GITBOOK_ENDPOINT`
    ");
    assert_eq!(server.asked().await, ["GET /v1/orgs/acme/integrations"]);
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_and_not_tried_again() {
    insta::assert_snapshot!(publishing(vec![said(409, "The name is taken")]).await, @"
    Conflict: the name is taken, or another change is under way: 409 The name is taken
    hint: names are unique over all of GitBook: choose another `name`; if it is yours, run again
    requests: 1
    ");
}

#[tokio::test]
async fn a_status_that_nobody_documents_is_told() {
    insta::assert_snapshot!(publishing(vec![said(418, "I am a teapot")]).await, @"
    Unexpected: unexpected answer: 418 I am a teapot
    hint: check that `GITBOOK_ENDPOINT` is GitBook's API, and that no proxy answers in its place
    requests: 1
    ");
}

#[tokio::test]
async fn an_error_page_that_is_not_the_apis_is_not_shown() {
    let page = ResponseTemplate::new(403).set_body_string("<html>blocked by your firewall</html>");
    insta::assert_snapshot!(publishing(vec![page]).await, @"
    Forbidden: the token may not do this: 403 Forbidden, not in GitBook's own words
    hint: the token's user must be allowed to manage integrations of the organization that the manifest names
    requests: 1
    ");
}

#[tokio::test]
async fn a_page_in_the_apis_place_is_not_taken_for_success() {
    let page = ResponseTemplate::new(200).set_body_string("<html>log in to the network</html>");
    insta::assert_snapshot!(publishing(vec![page]).await, @"
    NotJson: the answer, 200, is not the API's
    hint: check that `GITBOOK_ENDPOINT` is GitBook's API, and that no proxy answers in its place
    requests: 1
    ");
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_the_server_asks() {
    let started = std::time::Instant::now();
    let limited = said(429, "Too many requests").insert_header("retry-after", "2");
    assert_eq!(publishing(vec![limited, good()]).await, "published hello\nrequests: 2");
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
    let limited = said(429, "Too many requests").insert_header("retry-after", "0");
    assert_eq!(publishing(vec![limited, good()]).await, "published hello\nrequests: 2");
    let limited = said(429, "Too many requests").insert_header("x-ratelimit-reset", "1");
    assert_eq!(publishing(vec![limited, good()]).await, "published hello\nrequests: 2");
}

#[tokio::test]
async fn a_rate_limit_whose_end_is_told_uses_up_no_tries() {
    let limited = || said(429, "Too many requests").insert_header("retry-after", "1");
    assert_eq!(publishing(vec![limited(), limited(), good()]).await, "published hello\nrequests: 3");
}

#[tokio::test]
async fn a_rate_limit_that_lasts_too_long_is_told_with_its_end_and_not_waited_for() {
    let started = std::time::Instant::now();
    let limited = said(429, "Too many requests").insert_header("retry-after", "3600");
    insta::assert_snapshot!(publishing(vec![limited, good()]).await, @"
    RateLimited: GitBook's rate limit is reached: 429 Too many requests
    hint: run again in 1h, or lower `GITBOOK_CONCURRENCY`
    requests: 1
    ");
    let reset = SystemTime::now() + Duration::from_secs(7200);
    let reset = reset.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string();
    let limited = said(429, "Too many requests").insert_header("x-ratelimit-reset", reset);
    let told = publishing(vec![limited, good()]).await;
    assert!(told.contains("hint: run again in 1h 59m") && told.ends_with("requests: 1"), "{told}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_absurd_pause_is_not_waited_for() {
    let absurd = said(503, "later").insert_header("retry-after", u64::MAX.to_string().as_str());
    let told = publishing(vec![absurd.set_delay(Duration::from_millis(1100))]).await;
    assert!(told.starts_with("Server: ") && told.ends_with("requests: 1"), "{told}");
}

#[tokio::test]
async fn a_rate_limit_without_an_end_is_told() {
    let limited = || said(429, "Too many requests");
    insta::assert_snapshot!(publishing(vec![limited(), limited()]).await, @"
    RateLimited: GitBook's rate limit is reached: 429 Too many requests
    hint: run again later, or lower `GITBOOK_CONCURRENCY`
    requests: 2
    ");
}

#[tokio::test]
async fn a_server_that_recovers_is_no_failure() {
    let check = async |status| {
        let result = publishing(vec![ResponseTemplate::new(status), good()]).await;
        assert_eq!(result, "published hello\nrequests: 2", "{status}");
    };
    futures::future::join_all([408, 425, 500, 502, 503, 504].map(check)).await;
}

#[tokio::test]
async fn a_server_that_does_not_recover_is_told_once_the_retries_are_used_up() {
    let broken = || said(503, "Unavailable");
    insta::assert_snapshot!(publishing(vec![broken(), broken(), good()]).await, @"
    Server: GitBook has a problem of its own: 503 Unavailable
    hint: run again later; publishing and deleting can be repeated safely
    requests: 2
    ");
}

#[tokio::test]
async fn every_try_sends_the_token_and_the_whole_body() {
    let server = MockServer::start().await;
    let authorized = || Mock::given(header("authorization", format!("Bearer {TOKEN}").as_str()));
    authorized().respond_with(said(500, "again")).up_to_n_times(1).mount(&server).await;
    authorized().respond_with(good()).mount(&server).await;
    client(&server.uri(), 1).publish("hello", b"{\"a\":1}".to_vec(), attempted).await.last.unwrap();
    let bodies: Vec<_> = server.received_requests().await.unwrap().into_iter().map(|r| r.body).collect();
    assert_eq!(bodies, [b"{\"a\":1}", b"{\"a\":1}"]);
}

#[tokio::test]
async fn a_redirect_is_told_and_the_token_does_not_follow() {
    let elsewhere = server(vec![good()]).await;
    let check = async |status| {
        let redirect = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        publishing(vec![redirect]).await
    };
    insta::assert_snapshot!(check(302).await, @"
    Redirect: the endpoint redirects elsewhere (302), and the token does not follow
    hint: set `GITBOOK_ENDPOINT` to where it redirects, if you trust it
    requests: 1
    ");
    for status in [301, 303, 307, 308] {
        assert!(check(status).await.starts_with("Redirect: "), "{status}");
    }
    assert_eq!(elsewhere.asked().await, [""; 0]);
}

#[tokio::test]
async fn a_deletion_tells_whether_there_was_anything_to_delete() {
    let deletion = async |status| {
        let server = server(vec![ResponseTemplate::new(status)]).await;
        let deletion = client(&server.uri(), 0).delete("hello", attempted).await.last.unwrap();
        assert_eq!(server.asked().await, ["DELETE /v1/integrations/hello"]);
        deletion
    };
    assert_eq!(deletion(205).await, Deletion::Deleted);
    assert_eq!(deletion(204).await, Deletion::DidNotExist);
}

/// What comes of deleting from a server that gives these answers, with a look before each further attempt, and how often it
/// was asked for what.
async fn deleting(answers: Vec<ResponseTemplate>) -> String {
    let server = server(answers).await;
    let client = client(&server.uri(), 2);
    let before = async |failure: Option<Failure>| {
        let Some(_) = failure else { return Ok(None) };
        let there = client.read_once("hello").await?;
        Ok::<_, ApiError>(there.is_none().then_some(Deletion::DidNotExist))
    };
    let Tried { last, unanswered } = client.delete("hello", before).await;
    let last = last.map_or_else(|error| told(&error), |deletion| format!("{deletion:?}"));
    let asked: Vec<_> =
        server.asked().await.iter().map(|asked| asked.split(' ').next().unwrap().to_owned()).collect();
    format!("{last}\nunanswered: {unanswered}, {}", asked.join(" "))
}

#[tokio::test]
async fn each_further_try_of_a_deletion_looks_at_what_is_there_by_then() {
    let (busy, limited) = (|| said(503, "busy"), || said(429, "limited"));
    let (gone, deleted) = (|| said(404, "Integration not found"), || ResponseTemplate::new(205));
    insta::assert_snapshot!(deleting(vec![deleted()]).await, @"
    Deleted
    unanswered: 0, DELETE
    ");
    insta::assert_snapshot!(deleting(vec![busy(), good(), deleted()]).await, @"
    Deleted
    unanswered: 1, DELETE GET DELETE
    ");
    insta::assert_snapshot!(deleting(vec![busy(), gone()]).await, @"
    DidNotExist
    unanswered: 1, DELETE GET
    ");
    insta::assert_snapshot!(deleting(vec![limited(), gone()]).await, @"
    DidNotExist
    unanswered: 0, DELETE GET
    ");
    // A look that fails is a try that fails, which has changed nothing.
    insta::assert_snapshot!(deleting(vec![limited(), busy(), good(), deleted()]).await, @"
    Deleted
    unanswered: 0, DELETE GET GET DELETE
    ");
    insta::assert_snapshot!(deleting(vec![limited(), busy(), busy(), deleted()]).await, @"
    Server: GitBook has a problem of its own: 503 busy
    hint: run again later; publishing and deleting can be repeated safely
    unanswered: 0, DELETE GET GET
    ");
    insta::assert_snapshot!(deleting(vec![busy(), said(403, "no"), deleted()]).await, @"
    Forbidden: the token may not do this: 403 no
    hint: the token's user must be allowed to manage integrations of the organization that the manifest names
    unanswered: 1, DELETE GET
    ");
}

#[tokio::test]
async fn a_check_before_an_attempt_ends_a_publish_with_its_answer_or_its_error() {
    let busy = || said(503, "busy");
    let server = server(vec![busy(), good(), busy(), busy()]).await;
    let client = client(&server.uri(), 1);
    let look = async |failure: Option<Failure>| {
        let Some(Failure { unanswered, .. }) = failure else { return Ok(None) };
        assert_eq!(unanswered, 1);
        client.read_once("hello").await
    };
    let Tried { last, unanswered } = client.publish("hello", b"{}".to_vec(), look).await;
    assert_eq!((last.unwrap().name.as_str(), unanswered), ("hello", 1));
    client.publish("hello", b"{}".to_vec(), attempted).await.last.unwrap_err();
    let refuse = async |_: Option<Failure>| Err::<Option<Published>, _>(ApiError::Cancelled);
    let refused = client.publish("hello", b"{}".to_vec(), refuse).await.last;
    assert!(matches!(refused, Err(ApiError::Cancelled)), "{refused:?}");
    let methods = ["POST", "GET", "POST", "POST"].map(|method| format!("{method} /v1/integrations/hello"));
    assert_eq!(server.asked().await, methods);
}

#[tokio::test]
async fn what_is_not_there_is_told_by_the_api_and_by_nobody_else() {
    let own =
        ResponseTemplate::new(404).set_body_json(serde_json::json!({"error": {"code": 404, "message": "x"}}));
    let page = ResponseTemplate::new(404).set_body_string("<h1>Not here</h1>");
    let server = server(vec![own.clone(), own, page.clone(), page]).await;
    let client = client(&server.uri(), 0);
    assert_eq!(client.delete("hello", attempted).await.last.unwrap(), Deletion::DidNotExist);
    assert_eq!(client.read("hello").await.unwrap(), None);
    assert!(matches!(client.delete("hello", attempted).await.last, Err(ApiError::NotFound(_))));
    assert!(matches!(client.read("hello").await, Err(ApiError::NotFound(_))));
}

#[tokio::test]
async fn reading_what_is_not_there_is_no_failure() {
    let server = server(vec![said(404, "Integration not found"), said(403, "no"), good()]).await;
    let client = client(&server.uri(), 0);
    assert_eq!(client.read("hello").await.unwrap(), None);
    assert!(told(&client.read("hello").await.unwrap_err()).starts_with("Forbidden: "));
    assert_eq!(client.read("hello").await.unwrap().unwrap().name, "hello");
}

#[tokio::test]
async fn a_name_is_one_segment_of_the_path_whatever_it_holds() {
    let server = server(vec![said(404, "Integration not found")]).await;
    client(&server.uri(), 0).read("a/../b?c#d").await.unwrap();
    assert_eq!(server.asked().await, ["GET /v1/integrations/a%2F..%2Fb%3Fc%23d"]);
}
