//! Nobody there, somebody else there, and redirects: the token is shown to nobody else, and nothing has happened.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::{MAY_HAVE_HAPPENED, World};
use crate::support::Effect::Lost;
use crate::support::{Fault, Faulty, Finished, Response, Sandbox, deployment, repository, secure_gitbook};

async fn publishing(endpoint: &str) -> Finished {
    let folder = repository().integration("hello");
    let run = deployment().against(endpoint).push_to("main").variable("GITBOOK_TIMEOUT", "2s");
    let ended = run.folder(&folder).runs().await;
    assert_eq!((ended.code, ended.output("result")), (Some(1), "failed".to_owned()), "{ended:#?}");
    assert!(!ended.everything().contains(MAY_HAVE_HAPPENED), "{ended:#?}");
    ended
}

fn failure(ended: &Finished) -> String {
    let log = ended.log();
    let lines = log.lines().skip_while(|line| !line.starts_with("error: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn nobody_who_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    insta::assert_snapshot!(failure(&publishing(&endpoint).await), @"
    error: publishing `hello` failed
    cause: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
     hint: check `GITBOOK_ENDPOINT`, the network, and `HTTPS_PROXY` if there is a proxy
    ");
}

/// It takes connections, and never says who it is.
#[tokio::test]
async fn somebody_who_never_answers_while_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let started = Instant::now();
    insta::assert_snapshot!(failure(&publishing(&endpoint).await), @"
    error: publishing `hello` failed
    cause: could not connect to `127.0.0.1:<port>`: no response within 1s
     hint: check `GITBOOK_ENDPOINT`, the network, and `HTTPS_PROXY` if there is a proxy
    ");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_nobody_trusts() {
    let (endpoint, published) = secure_gitbook().await;
    let log = failure(&publishing(&endpoint).await);
    let port = endpoint.rsplit(':').next().unwrap().to_owned();
    insta::assert_snapshot!(log.replace(&port, "<port>"), @"
    error: publishing `hello` failed
    cause: no secure connection to `localhost:<port>`: invalid peer certificate: UnknownIssuer
     hint: check the host and port of `GITBOOK_ENDPOINT`; if a private authority signs certificates, set `SSL_CERT_FILE` to its file
    ");
    assert_eq!(published.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_leads_to_another_host() {
    let elsewhere = Sandbox::start().await;
    let other = Faulty::before(&elsewhere).await;
    for (method, status) in [
        ("POST", 301),
        ("POST", 302),
        ("POST", 303),
        ("POST", 307),
        ("POST", 308),
        ("GET", 307),
        ("DELETE", 308),
    ] {
        let world = World::with_preview().await;
        let there = world.there();
        let to = format!("{}/v1/integrations/hello", other.endpoint());
        world.proxy.fail(method, Fault::Say(Lost, Response::new(status, "").header("location", to)), 1);
        let run = match method {
            "POST" => world.run(2).push_to("main"),
            "GET" => world.run(2).push_to("fix"),
            _ => world.run(2).event("delete", "fix"),
        };
        let ended = run.runs().await;
        assert_eq!(ended.code, Some(1), "{}", ended.log());
        let said =
            format!("cause: GitBook redirects to another server ({status}); the token is not sent there\n");
        assert!(ended.log().contains(&said), "{}", ended.log());
        assert!(!ended.everything().contains(MAY_HAVE_HAPPENED), "{}", ended.log());
        assert_eq!(world.there(), there);
        assert_eq!(world.proxy.struck(), 1);
    }
    assert_eq!(other.requests(), [""; 0]);
}
