//! A proxy in front of the sandbox. It rejects or loses a request, or loses a response, and lets other runs continue meanwhile.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::oneshot;

/// A failure of a request that changes an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The request is rejected because of a rate limit and has no effect.
    RateLimited,
    /// The request is lost and has no effect.
    RequestLost,
    /// The request takes effect, but its response is lost.
    ResponseLost,
}

/// A proxy that causes one planned fault at a time.
#[derive(Clone, Default)]
pub(super) struct FaultInjector(Arc<Mutex<Option<PlannedFault>>>);

struct PlannedFault {
    fault: Fault,
    triggered: oneshot::Sender<()>,
    may_answer: oneshot::Receiver<()>,
}

impl FaultInjector {
    pub(super) fn in_front_of(&self, sandbox: Router) -> Router {
        sandbox.layer(from_fn_with_state(self.clone(), handle_request))
    }

    /// Plans a fault for the next request that changes an integration. The returned receiver gets a message when the fault has
    /// occurred. The client gets the response only after the returned sender is dropped.
    pub(super) fn plan(&self, fault: Fault) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((triggered, has_triggered), (answer, may_answer)) = (oneshot::channel(), oneshot::channel());
        *self.0.lock().unwrap() = Some(PlannedFault { fault, triggered, may_answer });
        (has_triggered, answer)
    }

    /// Removes the planned fault if it has not occurred yet.
    pub(super) fn cancel(&self) {
        *self.0.lock().unwrap() = None;
    }
}

async fn handle_request(
    State(fault_injector): State<FaultInjector>,
    request: Request,
    next: Next,
) -> Response {
    let changes = request.method() != Method::GET;
    let Some(PlannedFault { fault, triggered, may_answer }) =
        changes.then(|| fault_injector.0.lock().unwrap().take()).flatten()
    else {
        return next.run(request).await;
    };
    if fault == Fault::ResponseLost {
        assert!(next.run(request).await.status().is_success());
    }
    triggered.send(()).unwrap();
    // The response waits until the sender is dropped.
    drop(may_answer.await);
    match fault {
        Fault::RateLimited => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Fault::RequestLost | Fault::ResponseLost => StatusCode::BAD_GATEWAY.into_response(),
    }
}
