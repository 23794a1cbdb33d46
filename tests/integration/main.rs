//! Tests of the whole program.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy allows them in test functions only, not in what those call"
)]

mod readme;
