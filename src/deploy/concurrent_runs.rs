//! Detects other runs by the version number of an integration. GitBook increments this number with each publish request.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Number;

use super::precondition::{Precondition, Stop, Verdict};
use super::response_check::ExpectedIntegration;
use super::{DeployError, Deployer};
use crate::gitbook::{Attempts, PublishedIntegration};

/// The newest state of an integration that this run has read before an attempt to publish it. Repeated attempts read the
/// integration again.
pub(super) struct LastRead(Mutex<ReadState>);

/// The result of reading an integration.
pub(super) struct ReadState {
    /// The integration, if there was one.
    pub(super) existing: Option<PublishedIntegration>,
    /// False if the integration could not be read, which leaves `existing` unknown.
    pub(super) is_known: bool,
    /// The number of attempts before the read that got no response and may have taken effect.
    pub(super) unanswered: u32,
}

impl LastRead {
    pub(super) fn known(existing: Option<PublishedIntegration>) -> Self {
        Self(Mutex::new(ReadState { existing, is_known: true, unanswered: 0 }))
    }

    pub(super) fn unknown() -> Self {
        Self(Mutex::new(ReadState { existing: None, is_known: false, unanswered: 0 }))
    }

    pub(super) fn set(&self, existing: Option<PublishedIntegration>, unanswered: u32) {
        self.with_lock(|read| *read = ReadState { existing, is_known: true, unanswered });
    }

    pub(super) fn with_lock<T>(&self, work: impl FnOnce(&mut ReadState) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the version of an integration as an integer, or `None` if it is missing or not an integer.
pub(super) fn version_number(published: &PublishedIntegration) -> Option<u64> {
    published.version.as_ref().and_then(Number::as_u64)
}

/// Returns true if an integration was published only once.
pub(super) fn is_first_version(published: &PublishedIntegration) -> bool {
    version_number(published) == Some(1)
}

/// Returns true if `after` is the version directly after `before`, which means that no other run has published in between. Also
/// returns true if a version number is unknown.
fn is_next_version(before: Option<&PublishedIntegration>, after: &PublishedIntegration) -> bool {
    let Some(after) = version_number(after) else { return true };
    match before {
        None => after == 1,
        Some(before) => version_number(before).is_none_or(|before| before.checked_add(1) == Some(after)),
    }
}

/// Describes the version of an integration, such as "version 3", or returns "nothing" if there is no integration.
fn describe_version(published: Option<&PublishedIntegration>) -> String {
    let version = |published: &PublishedIntegration| {
        published.version.as_ref().map(|version| format!("version {version}"))
    };
    published.map_or_else(|| "nothing".to_owned(), |published| version(published).unwrap_or_default())
}

impl Deployer<'_> {
    /// Checks that no other run has published between the last read and this request. Only logs the other run if its commit is
    /// older, or if it is unknown which run has the newer commit.
    ///
    /// # Errors
    /// Returns an error if this run has overwritten the version of a newer commit.
    pub(super) async fn check_version(
        &self,
        last_read: &LastRead,
        response: &Attempts<PublishedIntegration>,
        expected: &ExpectedIntegration<'_>,
        precondition: &Precondition<'_>,
    ) -> Result<(), DeployError> {
        let response = &response.last;
        let before = last_read.with_lock(|read| {
            let has_other_run = read.is_known && !is_next_version(read.existing.as_ref(), response);
            has_other_run.then(|| describe_version(read.existing.as_ref()))
        });
        let Some(before) = before.filter(|_| expected.other_name(response).is_none()) else {
            return Ok(());
        };
        let (name, after) = (expected.name, describe_version(Some(response)));
        match precondition.verdict_since(Instant::now()).await {
            Verdict::Stop(Stop::NewerCommit { commit, .. }) => {
                let name = name.to_owned();
                return Err(DeployError::OverwroteNewerCommit {
                    name,
                    before,
                    after,
                    commit,
                    is_certain: true,
                });
            }
            Verdict::Confirmed | Verdict::Stop(_) => tracing::info!(
                "another run published an older commit of `{name}` at the same time: GitBook had {before} and now has {after}"
            ),
            Verdict::NotChecked | Verdict::NoResponse => tracing::warn!(
                "another run published `{name}` at the same time: GitBook had {before} and now has {after}; it is unknown which run has the newer commit; if it is the other run, re-run its job"
            ),
        }
        Ok(())
    }
}

impl Deployer<'_> {
    /// Checks that an attempt without a response has not overwritten the version of a newer commit. `is_own` returns `Some(true)`
    /// if this run has published the given version, `Some(false)` if another run has, and `None` if this is unknown.
    ///
    /// # Errors
    /// Returns [`DeployError::OverwroteNewerCommit`] if this run may have overwritten the version of a newer commit, an error if
    /// the integration cannot be read, and otherwise the error in `result`.
    pub(super) async fn check_earlier_attempt<T>(
        &self,
        result: Result<T, DeployError>,
        name: &str,
        last_read: &LastRead,
        is_own: impl FnOnce(&PublishedIntegration) -> Option<bool>,
    ) -> Result<T, DeployError> {
        let commit = match &result {
            Err(DeployError::Stopped {
                stop: Stop::NewerCommit { commit, .. },
                earlier_attempt: Some(_),
            }) => commit.clone(),
            _ => return result,
        };
        let Some(existing) = self.read(name).await? else { return result };
        let (before, has_other_run) = last_read.with_lock(|read| {
            let before = read.existing.as_ref();
            let is_unchanged = before.is_some_and(|before| before.version == existing.version);
            (describe_version(before), read.is_known && !is_unchanged && !is_next_version(before, &existing))
        });
        let is_own = is_own(&existing);
        if has_other_run && is_own != Some(false) {
            let (name, after) = (name.to_owned(), describe_version(Some(&existing)));
            let is_certain = is_own == Some(true);
            return Err(DeployError::OverwroteNewerCommit { name, before, after, commit, is_certain });
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::is_next_version;
    use crate::gitbook::PublishedIntegration;

    fn version(version: Option<u64>) -> PublishedIntegration {
        PublishedIntegration { version: version.map(Into::into), ..PublishedIntegration::default() }
    }

    #[test]
    fn accepts_the_next_version_or_an_unknown_version() {
        let check = |before: Option<Option<u64>>, after: Option<u64>, expected: bool| {
            let before = before.map(version);
            assert_eq!(
                is_next_version(before.as_ref(), &version(after)),
                expected,
                "{before:?} to {after:?}"
            );
        };
        check(Some(Some(3)), Some(4), true);
        check(Some(Some(3)), Some(5), false);
        check(Some(Some(3)), Some(3), false);
        // Another run has deleted the integration and published it again.
        check(Some(Some(3)), Some(1), false);
        check(None, Some(1), true);
        check(None, Some(2), false);
        check(Some(Some(u64::MAX)), Some(u64::MAX), false);
        // Without a version, other runs cannot be detected.
        check(Some(Some(3)), None, true);
        check(Some(None), Some(9), true);
    }
}
