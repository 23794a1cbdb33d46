//! Tests of the stand-in with a plain HTTP client.

mod client;
mod right;
mod speed;
