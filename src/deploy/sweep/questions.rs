//! The questions of a sweep to the forge: it continues after one failure and stops after several in a row.

use std::sync::{Mutex, PoisonError};

use crate::forge::{Forge, ForgeError};

/// The maximum number of failures in a row. After that, the forge counts as down.
const MAX_FAILURES: usize = 3;

/// A client that checks one preview after another.
#[derive(Debug)]
pub(super) struct Questions<'a> {
    forge: &'a Forge,
    /// The number of failures in a row, and the newest of them.
    failures: Mutex<(usize, String)>,
}

impl<'a> Questions<'a> {
    pub(super) fn new(forge: &'a Forge) -> Self {
        Self { forge, failures: Mutex::default() }
    }

    /// Returns the client for the next preview.
    ///
    /// # Errors
    /// Returns [`ForgeError::CircuitOpen`] if the forge is down.
    pub(super) fn next(&self) -> Result<Forge, ForgeError> {
        let (count, failure) = &*self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if *count < MAX_FAILURES {
            Ok(self.forge.own_circuit_breaker())
        } else {
            Err(ForgeError::CircuitOpen(failure.clone()))
        }
    }

    /// Counts the failures in a row, and returns the result unchanged.
    pub(super) fn count<T>(&self, result: Result<T, ForgeError>) -> Result<T, ForgeError> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures = match &result {
            Err(error) if error.opens_circuit() => (failures.0 + 1, error.to_string()),
            _ => <_>::default(),
        };
        result
    }
}
