//! Versions: GitBook counts how often an integration was published, and so tells of other runs.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Number;

use super::answer::Sent;
use super::recheck::{Recheck, Stop, Verdict};
use super::{DeployError, Deployment};
use crate::gitbook::{Published, Tried};

/// The integration as it was read last before an attempt to publish it.
pub(super) struct LastRead(Mutex<Read>);

/// A reading, and how many attempts before it may have taken effect.
pub(super) struct Read {
    /// The integration, if there was one.
    pub(super) there: Option<Published>,
    /// False if it could not be read.
    pub(super) is_known: bool,
    pub(super) unanswered: u32,
}

impl LastRead {
    pub(super) fn known(there: Option<Published>) -> Self {
        Self(Mutex::new(Read { there, is_known: true, unanswered: 0 }))
    }

    pub(super) fn unknown() -> Self {
        Self(Mutex::new(Read { there: None, is_known: false, unanswered: 0 }))
    }

    pub(super) fn set(&self, there: Option<Published>, unanswered: u32) {
        self.with(|read| *read = Read { there, is_known: true, unanswered });
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Read) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the version as a number.
pub(super) fn number(published: &Published) -> Option<u64> {
    published.version.as_ref().and_then(Number::as_u64)
}

/// Returns whether an integration was published once.
pub(super) fn is_first(published: &Published) -> bool {
    number(published) == Some(1)
}

/// Returns whether nobody else has published between a reading and an answer. Says yes if the API tells no version.
fn is_next(before: Option<&Published>, after: &Published) -> bool {
    let Some(after) = number(after) else { return true };
    match before {
        None => after == 1,
        Some(before) => number(before).is_none_or(|before| before.checked_add(1) == Some(after)),
    }
}

/// Describes the version of a reading.
fn described(published: Option<&Published>) -> String {
    let version =
        |published: &Published| published.version.as_ref().map(|version| format!("version {version}"));
    published.map_or_else(|| "nothing".to_owned(), |published| version(published).unwrap_or_default())
}

impl Deployment<'_> {
    /// Finds out by the version in the answer whether another run has published between the last reading and this
    /// publishing.
    ///
    /// # Errors
    /// Returns an error if the forge says that the other run's commit is newer.
    pub(super) async fn check_version(
        &self,
        last_read: &LastRead,
        answer: &Tried<Published>,
        sent: &Sent<'_>,
        recheck: &Recheck<'_>,
    ) -> Result<(), DeployError> {
        let answer = &answer.last;
        let before = last_read.with(|read| {
            let is_another = read.is_known && !is_next(read.there.as_ref(), answer);
            is_another.then(|| described(read.there.as_ref()))
        });
        let Some(before) = before.filter(|_| sent.another(answer).is_none()) else { return Ok(()) };
        let (name, after) = (sent.name, described(Some(answer)));
        match recheck.since(Instant::now()).await {
            Verdict::Stop(Stop::NewerCommit { commit, .. }) => {
                let name = name.to_owned();
                return Err(DeployError::Overwrote { name, before, after, commit, is_certain: true });
            }
            Verdict::Confirmed | Verdict::Stop(_) => tracing::info!(
                "`{name}` went from {before} to {after}: another run has published it at the same time, of an older commit"
            ),
            Verdict::Unknown | Verdict::Unanswered => tracing::warn!(
                "`{name}` went from {before} to {after}: another run has published it at the same time, and could not check which commit is newer. If the other one is, run its job again"
            ),
        }
        Ok(())
    }
}

impl Deployment<'_> {
    /// Finds out whether a run that has stopped for a newer commit has overwritten that one's work: an attempt without an
    /// answer may have taken effect. `is_ours` tells whether this run has published what is there, if that can be told.
    pub(super) async fn check_unanswered<T>(
        &self,
        result: Result<T, DeployError>,
        name: &str,
        last_read: &LastRead,
        is_ours: impl FnOnce(&Published) -> Option<bool>,
    ) -> Result<T, DeployError> {
        let commit = match &result {
            Err(DeployError::Stopped { stop: Stop::NewerCommit { commit, .. }, tried: Some(_) }) => {
                commit.clone()
            }
            _ => return result,
        };
        let Some(there) = self.read(name).await? else { return result };
        let (before, is_another) = last_read.with(|read| {
            let before = read.there.as_ref();
            let is_as_before = before.is_some_and(|before| before.version == there.version);
            (described(before), read.is_known && !is_as_before && !is_next(before, &there))
        });
        let is_ours = is_ours(&there);
        if is_another && is_ours != Some(false) {
            let (name, after) = (name.to_owned(), described(Some(&there)));
            let is_certain = is_ours == Some(true);
            return Err(DeployError::Overwrote { name, before, after, commit, is_certain });
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::is_next;
    use crate::gitbook::Published;

    fn version(version: Option<u64>) -> Published {
        Published { version: version.map(Into::into), ..Published::default() }
    }

    #[test]
    fn nobody_else_has_published_if_the_version_is_the_next_one() {
        let check = |before: Option<Option<u64>>, after: Option<u64>, expected: bool| {
            let before = before.map(version);
            assert_eq!(is_next(before.as_ref(), &version(after)), expected, "{before:?} to {after:?}");
        };
        check(Some(Some(3)), Some(4), true);
        check(Some(Some(3)), Some(5), false);
        check(Some(Some(3)), Some(3), false);
        // Deleted by others, and published anew.
        check(Some(Some(3)), Some(1), false);
        check(None, Some(1), true);
        check(None, Some(2), false);
        check(Some(Some(u64::MAX)), Some(u64::MAX), false);
        // Where a version is missing, nothing is known.
        check(Some(Some(3)), None, true);
        check(Some(None), Some(9), true);
    }
}
