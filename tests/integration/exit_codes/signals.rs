//! SIGINT and SIGTERM: no new work is started, and the report is correct.

use std::time::{Duration, Instant};

use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{
    Deployment, RecordedRequests as _, api_error, deployment, published, repository, wait_until,
};

/// Starts a server that delays its responses to one HTTP method.
async fn slow_server(slow_method: &str, delay: Duration, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method(slow_method)).respond_with(answer.set_delay(delay)).mount(&server).await;
    let published = ResponseTemplate::new(200).set_body_json(published("hello"));
    Mock::given(method("POST")).respond_with(published).mount(&server).await;
    server
}

fn publishing(server: &MockServer) -> Deployment {
    deployment().with_endpoint(&server.uri()).on_push_to("main").variable("GITBOOK_CONCURRENCY", "1")
}

/// Waits until the server has received a request with this method.
async fn until_requested(server: &MockServer, method: &str) {
    let has_request = async || server.requests().await.iter().any(|request| request.starts_with(method));
    wait_until("the server receives a request", has_request).await;
}

#[tokio::test]
async fn aborts_a_stalled_request_five_seconds_after_a_signal() {
    let repository = repository().integration("one").integration("two");
    let check = async |signal: &str, code: i32| {
        let server = slow_server("POST", Duration::from_secs(50), api_error(500, "late")).await;
        let run = publishing(&server).folder(&repository).start();
        until_requested(&server, "POST").await;
        let started = Instant::now();
        run.signal(signal).await;
        let finished = run.finish().await;
        assert!((4..15).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
        assert_eq!((finished.code, finished.report["exit_code"].as_i64()), (Some(code), Some(code.into())));
        assert_eq!(finished.output("result"), "failed");
        let received = ["GET /v1/integrations/one", "GET /v1/integrations/two", "POST /v1/integrations/one"];
        assert_eq!(server.requests().await, received);
        finished
    };
    let (interrupted, terminated) = tokio::join!(check("INT", 130), check("TERM", 143));
    insta::assert_snapshot!(interrupted.log(), @"
    exit 130
    info: could not read `one` before publishing, so its version is not checked: GitBook resource not found: 404 Not Found (not a GitBook response)
    warning: received SIGINT: starting no new work
    info: skipped two (… s): not started: cancelled by SIGINT
    error: cancelled while publishing `one`; the request may have taken effect
     hint: re-run the job; publishing and deleting are safe to repeat
    error: cancelled by SIGINT
     hint: re-run the job; publishing and deleting are safe to repeat
    ");
    assert!(terminated.log().contains("SIGTERM"), "{}", terminated.log());
    let results: Vec<_> = (0..2).map(|index| interrupted.integrations()[index]["result"].clone()).collect();
    assert_eq!(results, ["failed", "skipped"]);
    assert!(interrupted.summary.contains("SIGINT"), "{}", interrupted.summary);
}

#[tokio::test]
async fn finishes_a_request_in_flight_after_a_signal() {
    let answer = ResponseTemplate::new(200).set_body_json(published("one"));
    let server = slow_server("POST", Duration::from_secs(3), answer).await;
    let repository = repository().integration("one").integration("two");
    let run = publishing(&server).folder(&repository).start();
    until_requested(&server, "POST").await;
    run.signal("TERM").await;
    let finished = run.finish().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 143
    info: could not read `one` before publishing, so its version is not checked: GitBook resource not found: 404 Not Found (not a GitBook response)
    warning: received SIGTERM: starting no new work
    info: published one v1 (0.1 KiB, … s) https://app.gitbook.com/integrations/one
    info: skipped two (… s): not started: cancelled by SIGTERM
    error: cancelled by SIGTERM
     hint: re-run the job; publishing and deleting are safe to repeat
    ");
    assert_eq!(finished.output("result"), "published");
    let received = ["GET /v1/integrations/one", "GET /v1/integrations/two", "POST /v1/integrations/one"];
    assert_eq!(server.requests().await, received);
}

#[tokio::test]
async fn does_not_publish_after_a_signal_during_the_read() {
    let server = slow_server("GET", Duration::from_secs(3), api_error(404, "Integration not found")).await;
    let repository = repository().integration("hello");
    let run = publishing(&server).on_push_to("fix").folder(&repository).start();
    until_requested(&server, "GET").await;
    run.signal("TERM").await;
    let finished = run.finish().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 143
    warning: received SIGTERM: starting no new work
    info: skipped hello-fix (0.1 KiB, … s): not started: cancelled by SIGTERM
    error: cancelled by SIGTERM
     hint: re-run the job; publishing and deleting are safe to repeat
    ");
    assert_eq!((finished.code, finished.output("result")), (Some(143), "skipped".to_owned()));
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello-fix"]);
}

#[tokio::test]
async fn does_not_retry_after_a_signal() {
    let answer = api_error(503, "Unavailable").insert_header("retry-after", "20");
    let server = slow_server("POST", Duration::ZERO, answer).await;
    let repository = repository().integration("hello");
    let run = publishing(&server).variable("GITBOOK_RETRIES", "4").folder(&repository).start();
    until_requested(&server, "POST").await;
    let started = Instant::now();
    run.signal("TERM").await;
    let finished = run.finish().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let log = finished.log();
    assert!(log.starts_with("exit 143\n") && log.contains("; retrying in 20s\n"), "{log}");
    assert!(log.contains("cause: cancelled"), "{log}");
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello", "POST /v1/integrations/hello"]);
}

#[tokio::test]
async fn a_signal_between_requests_ends_the_run_at_once() {
    let server = slow_server("POST", Duration::ZERO, api_error(500, "unexpected request")).await;
    let more = "secrets: {KEY: \"${{ op://vault/item/field }}\"}\n";
    let repository = repository().manifest("hello", "hello", more);
    let repository = repository.program("bin/op", "echo $$ > op.pid\nexec sleep 50");
    let run = publishing(&server).variable("PATH", repository.path_variable("bin")).folder(&repository);
    let run = run.start();
    wait_until("`op` starts", async || repository.path("op.pid").exists()).await;
    let started = Instant::now();
    run.signal("INT").await;
    let finished = run.finish().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    insta::assert_snapshot!(finished.log(), @"
    exit 130
    warning: received SIGINT: starting no new work
    error: cancelled by SIGINT
     hint: re-run the job; publishing and deleting are safe to repeat
    ");
    assert_eq!((finished.code, finished.output("result")), (Some(130), "failed".to_owned()));
    assert_eq!(server.requests().await, [""; 0]);
}
