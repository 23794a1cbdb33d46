//! A fake of GitHub's REST API that validates every request and every response against GitHub's OpenAPI
//! document.
//!
//! An invalid request or response gets status 500 and is recorded as a violation. Dropping the [`FakeGitHub`] panics if it has
//! recorded violations, so that no test can overlook them.

#![expect(clippy::panic, reason = "incorrect use of the fake GitHub must fail the test")]

mod call;
mod contract;
mod document;
mod fake_github;
mod fault;
mod hold;
mod model;
mod operations;
mod paging;
mod response;
mod scenario;
mod server;
mod state;
mod template;

pub use fake_github::FakeGitHub;
pub use fault::Fault;
pub use hold::Barrier;
pub use model::{Comment, Deployment, Head, Request, Status};

#[cfg(test)]
mod tests;
