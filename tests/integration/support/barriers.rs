//! A proxy in front of the sandbox. Tests hold requests or responses in it until they release them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, header};
use tokio::sync::oneshot;

use super::Sandbox;

/// The maximum size of a body in these tests.
const MAX_BODY: usize = 16 << 20;

/// A proxy that forwards every request to a sandbox and holds the requests that a test selects.
pub(crate) struct HoldingProxy {
    endpoint: String,
    holds: Holds,
}

/// A handle of a held request, which continues when the handle is released or dropped.
pub(crate) struct Held {
    reached: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

/// The point at which a request is held: before it is forwarded, or after the sandbox has responded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// A request to hold, selected by its method and path.
struct Hold {
    request: String,
    side: Side,
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

type Holds = Arc<Mutex<Vec<Hold>>>;

/// The data that the proxy shares between requests.
#[derive(Clone)]
struct Shared {
    sandbox: String,
    holds: Holds,
    client: reqwest::Client,
}

impl HoldingProxy {
    pub(crate) async fn before(sandbox: &Sandbox) -> Self {
        let holds = Holds::default();
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let sandbox = sandbox.endpoint().trim_end_matches('/').to_owned();
        let shared = Shared { sandbox, holds: holds.clone(), client };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(hold_and_forward).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, holds }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Holds the next request with this method for this integration before it reaches the sandbox.
    pub(crate) fn hold(&self, method: &str, name: &str) -> Held {
        self.add_hold(method, name, Side::Before)
    }

    /// Holds the response to the next request with this method for this integration.
    pub(crate) fn hold_response(&self, method: &str, name: &str) -> Held {
        self.add_hold(method, name, Side::After)
    }

    fn add_hold(&self, method: &str, name: &str, side: Side) -> Held {
        let (reached, arrival) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let request = format!("{method} /v1/integrations/{name}");
        self.holds.lock().unwrap().push(Hold { request, side, reached, released });
        Held { reached: arrival, release }
    }
}

impl Held {
    /// Waits until the request or response is held.
    pub(crate) async fn reached(&mut self) {
        let reached = tokio::time::timeout(super::MAX_RUN_TIME, &mut self.reached).await;
        reached.expect("no such request arrived in time").unwrap();
    }

    /// Releases the request.
    pub(crate) fn release(self) {
        drop(self.release);
    }
}

async fn hold_and_forward(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap();
    let request_line = format!("{} {}", parts.method, parts.uri.path());
    let hold = {
        let mut holds = shared.holds.lock().unwrap();
        let position = holds.iter().position(|hold| hold.request == request_line);
        position.map(|position| holds.remove(position))
    };
    let (before, after) = match hold {
        Some(hold) if hold.side == Side::Before => (Some(hold), None),
        hold => (None, hold),
    };
    wait(before).await;
    let mut passed = shared.client.request(parts.method, format!("{}{}", shared.sandbox, parts.uri));
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        passed =
            parts.headers.get(&name).into_iter().fold(passed, |passed, value| passed.header(&name, value));
    }
    let answer = passed.body(body).send().await.unwrap();
    let status = answer.status();
    let body = answer.bytes().await.unwrap();
    wait(after).await;
    Response::builder().status(status).body(Body::from(body)).unwrap()
}

async fn wait(hold: Option<Hold>) {
    if let Some(Hold { reached, released, .. }) = hold {
        let _ = reached.send(());
        // Dropping the handle releases the request as well.
        let _ = released.await;
    }
}
