//! Counts failed requests to the forge. A sweep continues after a failure, but sends no more requests after three failures in a row.

use std::sync::{Mutex, PoisonError};

use crate::forge::{Forge, ForgeError};

/// The number of failures in a row after which the forge counts as unavailable.
const MAX_CONSECUTIVE_FAILURES: usize = 3;

/// A counter of failed requests to the forge, with the client that sends them.
#[derive(Debug)]
pub(super) struct ForgeFailures<'a> {
    forge: &'a Forge,
    /// The number of failures in a row, and the message of the newest one.
    failures: Mutex<(usize, String)>,
}

impl<'a> ForgeFailures<'a> {
    pub(super) fn new(forge: &'a Forge) -> Self {
        Self { forge, failures: Mutex::default() }
    }

    /// Returns a client for the requests about the next preview. Its circuit breaker is closed.
    ///
    /// # Errors
    /// Returns [`ForgeError::CircuitOpen`] after three failures in a row.
    pub(super) fn next_client(&self) -> Result<Forge, ForgeError> {
        let (count, failure) = &*self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if *count < MAX_CONSECUTIVE_FAILURES {
            Ok(self.forge.with_own_circuit_breaker())
        } else {
            Err(ForgeError::CircuitOpen(failure.clone()))
        }
    }

    /// Counts a failed request, or resets the counter after a successful one. Returns the result unchanged.
    pub(super) fn count<T>(&self, result: Result<T, ForgeError>) -> Result<T, ForgeError> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures = match &result {
            Err(error) if error.opens_circuit() => (failures.0 + 1, error.to_string()),
            _ => <_>::default(),
        };
        result
    }
}
