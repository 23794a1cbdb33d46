//! What stood at a name before it was published over.

use super::github_deployments::Recorded;
use super::version::number;
use crate::gitbook::{Attempts, Published};
use crate::preview::OwnershipMarker;

/// A version that is known by the length of its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PreviousVersion {
    version: u64,
    script_bytes: u32,
}

impl PreviousVersion {
    /// A preview with its mark, as it was read.
    pub(super) fn of_preview(existing: &Published, theirs: &OwnershipMarker) -> Option<Self> {
        Some(Self { version: number(existing)?, script_bytes: theirs.script_bytes? })
    }

    /// What stood in production, if that is still what is on record.
    pub(super) fn of_production(recorded: &Recorded) -> Option<Self> {
        Some(Self { version: recorded.version.parse().ok()?, script_bytes: recorded.script_bytes? })
    }

    /// Its script's length, if it is what was replaced: it may have been deleted, others may have published between, and
    /// a record may be of another endpoint.
    pub(super) fn script_bytes(self, answer: &Attempts<Published>) -> Option<usize> {
        let after = number(&answer.last)?;
        let is_next = self.version < after && after <= latest_next(self.version, answer.unanswered);
        if is_next { usize::try_from(self.script_bytes).ok() } else { None }
    }
}

/// The highest number that our version can have when nobody else has made one: each try whose answer was lost may have
/// made a version of its own.
fn latest_next(before: u64, unanswered: u32) -> u64 {
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
    fn only_what_was_replaced_is_what_stood_there_before() {
        check(3, (Some(4), 0), Some(58));
        // Others have published, or it was deleted, or is somewhere else altogether.
        check(3, (Some(5), 0), None);
        check(3, (Some(3), 0), None);
        check(3, (Some(1), 0), None);
        check(3, (None, 0), None);
        // The first try may have made a version whose answer was lost.
        check(3, (Some(4), 1), Some(58));
        check(3, (Some(5), 1), Some(58));
        check(3, (Some(6), 1), None);
        check(u64::MAX, (Some(u64::MAX), 1), None);
    }
}
