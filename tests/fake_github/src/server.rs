//! The HTTP server, on its own thread so that a test may block.

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

/// The maximum size of a request's body, far above the requests of tests.
const MAX_BODY: usize = 16 << 20;

/// The data that the server shares with the test.
pub(crate) struct Forge {
    pub(crate) validated: bool,
    pub(crate) state: Mutex<State>,
    pub(crate) script: Mutex<Script>,
    pub(crate) requests: Mutex<Vec<Request>>,
    pub(crate) violations: Mutex<Vec<String>>,
}

/// The faults, holds and delays of a test.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) latency: Duration,
    /// The number of requests before the rate limit; `None` without a limit.
    pub(crate) remaining: Option<u64>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) holds: Vec<Hold>,
    /// A field to remove from responses, to test the validation.
    pub(crate) omission: Option<String>,
}

type Match = (&'static Operation, PathValues);

/// Locks a mutex even after a panic; no thread leaves the data in an invalid state.
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
        let runtime = runtime.unwrap_or_else(|error| panic!("the fake GitHub has no runtime: {error}"));
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
            // A panic of the thread was printed already.
            let _ = thread.join();
        }
    }
}

fn run(runtime: &Runtime, listener: TcpListener, forge: Arc<Forge>, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)
            .unwrap_or_else(|error| panic!("the fake GitHub cannot listen: {error}"));
        let listener = listener.tap_io(|stream| {
            // A failure only costs time.
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

/// Answers with the remaining number of requests, and rejects requests beyond the rate limit.
async fn answer_within_limit(forge: &Forge, call: &Call) -> Answer {
    let remaining = lock(&forge.script).remaining.as_mut().map(|remaining| {
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
        return forge.refuse(call, &errors);
    }
    let behavior = Behavior::take(&mut lock(&forge.script), call);
    wait(behavior.before).await;
    let happens = behavior.fault.as_ref().is_none_or(|fault| fault.after_effect);
    let right = happens.then(|| forge.handle(call, found.as_ref()));
    wait(behavior.after).await;
    // Even a sleep of zero takes a tick of the timer.
    if !behavior.latency.is_zero() {
        tokio::time::sleep(behavior.latency).await;
    }
    match (behavior.fault, right) {
        (Some(fault), _) => forge.fail(call, found.as_ref(), fault).await,
        (None, Some(right)) => right,
        (None, None) => unreachable!("what no fault befalls is handled"),
    }
}

/// The faults, holds and delays of one request.
struct Behavior {
    before: Option<Hold>,
    after: Option<Hold>,
    fault: Option<TriggeredFault>,
    latency: Duration,
}

impl Behavior {
    fn take(script: &mut Script, call: &Call) -> Self {
        let (before, after) = match hold::take(&mut script.holds, call) {
            Some(hold) if hold.answer_only => (None, Some(hold)),
            hold => (hold, None),
        };
        Self { before, after, fault: fault::trigger(&mut script.faults, call), latency: script.latency }
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
            None => vec!["no operation is served there".to_owned()],
        }
    }

    fn handle(&self, call: &Call, found: Option<&Match>) -> Answer {
        let Some((operation, values)) = found else { return Answer::not_found() };
        let mut answer = operations::handle(&mut lock(&self.state), operation, call, values);
        if let Some(pointer) = &lock(&self.script).omission {
            omit(&mut answer, pointer);
        }
        self.checked(call, operation, answer)
    }

    fn checked(&self, call: &Call, operation: &'static Operation, answer: Answer) -> Answer {
        if !self.validated {
            return answer;
        }
        let contract = Contract::of(operation);
        match contract.response_errors(&answer) {
            errors if errors.is_empty() => answer,
            errors => {
                let what = format!("{} with {}", contract.name(), answer.status);
                let errors: Vec<_> =
                    errors.iter().map(|error| format!("the answer to {what}: {error}")).collect();
                self.refuse(call, &errors)
            }
        }
    }

    async fn fail(&self, call: &Call, found: Option<&Match>, fault: TriggeredFault) -> Answer {
        let answer = match fault.outcome {
            Outcome::Answer(answer) => answer,
            Outcome::Hang => std::future::pending().await,
            // Ends the task of the connection, and so the connection, without output on stderr.
            Outcome::Close => resume_unwind(Box::new("the test has the connection closed")),
        };
        let json = matches!(answer.content, Content::Json(_));
        match found {
            Some((operation, _))
                if fault.checked && json && Contract::of(operation).describes(answer.status) =>
            {
                self.checked(call, operation, answer)
            }
            _ => answer,
        }
    }

    fn refuse(&self, call: &Call, errors: &[String]) -> Answer {
        let what = format!("{} {}: {}", call.method, call.target, errors.join("; "));
        let answer = violation(&what);
        lock(&self.violations).push(what);
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
