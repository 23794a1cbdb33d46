//! Tests of the source code itself.

// Clippy allows more in test modules.
#[cfg(test)]
mod names;
#[cfg(test)]
mod rules;
