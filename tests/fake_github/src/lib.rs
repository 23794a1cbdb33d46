//! A stand-in for GitHub's REST API that holds every request and every answer against GitHub's own OpenAPI document.
//!
//! A request that GitHub's document does not allow is answered with status 500 and remembered, and so is an answer
//! of the stand-in's own that the document does not allow. Dropping the [`FakeGitHub`] panics with what it remembers,
//! so that no test can overlook it.

#![expect(clippy::panic, reason = "a stand-in that is misused fails the test that misuses it")]

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
