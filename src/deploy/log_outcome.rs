//! The log line of a successful outcome, such as `published hello`. For people, `report/log.rs` adds the version, size and time to it.

use super::Outcome;

impl Outcome {
    /// Logs a successful outcome. The log for people shows the fields as a sentence.
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
