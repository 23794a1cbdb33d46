//! The questions of a sweep to the forge: one that fails stops no other, several in a row end them.

use std::sync::{Mutex, PoisonError};

use crate::forge::{Forge, ForgeError};

/// A forge that fails to answer for so many previews in a row is down.
const MAX_FAILURES: usize = 3;

/// A client that asks for one preview after another.
#[derive(Debug)]
pub(super) struct Questions<'a> {
    forge: &'a Forge,
    /// The failures in a row, and the newest of them.
    failures: Mutex<(usize, String)>,
}

impl<'a> Questions<'a> {
    pub(super) fn new(forge: &'a Forge) -> Self {
        Self { forge, failures: Mutex::default() }
    }

    /// Returns the client for the next question.
    ///
    /// # Errors
    /// Returns [`ForgeError::GivenUp`] if the forge is down.
    pub(super) fn next(&self) -> Result<Forge, ForgeError> {
        let (count, why) = &*self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if *count < MAX_FAILURES { Ok(self.forge.apart()) } else { Err(ForgeError::GivenUp(why.clone())) }
    }

    /// Counts the failures in a row.
    pub(super) fn answered<T>(&self, answer: Result<T, ForgeError>) -> Result<T, ForgeError> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures = match &answer {
            Err(error) if error.is_final() => (failures.0 + 1, error.to_string()),
            _ => <_>::default(),
        };
        answer
    }
}
