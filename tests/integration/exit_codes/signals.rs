//! SIGINT and SIGTERM: nothing new is started, and what was done is told truthfully.

use std::time::{Duration, Instant};

use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{Deployment, Recorded as _, deployment, published, repository, said, until};

/// A server that takes its time for one method.
async fn slow(slow: &str, delay: Duration, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method(slow)).respond_with(answer.set_delay(delay)).mount(&server).await;
    let published = ResponseTemplate::new(200).set_body_json(published("hello"));
    Mock::given(method("POST")).respond_with(published).mount(&server).await;
    server
}

fn publishing(server: &MockServer) -> Deployment {
    deployment().against(&server.uri()).push_to("main").variable("GITBOOK_CONCURRENCY", "1")
}

/// Waits until the server has received a request with a method.
async fn was_asked(server: &MockServer, method: &str) {
    let is_asked = async || server.asked().await.iter().any(|asked| asked.starts_with(method));
    until("the server is asked", is_asked).await;
}

#[tokio::test]
async fn a_server_that_stalls_is_given_up_five_seconds_after_a_signal() {
    let repository = repository().integration("one").integration("two");
    let check = async |signal: &str, code: i32| {
        let server = slow("POST", Duration::from_secs(50), said(500, "late")).await;
        let run = publishing(&server).folder(&repository).starts();
        was_asked(&server, "POST").await;
        let started = Instant::now();
        run.signal(signal).await;
        let ended = run.ends().await;
        assert!((4..15).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
        assert_eq!((ended.code, ended.report["exit_code"].as_i64()), (Some(code), Some(code.into())));
        assert_eq!(ended.output("result"), "failed");
        let asked = ["GET /v1/integrations/one", "GET /v1/integrations/two", "POST /v1/integrations/one"];
        assert_eq!(server.asked().await, asked);
        ended
    };
    let (interrupted, terminated) = tokio::join!(check("INT", 130), check("TERM", 143));
    insta::assert_snapshot!(interrupted.log(), @r#"
    exit 130
    info: publish: push to the production branch `main` system="no CI system" event=push branch=main repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    info: could not read `one` before publishing, so its version is not checked: GitBook did not find it: 404 Not Found, not in GitBook's own words
    warning: SIGINT: nothing new is started
    info: skipped `two` (not started: cancelled by SIGINT) milliseconds=…
    error: cancelled while publishing `one`, which may or may not have happened
     hint: run again; publishing and deleting can be repeated safely
    error: cancelled by SIGINT
     hint: what was done until then is in the outputs; running again is safe
    "#);
    assert!(terminated.log().contains("error: cancelled by SIGTERM"), "{}", terminated.log());
    let results: Vec<_> = (0..2).map(|index| interrupted.integrations()[index]["result"].clone()).collect();
    assert_eq!(results, ["failed", "skipped"]);
    assert!(interrupted.summary.contains("cancelled by SIGINT"), "{}", interrupted.summary);
}

#[tokio::test]
async fn a_request_in_flight_may_end_well_after_a_signal() {
    let answer = ResponseTemplate::new(200).set_body_json(published("one"));
    let server = slow("POST", Duration::from_secs(3), answer).await;
    let repository = repository().integration("one").integration("two");
    let run = publishing(&server).folder(&repository).starts();
    was_asked(&server, "POST").await;
    run.signal("TERM").await;
    let ended = run.ends().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 143
    info: publish: push to the production branch `main` system="no CI system" event=push branch=main repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    info: could not read `one` before publishing, so its version is not checked: GitBook did not find it: 404 Not Found, not in GitBook's own words
    warning: SIGTERM: nothing new is started
    info: published `one` milliseconds=… script_bytes=58 version=1 url=https://app.gitbook.com/integrations/one
    info: skipped `two` (not started: cancelled by SIGTERM) milliseconds=…
    error: cancelled by SIGTERM
     hint: what was done until then is in the outputs; running again is safe
    "#);
    assert_eq!(ended.output("result"), "published");
    let asked = ["GET /v1/integrations/one", "GET /v1/integrations/two", "POST /v1/integrations/one"];
    assert_eq!(server.asked().await, asked);
}

#[tokio::test]
async fn what_was_only_read_before_a_signal_is_not_published_after_it() {
    let server = slow("GET", Duration::from_secs(3), said(404, "Integration not found")).await;
    let repository = repository().integration("hello");
    let run = publishing(&server).push_to("fix").folder(&repository).starts();
    was_asked(&server, "GET").await;
    run.signal("TERM").await;
    let ended = run.ends().await;
    insta::assert_snapshot!(ended.log(), @r#"
    exit 143
    info: preview: push to branch `fix` system="no CI system" event=push branch=fix repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    warning: SIGTERM: nothing new is started
    info: skipped `hello-fix` (not started: cancelled by SIGTERM) milliseconds=… script_bytes=58
    error: cancelled by SIGTERM
     hint: what was done until then is in the outputs; running again is safe
    "#);
    assert_eq!((ended.code, ended.output("result")), (Some(143), "skipped".to_owned()));
    assert_eq!(server.asked().await, ["GET /v1/integrations/hello-fix"]);
}

#[tokio::test]
async fn nothing_is_tried_again_after_a_signal() {
    let answer = said(503, "Unavailable").insert_header("retry-after", "20");
    let server = slow("POST", Duration::ZERO, answer).await;
    let repository = repository().integration("hello");
    let run = publishing(&server).variable("GITBOOK_RETRIES", "4").folder(&repository).starts();
    was_asked(&server, "POST").await;
    let started = Instant::now();
    run.signal("TERM").await;
    let ended = run.ends().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let log = ended.log();
    assert!(log.starts_with("exit 143\n") && log.contains("; trying again in 20s\n"), "{log}");
    assert!(log.contains("cause: cancelled before it was tried again\n"), "{log}");
    assert_eq!(server.asked().await, ["GET /v1/integrations/hello", "POST /v1/integrations/hello"]);
}

#[tokio::test]
async fn a_signal_while_nothing_is_sent_ends_the_run_at_once() {
    let server = slow("POST", Duration::ZERO, said(500, "nothing is to be sent")).await;
    let more = "secrets: {KEY: \"${{ op://vault/item/field }}\"}\n";
    let repository = repository().manifest("hello", "hello", more);
    let repository = repository.program("bin/op", "echo $$ > op.pid\nexec sleep 50");
    let run = publishing(&server).variable("PATH", repository.path_variable("bin")).folder(&repository);
    let run = run.starts();
    until("op runs", async || repository.path("op.pid").exists()).await;
    let started = Instant::now();
    run.signal("INT").await;
    let ended = run.ends().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    insta::assert_snapshot!(ended.log(), @r#"
    exit 130
    info: publish: push to the production branch `main` system="no CI system" event=push branch=main repository=github.com/acme/integrations commit=0123abcd
    info: no `GITHUB_TOKEN`, so the forge is not asked whether a newer commit came or a branch is gone; no comment, no deployments
    warning: SIGINT: nothing new is started
    error: cancelled by SIGINT
     hint: what was done until then is in the outputs; running again is safe
    "#);
    assert_eq!((ended.code, ended.output("result")), (Some(130), "failed".to_owned()));
    assert_eq!(server.asked().await, [""; 0]);
}
