//! The version that a publish request replaces.

use super::concurrent_runs::version_number;
use super::deployment_record::RecordedVersion;
use crate::gitbook::{Attempts, PublishedIntegration};
use crate::preview::OwnershipMarker;

/// The version of an integration before a publish request, and the size of its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PreviousVersion {
    version: u64,
    script_bytes: u32,
}

impl PreviousVersion {
    /// Returns the version of an existing preview, or `None` if the version or the script size is unknown.
    pub(super) fn of_preview(existing: &PublishedIntegration, marker: &OwnershipMarker) -> Option<Self> {
        Some(Self { version: version_number(existing)?, script_bytes: marker.script_bytes? })
    }

    /// Returns the version in production from its GitHub Deployment, or `None` if the version or the script size is unknown.
    pub(super) fn of_production(recorded: &RecordedVersion) -> Option<Self> {
        Some(Self { version: recorded.version.parse().ok()?, script_bytes: recorded.script_bytes? })
    }

    /// Returns the size of the replaced script in bytes. Returns `None` if the response does not prove that the request has
    /// replaced this version: another run may have published or deleted the integration meanwhile, or the GitHub Deployment may
    /// be for another endpoint.
    pub(super) fn script_bytes(self, response: &Attempts<PublishedIntegration>) -> Option<usize> {
        let after = version_number(&response.last)?;
        let is_next = self.version < after && after <= max_own_version(self.version, response.unanswered);
        if is_next { usize::try_from(self.script_bytes).ok() } else { None }
    }
}

/// Returns the highest version that this run can have published. Each attempt without a response may have published one version.
fn max_own_version(before: u64, unanswered: u32) -> u64 {
    before.saturating_add(1).saturating_add(u64::from(unanswered))
}

#[cfg(test)]
mod tests {
    use super::PreviousVersion;
    use crate::gitbook::{Attempts, PublishedIntegration};

    fn check(before: u64, (after, unanswered): (Option<u64>, u32), expected: Option<usize>) {
        let previous_version = PreviousVersion { version: before, script_bytes: 58 };
        let last = PublishedIntegration { version: after.map(Into::into), ..PublishedIntegration::default() };
        assert_eq!(
            previous_version.script_bytes(&Attempts { last, unanswered }),
            expected,
            "{before} to {after:?}"
        );
    }

    #[test]
    fn returns_the_size_only_for_the_replaced_version() {
        check(3, (Some(4), 0), Some(58));
        // Another run has published or deleted the integration, or the GitHub Deployment is for another endpoint.
        check(3, (Some(5), 0), None);
        check(3, (Some(3), 0), None);
        check(3, (Some(1), 0), None);
        check(3, (None, 0), None);
        // The first attempt may have published a version, but its response was lost.
        check(3, (Some(4), 1), Some(58));
        check(3, (Some(5), 1), Some(58));
        check(3, (Some(6), 1), None);
        check(u64::MAX, (Some(u64::MAX), 1), None);
    }
}
