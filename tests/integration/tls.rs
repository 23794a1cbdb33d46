//! Custom certificate authorities and proxies.

use std::sync::atomic::Ordering;

use crate::support::{
    Deployment, RecordedRequests as _, authority, deployment, gitbook, proxy, repository, secure_gitbook,
};

fn publishing(endpoint: &str) -> Deployment {
    deployment().with_endpoint(endpoint).publish()
}

fn publishing_with_authority(endpoint: &str) -> Deployment {
    publishing(endpoint).variable("SSL_CERT_FILE", authority().to_str().unwrap())
}

#[tokio::test]
async fn trusts_a_configured_certificate_authority() {
    let (endpoint, published) = secure_gitbook().await;
    let repository = repository().integration("hello");
    let finished = publishing_with_authority(&endpoint).folder(&repository).run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert_eq!(published.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn rejects_an_unknown_certificate_authority() {
    let (endpoint, published) = secure_gitbook().await;
    let repository = repository().integration("hello");
    let finished = publishing(&endpoint).folder(&repository).run().await;
    let port = endpoint.rsplit(':').next().unwrap();
    insta::assert_snapshot!(finished.log().replace(port, "<port>"), @"
    exit 1
    info: could not read `hello` before publishing, so its version is not checked: TLS handshake failed with `localhost:<port>`: invalid peer certificate: UnknownIssuer
    error: publishing `hello` failed
    cause: TLS handshake failed with `localhost:<port>`: invalid peer certificate: UnknownIssuer
     hint: check the host and port of `GITBOOK_ENDPOINT`; if a private CA signed the certificate, set `SSL_CERT_FILE` to the CA certificate file
    ");
    assert_eq!(published.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn reports_missing_ca_certificates() {
    let repository = repository().integration("hello").file("none.pem", "");
    let none = repository.path("none.pem");
    let finished = publishing("https://localhost:1").variable("SSL_CERT_FILE", none.to_str().unwrap());
    insta::assert_snapshot!(finished.folder(&repository).run().await.log(), @"
    exit 1
    error: could not create the GitBook client
    cause: could not create the HTTP client for GitBook: unexpected error: No CA certificates were loaded from the system
     hint: install CA certificates (Debian's package `ca-certificates`), or set `SSL_CERT_FILE` to a file that contains them
    ");
}

#[tokio::test]
async fn https_uses_the_proxy_except_for_hosts_in_no_proxy() {
    let (endpoint, published) = secure_gitbook().await;
    let (proxy, connections) = proxy().await;
    let repository = repository().integration("hello");
    let proxied = publishing_with_authority(&endpoint).variable("HTTPS_PROXY", &proxy).folder(&repository);
    assert_eq!(proxied.run().await.code, Some(0));
    assert_eq!((connections.load(Ordering::SeqCst), published.load(Ordering::SeqCst)), (1, 1));
    let direct = publishing_with_authority(&endpoint)
        .variable("HTTPS_PROXY", &proxy)
        .variable("NO_PROXY", "localhost");
    assert_eq!(direct.folder(&repository).run().await.code, Some(0));
    assert_eq!((connections.load(Ordering::SeqCst), published.load(Ordering::SeqCst)), (1, 2));
}

#[tokio::test]
async fn plain_http_uses_no_proxy() {
    let server = gitbook().await;
    let (proxy, connections) = proxy().await;
    let repository = repository().integration("hello");
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
    let run = names.iter().fold(publishing(&server.uri()), |run, name| run.variable(name, &proxy));
    assert_eq!(run.folder(&repository).run().await.code, Some(0));
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello", "POST /v1/integrations/hello"]);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}
