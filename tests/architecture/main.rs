//! Tests of the source code itself.

// The attribute `cfg(test)` makes Clippy apply its rules for tests, for example allow `unwrap`.
#[cfg(test)]
mod names;
#[cfg(test)]
mod rules;
