//! Proxies that forward the requests of two runs one at a time, in the order that a test chooses.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};
use tokio::sync::oneshot;

/// The maximum size of a body in these tests.
const MAX_BODY: usize = 1 << 20;

/// The treatment of a request by the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestFault {
    /// The proxy forwards the request and its response.
    Passes,
    /// The proxy does not forward the request and responds with status 502.
    IsLost,
    /// The proxy forwards the request, but responds with status 502.
    LosesAnswer,
    /// The proxy forwards the request, but delays the response until the forge's last response has expired.
    IsSlow,
}

/// The delay for `IsSlow`. The program trusts a response of the forge for 10 s; this is a little longer.
const SLOW: std::time::Duration = std::time::Duration::from_millis(10_300);

/// A held request, which waits until the test selects its treatment.
pub(super) struct Waiting {
    /// The run that sent the request: the last character of its tokens.
    pub(super) run: char,
    /// The method and path.
    pub(super) text: String,
    /// True if the request may change something in GitBook.
    pub(super) changes: bool,
    pub(super) is_to_gitbook: bool,
    proceed: oneshot::Sender<RequestFault>,
}

/// The held requests of both runs.
#[derive(Clone, Default)]
pub(super) struct Scheduler(Arc<Mutex<Vec<Waiting>>>);

#[derive(Clone)]
struct Proxy {
    upstream: String,
    is_gitbook: bool,
    scheduler: Scheduler,
    client: reqwest::Client,
}

impl Scheduler {
    /// Starts a proxy in front of a server, and returns the URL of the proxy.
    pub(super) async fn before(&self, upstream: &str, is_gitbook: bool) -> String {
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let upstream = upstream.trim_end_matches('/').to_owned();
        let proxy = Proxy { upstream, is_gitbook, scheduler: self.clone(), client };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(hold_and_forward).with_state(proxy);
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// Returns the run of each held request.
    pub(super) fn run(&self) -> Vec<char> {
        self.0.lock().unwrap().iter().map(|waiting| waiting.run).collect()
    }

    /// Takes the held request of a run.
    pub(super) fn take(&self, run: char) -> Waiting {
        let mut waiting = self.0.lock().unwrap();
        let position = waiting.iter().position(|waiting| waiting.run == run).unwrap();
        waiting.remove(position)
    }
}

impl Waiting {
    pub(super) fn proceed(self, fate: RequestFault) {
        let _ = self.proceed.send(fate);
    }
}

async fn hold_and_forward(State(proxy): State<Proxy>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap();
    let token = parts.headers[header::AUTHORIZATION].to_str().unwrap();
    let (proceed, fate) = oneshot::channel();
    let text = format!("{} {}", parts.method, parts.uri.path());
    let changes = proxy.is_gitbook && parts.method != Method::GET;
    let is_to_gitbook = proxy.is_gitbook;
    let waiting = Waiting { run: token.chars().last().unwrap(), text, changes, is_to_gitbook, proceed };
    proxy.scheduler.0.lock().unwrap().push(waiting);
    let fate = fate.await.unwrap_or(RequestFault::IsLost);
    let lost = || Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::empty()).unwrap();
    if fate == RequestFault::IsLost {
        return lost();
    }
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let passed =
        proxy.client.request(parts.method, format!("{}{}", proxy.upstream, parts.uri)).headers(headers);
    let answer = passed.body(body).send().await.unwrap();
    let status = answer.status();
    let body = answer.bytes().await.unwrap();
    match fate {
        RequestFault::LosesAnswer => return lost(),
        RequestFault::IsSlow => tokio::time::sleep(SLOW).await,
        RequestFault::Passes | RequestFault::IsLost => {}
    }
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    answer.body(Body::from(body)).unwrap()
}
