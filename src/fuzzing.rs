//! The fuzz targets: one function for each kind of untrusted input. Each function runs the program's code on arbitrary bytes
//! and checks invariants.
//!
//! cargo-fuzz calls these functions (see `fuzz/README.md`), and unit tests run them on each file of `fuzz/corpus`. They use
//! neither the network nor the bundler.

#![expect(clippy::expect_used, reason = "a fuzz target panics if an invariant is violated")]

mod configuration;
mod event;
mod folder;
mod image;
mod log;
mod manifest;
mod marker;
#[cfg(test)]
mod tests;

pub use configuration::configuration;
pub use event::event;
pub use image::image;
pub use manifest::manifest;
pub use marker::marker;
