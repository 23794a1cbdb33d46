//! A fake of GitHub's REST API that validates every request and every response against GitHub's OpenAPI
//! document.
//!
//! An invalid request or response is answered with status 500 and recorded. Dropping the [`FakeGitHub`]
//! panics if there are such records, so that no test can overlook them.

#![expect(clippy::panic, reason = "a fake GitHub that is misused fails the test that misuses it")]

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
