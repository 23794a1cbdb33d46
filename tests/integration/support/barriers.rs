//! A proxy in front of the sandbox that holds requests.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, header};
use tokio::sync::oneshot;

use super::Sandbox;

/// The maximum size of a body in these tests.
const MAX_BODY: usize = 16 << 20;

/// Forwards every request to a sandbox, and holds requests that a test selects.
pub(crate) struct HoldingProxy {
    endpoint: String,
    holds: Holds,
}

/// Holds one request until it is released or dropped.
pub(crate) struct Held {
    reached: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

/// The point at which a request is held: before or after its effect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

struct Hold {
    request: String,
    side: Side,
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

type Holds = Arc<Mutex<Vec<Hold>>>;

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
        let router = Router::new().fallback(pass).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, holds }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Holds the next such request on an integration before its effect.
    pub(crate) fn hold(&self, method: &str, name: &str) -> Held {
        self.held(method, name, Side::Before)
    }

    /// Holds the response to the next such request on an integration.
    pub(crate) fn hold_response(&self, method: &str, name: &str) -> Held {
        self.held(method, name, Side::After)
    }

    fn held(&self, method: &str, name: &str, side: Side) -> Held {
        let (reached, seen) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let request = format!("{method} /v1/integrations/{name}");
        self.holds.lock().unwrap().push(Hold { request, side, reached, released });
        Held { reached: seen, release }
    }
}

impl Held {
    /// Waits until the request has arrived.
    pub(crate) async fn reached(&mut self) {
        let reached = tokio::time::timeout(super::MAX_RUN_TIME, &mut self.reached).await;
        reached.expect("the request comes").unwrap();
    }

    /// Releases the request.
    pub(crate) fn release(self) {
        drop(self.release);
    }
}

async fn pass(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap();
    let what = format!("{} {}", parts.method, parts.uri.path());
    let hold = {
        let mut holds = shared.holds.lock().unwrap();
        let place = holds.iter().position(|hold| hold.request == what);
        place.map(|place| holds.remove(place))
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
        // A dropped hold releases the request as well.
        let _ = released.await;
    }
}
