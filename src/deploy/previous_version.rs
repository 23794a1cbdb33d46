//! The version that a new version replaces.

use super::github_deployments::RecordedVersion;
use super::version::number;
use crate::gitbook::{Attempts, Published};
use crate::preview::OwnershipMarker;

/// A replaced version and the size of its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PreviousVersion {
    version: u64,
    script_bytes: u32,
}

impl PreviousVersion {
    /// Returns the version of an existing preview.
    pub(super) fn of_preview(existing: &Published, marker: &OwnershipMarker) -> Option<Self> {
        Some(Self { version: number(existing)?, script_bytes: marker.script_bytes? })
    }

    /// Returns the version in the forge's record.
    pub(super) fn of_production(recorded: &RecordedVersion) -> Option<Self> {
        Some(Self { version: recorded.version.parse().ok()?, script_bytes: recorded.script_bytes? })
    }

    /// Returns the size of the script if the response has replaced this version. Others may have deleted it or published in
    /// between, and a record may be of another endpoint.
    pub(super) fn script_bytes(self, response: &Attempts<Published>) -> Option<usize> {
        let after = number(&response.last)?;
        let is_next = self.version < after && after <= max_next(self.version, response.unanswered);
        if is_next { usize::try_from(self.script_bytes).ok() } else { None }
    }
}

/// Returns the highest version that this run can have published alone. Each attempt without a response may have published a
/// version.
fn max_next(before: u64, unanswered: u32) -> u64 {
    before.saturating_add(1).saturating_add(u64::from(unanswered))
}

#[cfg(test)]
mod tests {
    use super::PreviousVersion;
    use crate::gitbook::{Attempts, Published};

    fn check(before: u64, (after, unanswered): (Option<u64>, u32), expected: Option<usize>) {
        let previous_version = PreviousVersion { version: before, script_bytes: 58 };
        let last = Published { version: after.map(Into::into), ..Published::default() };
        assert_eq!(
            previous_version.script_bytes(&Attempts { last, unanswered }),
            expected,
            "{before} to {after:?}"
        );
    }

    #[test]
    fn returns_the_size_only_for_the_replaced_version() {
        check(3, (Some(4), 0), Some(58));
        // Others have published, the integration was deleted, or the record is of another endpoint.
        check(3, (Some(5), 0), None);
        check(3, (Some(3), 0), None);
        check(3, (Some(1), 0), None);
        check(3, (None, 0), None);
        // The first attempt may have published a version, and its response was lost.
        check(3, (Some(4), 1), Some(58));
        check(3, (Some(5), 1), Some(58));
        check(3, (Some(6), 1), None);
        check(u64::MAX, (Some(u64::MAX), 1), None);
    }
}
