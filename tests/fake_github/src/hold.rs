//! Barriers: tests hold requests or responses until they release them.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::call::Call;

/// The time limit for a request to arrive.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Holds one request until it is released or dropped.
pub struct Barrier {
    description: String,
    reached: watch::Receiver<bool>,
    release: watch::Sender<bool>,
    server: Handle,
}

impl Barrier {
    /// Waits until the held request has arrived.
    ///
    /// # Panics
    ///
    /// If no matching request arrives within 20 seconds.
    pub async fn reached(&self) {
        let mut reached = self.reached.clone();
        // Runs on the server's runtime, because the test may have paused the clock of its own runtime.
        let waiting = self.server.spawn(async move {
            timeout(MAX_WAIT, reached.wait_for(|reached| *reached)).await.is_ok_and(|came| came.is_ok())
        });
        assert!(
            waiting.await.unwrap_or(false),
            "no request matched the barrier `{}` within 20 seconds",
            self.description
        );
    }

    /// Returns true if the held request has arrived.
    pub fn is_reached(&self) -> bool {
        *self.reached.borrow()
    }

    /// Releases the request.
    pub fn release(&self) {
        self.release.send_replace(true);
    }
}

/// The server's side of a barrier.
pub(crate) struct Hold {
    method: String,
    pattern: String,
    pub(crate) answer_only: bool,
    reached: watch::Sender<bool>,
    released: watch::Receiver<bool>,
}

impl Hold {
    pub(crate) fn new(method: &str, pattern: &str, answer_only: bool, server: Handle) -> (Self, Barrier) {
        let (reached, arrival) = watch::channel(false);
        let (release, released) = watch::channel(false);
        let (method, pattern) = (method.to_owned(), pattern.to_owned());
        let description = format!("{method} {pattern}");
        let hold = Self { method, pattern, answer_only, reached, released };
        (hold, Barrier { description, reached: arrival, release, server })
    }

    fn matches(&self, call: &Call) -> bool {
        call.matches(&self.method, &self.pattern)
    }

    /// Waits until the barrier is released or dropped.
    pub(crate) async fn wait(&mut self) {
        self.reached.send_replace(true);
        let _ = self.released.wait_for(|released| *released).await;
    }
}

/// Takes the first matching hold.
pub(crate) fn take(holds: &mut Vec<Hold>, call: &Call) -> Option<Hold> {
    let position = holds.iter().position(|hold| hold.matches(call))?;
    Some(holds.remove(position))
}
