//! Tests of the stand-in with a plain HTTP client.

#[cfg(test)]
mod client;
#[cfg(test)]
mod deployments;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod holds;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod right;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod wrong;
