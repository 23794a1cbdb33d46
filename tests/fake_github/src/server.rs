//! The HTTP server. It runs on its own thread, so that a test can block its thread.

use std::net::TcpListener;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request as HttpRequest, State as Shared};
use axum::http::Response;
use axum::serve::ListenerExt as _;
use serde_json::Value;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::call::Call;
use crate::contract::{Contract, violation};
use crate::fault::{self, Fault, Outcome, TriggeredFault};
use crate::hold::{self, Hold};
use crate::model::Request;
use crate::operations::{self, Operation, PathValues};
use crate::response::{Answer, Content};
use crate::state::State;

/// The maximum size of a request body in bytes, far more than the tests send.
const MAX_BODY: usize = 16 << 20;

/// The data that the server shares with the test.
pub(crate) struct Forge {
    pub(crate) validated: bool,
    pub(crate) state: Mutex<State>,
    pub(crate) overrides: Mutex<Overrides>,
    pub(crate) requests: Mutex<Vec<Request>>,
    pub(crate) violations: Mutex<Vec<String>>,
}

/// The faults, holds, delays and limits that a test has set.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) latency: Duration,
    /// The remaining number of requests of the rate limit; `None` without a limit.
    pub(crate) remaining: Option<u64>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) holds: Vec<Hold>,
    /// The JSON pointer of a field to remove from each response, to test the validation.
    pub(crate) omitted_field: Option<String>,
}

type Match = (&'static Operation, PathValues);

/// Locks a mutex, even if another thread has panicked while holding it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Server {
    pub(crate) handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, forge: Arc<Forge>) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .unwrap_or_else(|error| panic!("could not create the runtime of the fake GitHub: {error}"));
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || run(&runtime, listener, forge, stopped));
        Self { handle, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The panic handler has already printed a panic of this thread.
            let _ = thread.join();
        }
    }
}

fn run(runtime: &Runtime, listener: TcpListener, forge: Arc<Forge>, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)
            .unwrap_or_else(|error| panic!("could not start the fake GitHub: {error}"));
        let listener = listener.tap_io(|stream| {
            // Without this option, responses are slower but correct.
            let _ = stream.set_nodelay(true);
        });
        let router = Router::new().fallback(serve).with_state(forge);
        tokio::select! {
            _ = stopped => {}
            ended = axum::serve(listener, router) => panic!("the fake GitHub stopped listening: {ended:?}"),
        }
    });
}

async fn serve(Shared(forge): Shared<Arc<Forge>>, request: HttpRequest) -> Response<Body> {
    let (parts, body) = request.into_parts();
    match to_bytes(body, MAX_BODY).await {
        Ok(body) => answer_within_limit(&forge, &Call::new(parts, body)).await.into_response(),
        Err(error) => violation(&format!("the body did not arrive: {error}")).into_response(),
    }
}

/// Responds to a request, or rejects it beyond the rate limit. Adds the remaining number of requests to the response.
async fn answer_within_limit(forge: &Forge, call: &Call) -> Answer {
    let remaining = lock(&forge.overrides).remaining.as_mut().map(|remaining| {
        let left = remaining.checked_sub(1);
        *remaining = left.unwrap_or_default();
        left
    });
    let answer = match remaining {
        Some(None) => {
            lock(&forge.requests).push(call.record());
            Answer::error(403, "API rate limit exceeded")
        }
        _ => answer(forge, call).await,
    };
    match remaining {
        Some(left) => answer.with("x-ratelimit-remaining", left.unwrap_or_default().to_string()),
        None => answer,
    }
}

async fn answer(forge: &Forge, call: &Call) -> Answer {
    lock(&forge.requests).push(call.record());
    let found = operations::find(&call.method, &call.segments);
    let errors = forge.request_errors(call, found.as_ref());
    if !errors.is_empty() {
        return forge.record_violation(call, &errors);
    }
    let behavior = Behavior::take(&mut lock(&forge.overrides), call);
    wait(behavior.before).await;
    let has_effect = behavior.fault.as_ref().is_none_or(|fault| fault.after_effect);
    let regular = has_effect.then(|| forge.handle(call, found.as_ref()));
    wait(behavior.after).await;
    // A sleep of zero would still take about a millisecond.
    if !behavior.latency.is_zero() {
        tokio::time::sleep(behavior.latency).await;
    }
    match (behavior.fault, regular) {
        (Some(fault), _) => forge.fail(call, found.as_ref(), fault).await,
        (None, Some(regular)) => regular,
        (None, None) => unreachable!("without a fault, the request was handled above"),
    }
}

/// The fault, hold and delay of one request.
struct Behavior {
    before: Option<Hold>,
    after: Option<Hold>,
    fault: Option<TriggeredFault>,
    latency: Duration,
}

impl Behavior {
    fn take(overrides: &mut Overrides, call: &Call) -> Self {
        let (before, after) = match hold::take(&mut overrides.holds, call) {
            Some(hold) if hold.answer_only => (None, Some(hold)),
            hold => (hold, None),
        };
        Self { before, after, fault: fault::trigger(&mut overrides.faults, call), latency: overrides.latency }
    }
}

async fn wait(hold: Option<Hold>) {
    if let Some(mut hold) = hold {
        hold.wait().await;
    }
}

impl Forge {
    fn request_errors(&self, call: &Call, found: Option<&Match>) -> Vec<String> {
        match found {
            _ if !self.validated => Vec::new(),
            Some((operation, values)) => Contract::of(operation).request_errors(call, values),
            None => vec!["no such operation".to_owned()],
        }
    }

    fn handle(&self, call: &Call, found: Option<&Match>) -> Answer {
        let Some((operation, values)) = found else { return Answer::not_found() };
        let mut answer = operations::handle(&mut lock(&self.state), operation, call, values);
        if let Some(pointer) = &lock(&self.overrides).omitted_field {
            omit(&mut answer, pointer);
        }
        self.validate_response(call, operation, answer)
    }

    fn validate_response(&self, call: &Call, operation: &'static Operation, answer: Answer) -> Answer {
        if !self.validated {
            return answer;
        }
        let contract = Contract::of(operation);
        match contract.response_errors(&answer) {
            errors if errors.is_empty() => answer,
            errors => {
                let description = format!("{} to {}", answer.status, contract.name());
                let errors: Vec<_> =
                    errors.iter().map(|error| format!("the response {description}: {error}")).collect();
                self.record_violation(call, &errors)
            }
        }
    }

    async fn fail(&self, call: &Call, found: Option<&Match>, fault: TriggeredFault) -> Answer {
        let answer = match fault.outcome {
            Outcome::Answer(answer) => answer,
            Outcome::Hang => std::future::pending().await,
            // Ends the task of the connection, which closes it. Unlike `panic!`, this prints nothing.
            Outcome::Close => resume_unwind(Box::new("the fault closes the connection")),
        };
        let json = matches!(answer.content, Content::Json(_));
        match found {
            Some((operation, _))
                if fault.validated && json && Contract::of(operation).describes(answer.status) =>
            {
                self.validate_response(call, operation, answer)
            }
            _ => answer,
        }
    }

    fn record_violation(&self, call: &Call, errors: &[String]) -> Answer {
        let description = format!("{} {}: {}", call.method, call.target, errors.join("; "));
        let answer = violation(&description);
        lock(&self.violations).push(description);
        answer
    }
}

fn omit(answer: &mut Answer, pointer: &str) {
    let Content::Json(text) = &mut answer.content else { return };
    let mut body: Value = serde_json::from_str(text).unwrap_or_default();
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    if let Some(object) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
        object.remove(name);
    }
    *text = body.to_string();
}
