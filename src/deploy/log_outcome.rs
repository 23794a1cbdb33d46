//! Logs successful outcomes. The message has the form `published hello`; `report/log.rs` appends the version, size and time in
//! text formats.

use super::Outcome;

impl Outcome {
    /// Logs the outcome if it is a success. `report/log.rs` formats the fields as part of a sentence, or as JSON.
    pub(super) fn log(&self) {
        if let Ok(success) = &self.result {
            let milliseconds = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                milliseconds = (!self.duration.is_zero()).then_some(milliseconds),
                script_bytes = success.script_bytes,
                version = success.version,
                url = success.url,
                note = success.note,
                "{} {}",
                success.status.name(),
                self.name
            );
        }
    }
}
