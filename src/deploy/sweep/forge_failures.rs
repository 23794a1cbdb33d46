//! Counts failed requests to the forge. A sweep continues after a failure, but sends no more requests after three failures in a row.

use std::sync::{Mutex, PoisonError};

use crate::forge::{Forge, ForgeError};

/// The number of failures in a row after which a sweep sends no more requests to the forge.
const MAX_CONSECUTIVE_FAILURES: usize = 3;

/// A counter of failed requests to the forge, with the client that sends them.
#[derive(Debug)]
pub(super) struct ForgeFailures<'a> {
    forge: &'a Forge,
    /// The number of failures in a row, and the message of the newest failure.
    failures: Mutex<(usize, String)>,
}

impl<'a> ForgeFailures<'a> {
    pub(super) fn new(forge: &'a Forge) -> Self {
        Self { forge, failures: Mutex::default() }
    }

    /// Returns a client for the requests about the next preview. It has a new circuit breaker, so that the last failure does not
    /// affect it.
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

    /// Counts a result that shows that the forge is unavailable. Resets the counter after any other result. Returns the result
    /// unchanged.
    pub(super) fn count<T>(&self, result: Result<T, ForgeError>) -> Result<T, ForgeError> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures = match &result {
            Err(error) if error.opens_circuit() => (failures.0 + 1, error.to_string()),
            _ => <_>::default(),
        };
        result
    }
}
