//! Tests of the fake GitHub with a plain HTTP client.

#[cfg(test)]
mod client;
#[cfg(test)]
mod deployments;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod violations;
