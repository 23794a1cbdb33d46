//! Records each published integration as a GitHub Deployment.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;
use tracing::instrument::WithSubscriber as _;
use url::Url;

use super::environment_name::environment_name;
use super::guard::GuardError;
use super::outcome::DeployError;
use crate::cancel::Cancel;
use crate::forge::{
    DeploymentState, ForgeError, GitHub, NewDeployment, NewStatus, RequestCost, Reservation,
    SuccessfulDeployment,
};
use crate::gitbook::{Attempts, PublishedIntegration};
use crate::preview::{self, OwnershipMarker};
use crate::untrusted::web_link;

/// The maximum time for requests to GitHub after a signal. GitHub's runner kills the run 10 s after the signal, and requests to
/// GitBook may need 5 s of this time.
const MAX_AFTER_SIGNAL: Duration = Duration::from_secs(2);

/// The maximum time to wait for the request that sets a deployment's status to "in progress".
const MAX_IN_PROGRESS_REQUEST: Duration = Duration::from_secs(5);

/// The cost of one deployment: one request that creates it and two that set its statuses.
const DEPLOYMENT_COST: RequestCost = RequestCost { requests: 3, writes: 3 };

/// A recorder of GitHub Deployments. It stops recording after its first failure, so that a missing permission causes only one
/// warning.
pub(crate) struct GitHubDeployments<'a> {
    forge: GitHub,
    /// The client that the rest of the run uses. While its circuit breaker is open, the recorder sends nothing. The recorder's
    /// own requests use another circuit breaker, so that their failures do not stop this client.
    main_client: &'a GitHub,
    cancel: &'a Cancel,
    commit: Option<&'a str>,
    log_url: Option<&'a str>,
    /// A function that returns true if a text contains a secret. Such texts are not recorded, since all readers of the repository
    /// can see its deployments.
    contains_secret: &'a (dyn Fn(&str) -> bool + Sync),
    /// The first failure. After it, the recorder sends nothing.
    failure: Mutex<Option<ForgeError>>,
    /// The number of deployments that were not recorded, or not deactivated, to stay within a rate limit.
    skipped: AtomicUsize,
    /// The tasks that set the final statuses. A task returns false if it did not deactivate all earlier deployments.
    final_updates: Mutex<Vec<JoinHandle<Result<bool, ForgeError>>>>,
}

/// The data of an integration in its GitHub Deployment.
#[derive(Debug)]
pub(super) struct DeploymentDetails<'a> {
    pub(super) integration: &'a str,
    pub(super) name: &'a str,
    pub(super) hash: &'a str,
    pub(super) script_bytes: usize,
    /// The marker of a preview; `None` for production.
    pub(super) marker: Option<&'a OwnershipMarker>,
}

/// The version that was last published to production, according to its GitHub Deployment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordedVersion {
    /// The hash of the published content.
    pub(super) hash: String,
    /// The version in GitBook.
    pub(super) version: String,
    /// The size of the script in bytes; `None` if an earlier version of this program created the deployment.
    pub(super) script_bytes: Option<u32>,
}

impl fmt::Debug for GitHubDeployments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubDeployments").field("commit", &self.commit).finish_non_exhaustive()
    }
}

impl<'a> GitHubDeployments<'a> {
    /// Creates a recorder for the deployments of a commit. Without a commit, the recorder can only deactivate deployments.
    pub(crate) fn new(
        main_client: &'a GitHub,
        cancel: &'a Cancel,
        commit: Option<&'a str>,
        log_url: Option<&'a str>,
        contains_secret: &'a (dyn Fn(&str) -> bool + Sync),
    ) -> Self {
        let forge = main_client.with_own_circuit_breaker();
        let (failure, skipped, final_updates) = <_>::default();
        Self { forge, main_client, cancel, commit, log_url, contains_secret, failure, skipped, final_updates }
    }

    /// Waits until all final statuses are set. Returns and clears the first failure.
    pub(crate) async fn finish(&self) -> Option<ForgeError> {
        let updates = std::mem::take(&mut *self.final_updates.lock().unwrap_or_else(PoisonError::into_inner));
        // GitHub's runner kills the run soon after a signal, so the time is limited.
        let results =
            self.cancel.run_with_grace_period(MAX_AFTER_SIGNAL, join_all(updates)).await.unwrap_or_default();
        results.into_iter().flatten().for_each(|result| self.store_update_result(result));
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns the number of deployments that were not recorded, or not deactivated, to stay within a rate limit.
    pub(crate) fn skipped_count(&self) -> usize {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Returns the version that was last published to production, or `None` if it is unknown or the last deployment failed.
    pub(super) async fn last_recorded(&self, integration: &str) -> Option<RecordedVersion> {
        if !self.is_recording() || (self.contains_secret)(integration) {
            return None;
        }
        let environment = environment_name(integration, None);
        match self.cancel.run_until_cancelled(self.forge.newest_if_successful(&environment)).await.ok()? {
            Ok(success) => RecordedVersion::parse(&success?),
            Err(error) => {
                self.set_first_failure(error);
                None
            }
        }
    }

    /// Sends a publish request and records it as a deployment. The deployment is in progress until the request finishes.
    pub(super) async fn send_and_record(
        &self,
        details: &DeploymentDetails<'_>,
        request: impl Future<Output = Result<Attempts<PublishedIntegration>, DeployError>>,
    ) -> Result<Attempts<PublishedIntegration>, DeployError> {
        let Some((deployment, reservation)) = self.create_deployment(details).await else {
            return request.await;
        };
        let status = self.new_status(DeploymentState::InProgress, None, "Publishing");
        // No other step depends on the status “in progress”. So a background task sets it with a single attempt, and no task sets
        // it after a signal.
        let forge = self.forge.single_attempt(MAX_IN_PROGRESS_REQUEST);
        let is_running = self.cancel.signal().is_none();
        let start = async move {
            if is_running { forge.add_deployment_status(deployment, &status).await } else { Ok(()) }
        };
        let started = tokio::spawn(start.with_current_subscriber());
        let result = request.await;
        let cancelled = self.cancel.signal().is_some();
        let forge = if cancelled {
            self.forge.single_attempt(MAX_AFTER_SIGNAL / 2)
        } else {
            self.forge.with_long_wait()
        };
        let final_status = match &result {
            Ok(published) => {
                let url = published.last.urls.app.as_deref();
                self.new_status(
                    DeploymentState::Success,
                    url,
                    success_description(published.last.version.as_ref()),
                )
            }
            Err(_) if cancelled => self.new_status(DeploymentState::Failure, None, "Cancelled"),
            Err(DeployError::Guard { error: GuardError::Newer(_), .. }) => {
                self.new_status(DeploymentState::Inactive, None, "A newer run has published this preview")
            }
            Err(_) => self.new_status(DeploymentState::Failure, None, "Failed; see the log"),
        };
        // A background task sets the final status, so that the next integration does not wait for GitHub.
        let environment = environment_name(details.integration, details.marker);
        let is_new = result.is_ok() && details.marker.is_some() && !cancelled;
        let replaced = self.new_status(DeploymentState::Inactive, None, "Replaced by a newer deployment");
        let update = async move {
            // The final status must arrive after the status “in progress”, so the task waits for that request.
            let max_wait = if cancelled { MAX_AFTER_SIGNAL / 2 } else { MAX_IN_PROGRESS_REQUEST };
            let started = tokio::time::timeout(max_wait, started).await;
            forge.add_deployment_status(deployment, &final_status).await?;
            if let Ok(Ok(Err(error))) = started {
                return Err(error);
            }
            drop(reservation);
            // GitHub itself deactivates earlier deployments in production environments, but not in the transient environments of
            // previews.
            if is_new {
                forge.deactivate_older_deployments(deployment, &environment, &replaced).await
            } else {
                Ok(true)
            }
        };
        let update = tokio::spawn(update.with_current_subscriber());
        self.final_updates.lock().unwrap_or_else(PoisonError::into_inner).push(update);
        result
    }

    /// Records the deletion of a preview.
    pub(super) async fn record_deletion(&self, marker: &OwnershipMarker) {
        // An earlier deployment of this run may still wait for its final status, which must not arrive after the status
        // “inactive”.
        if let Some(error) = self.finish().await {
            self.set_first_failure(error);
        }
        if self.is_recording() {
            let environment = environment_name(&marker.integration, Some(marker));
            let status = self.new_status(DeploymentState::Inactive, None, "The preview was deleted");
            let work = self.forge.deactivate_deployments(&environment, &status);
            if let Ok(result) = self.cancel.run_with_grace(work).await {
                self.store_update_result(result);
            }
        }
    }

    async fn create_deployment(&self, details: &DeploymentDetails<'_>) -> Option<(u64, Reservation)> {
        let commit = self.commit.filter(|_| self.is_recording())?;
        let DeploymentDetails { integration, name, hash, script_bytes, marker } = *details;
        let branch = marker.map(|marker| &marker.branch);
        // A name is not redacted, because two redacted names could be the same.
        if [Some(integration), Some(name), branch.map(String::as_str)]
            .into_iter()
            .flatten()
            .any(self.contains_secret)
        {
            tracing::info!("no GitHub Deployment of `{name}`: its name or branch contains a secret");
            return None;
        }
        let Some(reservation) = self.forge.reserve(DEPLOYMENT_COST) else {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let new_deployment = NewDeployment {
            environment: &environment_name(integration, marker),
            transient: marker.is_some(),
            commit,
            description: &format!("`{name}`, by gitbook-deploy"),
            payload: json!({
                "integration": integration, "name": name, "branch": branch, "hash": hash,
                "script_bytes": script_bytes,
            }),
        };
        match self.cancel.run_with_grace(self.forge.create_deployment(&new_deployment)).await.ok()? {
            Ok(deployment) => Some((deployment, reservation)),
            Err(error) => {
                self.set_first_failure(error);
                None
            }
        }
    }

    fn new_status(
        &self,
        state: DeploymentState,
        url: Option<&str>,
        description: impl Into<String>,
    ) -> NewStatus {
        let public_link =
            |url: Option<&str>| url.filter(|url| !(self.contains_secret)(url)).and_then(web_link);
        NewStatus {
            state,
            url: public_link(url),
            log_url: public_link(self.log_url),
            description: description.into(),
        }
    }

    fn is_recording(&self) -> bool {
        if let Some(reason) = self.main_client.circuit_failure() {
            self.set_first_failure(ForgeError::CircuitOpen(reason));
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.is_none() && self.cancel.signal().is_none()
    }

    /// Stores the result of a status update: counts it if earlier deployments are still active, and stores its error if it
    /// failed.
    fn store_update_result(&self, result: Result<bool, ForgeError>) {
        match result {
            Ok(true) => {}
            Ok(false) => {
                self.skipped.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => self.set_first_failure(error),
        }
    }

    fn set_first_failure(&self, error: ForgeError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }
}

/// The prefix of a status description that ends with the version. The payload of a deployment cannot contain the version, because
/// GitHub stores the payload before the integration is published and cannot change it later.
const VERSION_PREFIX: &str = "Published, version ";

fn success_description(version: Option<&serde_json::Number>) -> String {
    version.map_or_else(|| "Published".to_owned(), |version| format!("{VERSION_PREFIX}{version}"))
}

impl RecordedVersion {
    fn parse(success: &SuccessfulDeployment) -> Option<Self> {
        let hash = success.payload.get("hash")?.as_str()?.to_owned();
        let version = success.description.strip_prefix(VERSION_PREFIX)?.to_owned();
        // Anyone with write access can create deployments with any payload. The size is only informative, so an invalid size
        // becomes `None`.
        let script_bytes = success.payload.get("script_bytes").and_then(Value::as_u64);
        let script_bytes = script_bytes.and_then(|bytes| u32::try_from(bytes).ok());
        Some(Self { hash, version, script_bytes })
    }
}

/// Returns a hash of an endpoint and the hash of the content that is published to it.
pub(super) fn hash_with_endpoint(endpoint: &Url, content: &str) -> String {
    preview::hex(
        &Sha256::new().chain_update(endpoint.as_str()).chain_update([0]).chain_update(content).finalize(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::RecordedVersion;
    use crate::forge::SuccessfulDeployment;

    fn recorded(payload: Value) -> Option<RecordedVersion> {
        RecordedVersion::parse(&SuccessfulDeployment {
            payload,
            description: "Published, version 3".to_owned(),
        })
    }

    #[test]
    fn parses_a_recorded_version() {
        let (hash, version) = ("00ff".to_owned(), "3".to_owned());
        let expected = RecordedVersion { hash, version, script_bytes: Some(73_152) };
        assert_eq!(recorded(json!({"hash": "00ff", "script_bytes": 73_152})), Some(expected));
    }

    #[test]
    fn ignores_an_invalid_script_size() {
        let sizes = [
            Value::Null,
            json!("73152"),
            json!(-1),
            json!(1.5),
            json!(4_294_967_296_u64),
            json!(1e300),
            json!(true),
            json!([73_152]),
            json!({"bytes": 73_152}),
        ];
        let payloads = sizes.into_iter().map(|size| json!({"hash": "00ff", "script_bytes": size}));
        for payload in payloads.chain([json!({"hash": "00ff"})]) {
            let found = recorded(payload.clone()).unwrap_or_else(|| panic!("{payload}"));
            assert_eq!((&*found.hash, found.script_bytes), ("00ff", None), "{payload}");
        }
        for payload in [Value::Null, json!("script_bytes"), json!([1]), json!({"script_bytes": 1})] {
            assert_eq!(recorded(payload.clone()), None, "{payload}");
        }
    }
}
