//! What stands before the sandbox: a network that loses one request or its answer while other runs go on.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::oneshot;

/// What becomes of a request that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused for now, and it is known that it has not happened.
    Limited,
    /// It is lost, and nobody knows.
    Lost,
    /// It has happened, and nobody knows.
    Success,
}

/// One fault at a time is ordered.
#[derive(Clone, Default)]
pub(super) struct Door(Arc<Mutex<Option<Ordered>>>);

struct Ordered {
    fault: Fault,
    struck: oneshot::Sender<()>,
    answered: oneshot::Receiver<()>,
}

impl Door {
    pub(super) fn before(&self, sandbox: Router) -> Router {
        sandbox.layer(from_fn_with_state(self.clone(), pass))
    }

    /// Orders a fault for the next request that changes something. The first end tells that it has struck, and once the
    /// second is dropped it is answered.
    pub(super) fn order(&self, fault: Fault) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((struck, has_struck), (answer, answered)) = (oneshot::channel(), oneshot::channel());
        *self.0.lock().unwrap() = Some(Ordered { fault, struck, answered });
        (has_struck, answer)
    }

    /// Takes back what was ordered, if it has not struck.
    pub(super) fn take_back(&self) {
        *self.0.lock().unwrap() = None;
    }
}

async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let changes = request.method() != Method::GET;
    let Some(Ordered { fault, struck, answered }) = changes.then(|| door.0.lock().unwrap().take()).flatten()
    else {
        return next.run(request).await;
    };
    if fault == Fault::Success {
        assert!(next.run(request).await.status().is_success());
    }
    struck.send(()).unwrap();
    // Dropped, it goes on.
    drop(answered.await);
    match fault {
        Fault::Limited => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Fault::Lost | Fault::Success => StatusCode::BAD_GATEWAY.into_response(),
    }
}
