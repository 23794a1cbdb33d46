//! Publishes an integration to production.

use std::time::Instant;

use super::answer::Sent;
use super::attempt::AttemptError;
use super::former::Former;
use super::guard;
use super::recheck::{Recheck, Verdict};
use super::records::{self, Publishing, Recorded};
use super::version::LastRead;
use super::{DeployError, Deployment, Done, Look, Outcome, What, published, seen};
use crate::gitbook::{ApiError, Failure, Published, Retryable as _, Tried};
use crate::integration::Integration;

impl Deployment<'_> {
    /// Publishes an integration to production.
    pub(crate) async fn publish(
        &self,
        integration: &Integration,
        look: Look,
        recheck: &Recheck<'_>,
    ) -> Outcome {
        let name = integration.name.clone();
        self.timed(name.clone(), &integration.place, false, async {
            let done = Done::with(integration);
            if self.dry_run {
                return Ok(Done { note: Some("dry run: would be published".to_owned()), ..done });
            }
            let request = integration.request()?;
            // The forge keeps one record, wherever this is published to.
            let hash = records::hash_at(self.gitbook.endpoint(), &request.hash);
            let sent = Sent::production(integration);
            let recorded = self.on_record(&name).await;
            let Look { there, at } = look;
            let last_read = match &recorded {
                Some(recorded) if recorded.hash == hash => {
                    let existing = match there {
                        Some(there) => there,
                        None => self.read(&name).await?,
                    };
                    if let Some(existing) =
                        existing.as_ref().filter(|live| is_as_recorded(live, &sent, recorded))
                    {
                        return Ok(Done { what: What::Unchanged, ..seen(existing, done) });
                    }
                    LastRead::known(existing)
                }
                _ => there.map_or_else(LastRead::unknown, LastRead::known),
            };
            let script_bytes = integration.script_bytes();
            let publishing =
                Publishing { integration: &name, name: &name, hash: &hash, script_bytes, mark: None };
            let body = request.body()?;
            let request = self.publish_over((&last_read, at), &sent, body, recheck);
            let answer = self.recorded(&publishing, request).await?;
            Ok(published(&answer, &sent, recorded.as_ref().and_then(Former::of_production), done))
        })
        .await
    }

    async fn publish_over(
        &self,
        (last_read, looked_at): (&LastRead, Instant),
        sent: &Sent<'_>,
        body: Vec<u8>,
        recheck: &Recheck<'_>,
    ) -> Result<Tried<Published>, DeployError> {
        let before = async |failure: Option<Failure>| {
            let Some(Failure { unanswered, .. }) = failure else {
                recheck.since(looked_at).await.check()?;
                return Ok(None);
            };
            let read_at = Instant::now();
            let there = self.read_live_once(sent.name).await?;
            let verdict = recheck.since(read_at).await.check()?;
            let Some(there) = there else { return Ok(None) };
            if matches!(verdict, Verdict::Unknown | Verdict::Unanswered) {
                let is_ours = |there: &Published| sent.differences(there).is_empty();
                let happened = last_read.with(|last| {
                    guard::publish_to_production_again(there.as_ref(), last, unanswered, is_ours)
                });
                if happened? {
                    return Ok(there);
                }
            }
            last_read.set(there, unanswered);
            Ok::<_, AttemptError>(None)
        };
        let request = self.gitbook.publish(sent.name, body, before);
        let answer = self.change("publishing", sent.name, request).await;
        let is_ours = |there: &Published| (!sent.differences(there).is_empty()).then_some(false);
        let answer = self.check_unanswered(answer, sent.name, last_read, is_ours).await?;
        self.check_version(last_read, &answer, sent, recheck).await?;
        Ok(answer)
    }

    /// Reads what is in production; `None` if that fails.
    pub(super) async fn read_live(&self, name: &str) -> Option<Option<Published>> {
        match self.cancel.or_at_once(self.gitbook.read_once(name)).await.ok()? {
            Ok(there) => Some(there),
            Err(error) => {
                self.unread(name, &error);
                None
            }
        }
    }

    /// The same between two attempts: a failure that may pass counts as a failed attempt.
    async fn read_live_once(&self, name: &str) -> Result<Option<Option<Published>>, ApiError> {
        match self.gitbook.read_once(name).await {
            Ok(there) => Ok(Some(there)),
            Err(error) if error.is_worth_retrying() || matches!(error, ApiError::Cancelled) => Err(error),
            Err(error) => {
                self.unread(name, &error);
                Ok(None)
            }
        }
    }

    fn unread(&self, name: &str, error: &ApiError) {
        let told =
            format!("could not read `{name}` before publishing, so its version is not checked: {error}");
        tracing::debug!("{told}");
        self.unread.call_once(|| tracing::info!("{told}"));
    }

    /// Returns the forge's record of the last publishing to production if it may spare this one.
    async fn on_record(&self, name: &str) -> Option<Recorded> {
        self.records.filter(|_| self.skip_unchanged)?.recorded(name).await
    }
}

/// Returns whether the integration in production is the one on record, and has the fields that would be sent. It may be gone
/// meanwhile, or have been published by other hands.
fn is_as_recorded(live: &Published, sent: &Sent<'_>, recorded: &Recorded) -> bool {
    let version = live.version.as_ref().map(ToString::to_string);
    version.as_ref() == Some(&recorded.version) && sent.is_unchanged_in(live)
}
