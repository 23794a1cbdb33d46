//! Unreachable servers, untrusted certificates and redirects. No other server receives the token.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::{TestEnvironment, UNKNOWN_EFFECT};
use crate::support::Effect::Dropped;
use crate::support::{
    Fault, FaultInjector, Finished, Response, Sandbox, deployment, repository, secure_gitbook,
};

/// Publishes to this endpoint. Asserts that the run fails without a message about an unknown effect.
async fn publish_and_fail(endpoint: &str) -> Finished {
    let folder = repository().integration("hello");
    let run = deployment().with_endpoint(endpoint).on_push_to("main").variable("GITBOOK_TIMEOUT", "2s");
    let finished = run.folder(&folder).run().await;
    assert_eq!((finished.code, finished.output("result")), (Some(1), "failed".to_owned()), "{finished:#?}");
    assert!(!finished.everything().contains(UNKNOWN_EFFECT), "{finished:#?}");
    finished
}

fn error_lines(finished: &Finished) -> String {
    let log = finished.log();
    let lines = log.lines().skip_while(|line| !line.starts_with("error: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn reports_a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    insta::assert_snapshot!(error_lines(&publish_and_fail(&endpoint).await), @"
    error: publishing `hello` failed
    cause: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
     hint: check `GITBOOK_ENDPOINT`, the network, and `HTTPS_PROXY` if there is a proxy
    ");
}

/// The server accepts connections, but never sends a certificate.
#[tokio::test]
async fn reports_a_timeout_while_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let started = Instant::now();
    insta::assert_snapshot!(error_lines(&publish_and_fail(&endpoint).await), @"
    error: publishing `hello` failed
    cause: could not connect to `127.0.0.1:<port>`: no response within 1s
     hint: check `GITBOOK_ENDPOINT`, the network, and `HTTPS_PROXY` if there is a proxy
    ");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn reports_an_untrusted_certificate() {
    let (endpoint, published) = secure_gitbook().await;
    let log = error_lines(&publish_and_fail(&endpoint).await);
    let port = endpoint.rsplit(':').next().unwrap().to_owned();
    insta::assert_snapshot!(log.replace(&port, "<port>"), @"
    error: publishing `hello` failed
    cause: TLS handshake failed with `localhost:<port>`: invalid peer certificate: UnknownIssuer
     hint: check the host and port of `GITBOOK_ENDPOINT`; if a private CA signed the certificate, set `SSL_CERT_FILE` to the CA certificate file
    ");
    assert_eq!(published.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn does_not_follow_a_redirect_to_another_host() {
    let other_sandbox = Sandbox::start().await;
    let other_host = FaultInjector::before(&other_sandbox).await;
    for (method, status) in [
        ("POST", 301),
        ("POST", 302),
        ("POST", 303),
        ("POST", 307),
        ("POST", 308),
        ("GET", 307),
        ("DELETE", 308),
    ] {
        let environment = TestEnvironment::with_preview().await;
        let existing = environment.versions();
        let location = format!("{}/v1/integrations/hello", other_host.endpoint());
        environment.proxy.fail(
            method,
            Fault::Respond(Dropped, Response::new(status, "").header("location", location)),
            1,
        );
        let run = match method {
            "POST" => environment.run(2).on_push_to("main"),
            "GET" => environment.run(2).on_push_to("fix"),
            _ => environment.run(2).event("delete", "fix"),
        };
        let finished = run.run().await;
        assert_eq!(finished.code, Some(1), "{}", finished.log());
        let message = format!(
            "cause: GitBook redirects to `127.0.0.1:<port>` ({status}); the token was not sent there\n"
        );
        assert!(finished.log().contains(&message), "{}", finished.log());
        assert!(!finished.everything().contains(UNKNOWN_EFFECT), "{}", finished.log());
        assert_eq!(environment.versions(), existing);
        assert_eq!(environment.proxy.fault_count(), 1);
    }
    assert_eq!(other_host.requests(), [""; 0]);
}
