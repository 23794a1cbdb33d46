//! What fuzzing and tests give any bytes to: the program's own code behind each input that others write, and what has to
//! hold whatever they wrote.
//!
//! cargo-fuzz calls these functions (`fuzz/`, see CONTRIBUTING.md). What it found worth keeping lies in `fuzz/corpus`, and
//! the tests here read all of it again. Nothing here talks to a network, and the bundler is left out.

#![expect(clippy::expect_used, reason = "what does not hold is to be noticed, by whoever calls this")]

mod configuration;
mod event;
mod folder;
mod image;
mod log;
mod manifest;
mod mark;
#[cfg(test)]
mod tests;

pub use configuration::configuration;
pub use event::event;
pub use image::image;
pub use manifest::manifest;
pub use mark::mark;
