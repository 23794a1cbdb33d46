//! The public interface of the fake GitHub.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::document;
use crate::fault::Fault;
use crate::hold::{Barrier, Hold};
use crate::model::Request;
use crate::server::{Forge, Overrides, Server, lock};
use crate::state::State;

/// A fake GitHub with the repository `acme/integrations`. The default branch `main` points to the commit `aaaa…` (40 times `a`).
pub struct FakeGitHub {
    pub(crate) forge: Arc<Forge>,
    server: Option<Server>,
    url: String,
}

impl FakeGitHub {
    /// Starts a fake GitHub that validates each request and each response.
    pub async fn start() -> Self {
        Self::new(true)
    }

    /// Starts a fake GitHub without validation, for tests with very many requests.
    pub async fn unvalidated() -> Self {
        Self::new(false)
    }

    fn new(validated: bool) -> Self {
        // Loads the OpenAPI document here, so that a missing file fails the test and not the server thread.
        document::openapi_document();
        let (listener, url) = listen();
        let forge = Arc::new(Forge {
            validated,
            state: Mutex::new(State::new(url.clone())),
            overrides: Mutex::new(Overrides::default()),
            requests: Mutex::default(),
            violations: Mutex::default(),
        });
        let server = Some(Server::start(listener, forge.clone()));
        Self { forge, server, url }
    }

    /// Returns the URL of the API.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Returns the URL of the API on GitHub Enterprise.
    pub fn enterprise_url(&self) -> String {
        format!("{}/api/v3", self.url)
    }

    /// Returns the requests so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.forge.requests).clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        lock(&self.forge.requests).clear();
    }

    /// Returns a description of each request and response so far that violates GitHub's OpenAPI document.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.forge.violations).clone()
    }

    /// Takes the violations, so that dropping the fake GitHub does not panic.
    ///
    /// # Panics
    ///
    /// If no violation was recorded.
    pub fn expect_violations(&self) -> Vec<String> {
        let violations = std::mem::take(&mut *lock(&self.forge.violations));
        assert!(!violations.is_empty(), "expected a violation of GitHub's OpenAPI document");
        violations
    }

    /// Delays every response by this time; the request takes effect without delay.
    pub fn latency(&self, latency: Duration) {
        lock(&self.forge.overrides).latency = latency;
    }

    /// Accepts this number of further requests and rejects the rest. Each response reports the remaining number.
    pub fn rate_limit(&self, requests: u64) {
        lock(&self.forge.overrides).remaining = Some(requests);
    }

    /// Adds a fault. If several faults match a request, the first one applies.
    pub fn fail(&self, fault: Fault) {
        lock(&self.forge.overrides).faults.push(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.forge.overrides).faults.clear();
    }

    /// Holds the next matching request until the barrier is released. [`Fault`] documents the patterns.
    #[must_use]
    pub fn hold(&self, method: &str, pattern: &str) -> Barrier {
        self.barrier(method, pattern, false)
    }

    /// Lets the next matching request take effect, and holds its response until the barrier is released.
    #[must_use]
    pub fn hold_response(&self, method: &str, pattern: &str) -> Barrier {
        self.barrier(method, pattern, true)
    }

    fn barrier(&self, method: &str, pattern: &str, answer_only: bool) -> Barrier {
        let Some(server) = &self.server else {
            unreachable!("only dropping the fake GitHub stops the server")
        };
        let (hold, barrier) = Hold::new(method, pattern, answer_only, server.handle.clone());
        lock(&self.forge.overrides).holds.push(hold);
        barrier
    }

    /// Restores the initial repository, and removes requests, faults, holds, rate limit and latency.
    pub fn reset(&self) {
        *lock(&self.forge.state) = State::new(self.url.clone());
        *lock(&self.forge.overrides) = Overrides::default();
        self.clear_requests();
    }

    /// Removes the field at this JSON pointer from every response.
    #[cfg(test)]
    pub(crate) fn omit(&self, pointer: &str) {
        lock(&self.forge.overrides).omitted_field = Some(pointer.to_owned());
    }
}

impl Drop for FakeGitHub {
    #[expect(clippy::print_stderr, reason = "a second panic during a panic would abort the process")]
    fn drop(&mut self) {
        // Stop the server first, so that it adds no violation after the check.
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
    listener.unwrap_or_else(|error| panic!("could not start the fake GitHub: {error}"))
}
