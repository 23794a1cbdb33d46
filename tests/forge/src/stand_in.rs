//! The stand-in, as a test holds it.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::document;
use crate::fault::Fault;
use crate::hold::{Gate, Hold};
use crate::model::Request;
use crate::server::{Forge, Script, Server, lock};
use crate::state::State;

/// A forge with one repository, `acme/integrations`, whose default branch `main` is at the commit of forty `a`.
pub struct StandIn {
    pub(crate) forge: Arc<Forge>,
    server: Option<Server>,
    url: String,
}

impl StandIn {
    /// Starts a stand-in that validates each request and each answer.
    pub async fn start() -> Self {
        Self::new(true)
    }

    /// Starts a stand-in that answers the same and validates nothing, for tests of very many requests.
    pub async fn unvalidated() -> Self {
        Self::new(false)
    }

    fn new(validated: bool) -> Self {
        // Here and not at the first request, so that a test without it fails in its own thread.
        document::whole();
        let (listener, url) = listen();
        let forge = Arc::new(Forge {
            validated,
            state: Mutex::new(State::new(url.clone())),
            script: Mutex::new(Script::default()),
            requests: Mutex::default(),
            violations: Mutex::default(),
        });
        let server = Some(Server::start(listener, forge.clone()));
        Self { forge, server, url }
    }

    /// Where the API is, as `https://api.github.com` is GitHub's.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Where the same API is as GitHub Enterprise has it.
    pub fn enterprise_url(&self) -> String {
        format!("{}/api/v3", self.url)
    }

    /// The requests so far, in the order in which they arrived.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.forge.requests).clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        lock(&self.forge.requests).clear();
    }

    /// What GitHub's document does not allow and was seen all the same.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.forge.violations).clone()
    }

    /// Takes the violations, so that dropping the stand-in does not panic with them.
    ///
    /// # Panics
    ///
    /// When there are none.
    pub fn expect_violations(&self) -> Vec<String> {
        let violations = std::mem::take(&mut *lock(&self.forge.violations));
        assert!(!violations.is_empty(), "nothing has broken GitHub's document");
        violations
    }

    /// Waits that long before every answer, after the request had its effect.
    pub fn latency(&self, latency: Duration) {
        lock(&self.forge.script).latency = latency;
    }

    /// Takes only so many further requests, and tells in each answer how many are left.
    pub fn rate_limit(&self, requests: u64) {
        lock(&self.forge.script).remaining = Some(requests);
    }

    /// Orders a fault; of several that fit a request, the one ordered first comes about.
    pub fn fail(&self, fault: Fault) {
        lock(&self.forge.script).faults.push(fault);
    }

    /// Calls off all faults.
    pub fn clear_faults(&self) {
        lock(&self.forge.script).faults.clear();
    }

    /// Handles the next request of this kind, with a pattern as [`Fault`] has it, only when the gate is released.
    #[must_use]
    pub fn hold(&self, method: &str, pattern: &str) -> Gate {
        self.gate(method, pattern, false)
    }

    /// Handles the next request of this kind at once, and answers it only when the gate is released.
    #[must_use]
    pub fn hold_answer(&self, method: &str, pattern: &str) -> Gate {
        self.gate(method, pattern, true)
    }

    fn gate(&self, method: &str, pattern: &str, answer_only: bool) -> Gate {
        let Some(server) = &self.server else { unreachable!("only dropping the stand-in stops the server") };
        let (hold, gate) = Hold::new(method, pattern, answer_only, server.handle.clone());
        lock(&self.forge.script).holds.push(hold);
        gate
    }

    /// Begins again with the repository as it was at first. Requests, faults, holds, limit and latency are forgotten, too.
    pub fn reset(&self) {
        *lock(&self.forge.state) = State::new(self.url.clone());
        *lock(&self.forge.script) = Script::default();
        self.clear_requests();
    }

    /// Takes the field at this JSON pointer out of every answer.
    #[cfg(test)]
    pub(crate) fn omit(&self, pointer: &str) {
        lock(&self.forge.script).omission = Some(pointer.to_owned());
    }
}

impl Drop for StandIn {
    #[expect(
        clippy::print_stderr,
        reason = "a test that fails already cannot panic again, and needs to say why"
    )]
    fn drop(&mut self) {
        // First, so that nothing is found after the last look.
        drop(self.server.take());
        let violations = self.violations();
        if violations.is_empty() {
            return;
        }
        let all = format!("GitHub's OpenAPI document does not allow this:\n{}", violations.join("\n"));
        if std::thread::panicking() {
            eprintln!("{all}");
        } else {
            panic!("{all}");
        }
    }
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, format!("http://{address}")))
    });
    listener.unwrap_or_else(|error| panic!("the stand-in cannot listen: {error}"))
}
