//! Tests of the whole program.

// Below `#[cfg(test)]`, Clippy permits calls such as `unwrap`.
#[cfg(test)]
mod bad_input;
#[cfg(test)]
#[cfg(unix)] // sends Unix signals
mod cancel;
#[cfg(test)]
mod detected;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod gitlab;
#[cfg(test)]
mod http;
#[cfg(test)]
mod injection;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod many;
#[cfg(test)]
mod outputs;
#[cfg(test)]
#[cfg(unix)] // needs pseudo terminals
mod progress;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
#[cfg(unix)] // uses symbolic links and Unix signals
mod trust;
