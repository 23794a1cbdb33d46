//! GitHub's deployments: one per publication, with its statuses.

use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::budget::Cost;
use super::github::GitHub;
use super::models::{DeploymentResponse, DeploymentStatus};
use super::{ForgeError, Permission};

/// A deployment that begins.
#[derive(Debug)]
pub(crate) struct NewDeployment<'a> {
    /// The name of the environment.
    pub environment: &'a str,
    /// True for environments that are deleted with their branch.
    pub transient: bool,
    /// The commit.
    pub commit: &'a str,
    /// A description in one line.
    pub description: &'a str,
    /// Data for programs.
    pub payload: Value,
}

/// The state of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeploymentState {
    /// The deployment has begun.
    InProgress,
    /// The deployment succeeded.
    Success,
    /// The deployment failed.
    Failure,
    /// The deployment was deleted or replaced.
    Inactive,
}

/// A new status of a deployment.
#[derive(Debug)]
pub(crate) struct NewStatus {
    /// The state.
    pub state: DeploymentState,
    /// The URL of the deployed integration.
    pub url: Option<String>,
    /// The URL of the run's log.
    pub log_url: Option<String>,
    /// A description in one line.
    pub description: String,
}

/// A deployment that succeeded, as GitHub has recorded it.
#[derive(Debug)]
pub(crate) struct SuccessfulDeployment {
    /// Data for programs.
    pub payload: Value,
    /// The description of the last status.
    pub description: String,
}

/// The number of consecutive inactive deployments after which all older ones count as inactive. A run that is still publishing
/// reports success even after a newer deployment was deactivated; at most this many runs publish one preview at the same time.
const MAX_CONCURRENT_RUNS: usize = 4;

/// The number of concurrent requests for statuses.
const CONCURRENCY: usize = 4;

/// The cost of a page of deployments, of statuses that are read concurrently, and of a new status.
const LIST: Cost = Cost { requests: 1, writes: 0 };
const READ: Cost = Cost { requests: CONCURRENCY as u64, writes: 0 };
const WRITE: Cost = Cost { requests: 1, writes: 1 };

/// The maximum number of characters of a description.
const MAX_DESCRIPTION: usize = 140;

impl DeploymentState {
    fn name(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Inactive => "inactive",
        }
    }
}

impl GitHub {
    /// Records the begin of a deployment and returns its id.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn create_deployment(&self, deployment: &NewDeployment<'_>) -> Result<u64, ForgeError> {
        let body = json!({
            "ref": deployment.commit,
            "environment": deployment.environment,
            "transient_environment": deployment.transient,
            "production_environment": !deployment.transient,
            "description": truncate(deployment.description),
            "payload": deployment.payload,
            // By default GitHub merges the default branch and waits for checks, including the current job.
            "auto_merge": false,
            "required_contexts": [],
        });
        let response = self.client.create(&["deployments"], &body, Permission::WriteDeployments).await?;
        Ok(response.json::<DeploymentResponse>()?.id)
    }

    /// Adds a status to a deployment.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn set_status(&self, deployment: u64, status: &NewStatus) -> Result<(), ForgeError> {
        let mut body = json!({"state": status.state.name(), "description": truncate(&status.description)});
        for (key, url) in [("environment_url", &status.url), ("log_url", &status.log_url)] {
            // GitHub accepts only these schemes.
            if let Some(url) =
                url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
            {
                body[key] = url.into();
            }
        }
        let path = ["deployments", &deployment.to_string(), "statuses"];
        // A retry may add the same status twice, which is harmless.
        self.client.change(Method::POST, &path, Some(&body), Permission::WriteDeployments).await?;
        Ok(())
    }

    /// Deactivates all deployments of an environment. Returns `false` if it stopped near a rate limit.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn deactivate(
        &self,
        environment: &str,
        inactive: &NewStatus,
    ) -> Result<bool, ForgeError> {
        let Some(all) = self.deployments(environment).await? else { return Ok(false) };
        self.deactivate_all(&all, MAX_CONCURRENT_RUNS, inactive).await
    }

    /// Deactivates the earlier deployments of an environment. Returns `false` if it stopped near a rate limit.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn deactivate_before(
        &self,
        deployment: u64,
        environment: &str,
        inactive: &NewStatus,
    ) -> Result<bool, ForgeError> {
        let Some(mut all) = self.deployments(environment).await? else { return Ok(false) };
        all.retain(|id| *id < deployment);
        self.deactivate_all(&all, 1, inactive).await
    }

    /// Returns the newest deployment of an environment if it succeeded. After a failed one, the published version is unknown.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn newest_success(
        &self,
        environment: &str,
    ) -> Result<Option<SuccessfulDeployment>, ForgeError> {
        let query = [("environment", environment), ("per_page", "1")];
        let response = self.client.get(&["deployments"], &query, Permission::WriteDeployments).await?;
        let newest = response.json::<Vec<DeploymentResponse>>()?.into_iter().next();
        let Some(DeploymentResponse { id, payload }) = newest else { return Ok(None) };
        let status = self.status(id).await?.filter(|status| status.state == DeploymentState::Success.name());
        Ok(status.map(|status| SuccessfulDeployment { payload, description: status.description }))
    }

    /// Lists the ids of an environment's deployments, newest first. Returns `None` near a rate limit.
    async fn deployments(&self, environment: &str) -> Result<Option<Vec<u64>>, ForgeError> {
        let Some(_reservation) = self.reserve(LIST) else { return Ok(None) };
        let query = [("environment", environment)];
        let id = |deployment: DeploymentResponse| Some(deployment.id);
        self.client.list(&["deployments"], &query, Permission::WriteDeployments, id).await.map(Some)
    }

    /// Deactivates deployments. Reads their statuses from the newest to the oldest until `enough` of them are inactive. Writes from
    /// the oldest to the newest, so that an interruption never leaves an active deployment behind inactive ones. Returns `false`
    /// if it stopped near a rate limit.
    async fn deactivate_all(
        &self,
        all: &[u64],
        enough: usize,
        inactive: &NewStatus,
    ) -> Result<bool, ForgeError> {
        let (mut active, mut seen_inactive) = (Vec::new(), 0);
        for ids in all.chunks(CONCURRENCY) {
            let Some(_reservation) = self.reserve(READ) else { return Ok(false) };
            let statuses = try_join_all(ids.iter().map(|id| self.status(*id))).await?;
            for (id, status) in ids.iter().zip(&statuses) {
                match status.as_ref().map(|status| &*status.state) {
                    Some("inactive") => seen_inactive += 1,
                    Some("failure" | "error") => {}
                    _ => active.push(*id),
                }
            }
            if seen_inactive >= enough {
                break;
            }
        }
        for id in active.iter().rev() {
            let Some(_reservation) = self.reserve(WRITE) else { return Ok(false) };
            self.set_status(*id, inactive).await?;
        }
        Ok(true)
    }

    /// Returns the newest status of a deployment.
    async fn status(&self, deployment: u64) -> Result<Option<DeploymentStatus>, ForgeError> {
        let path = ["deployments", &deployment.to_string(), "statuses"];
        let response = self.client.get(&path, &[("per_page", "1")], Permission::WriteDeployments).await?;
        Ok(response.json::<Vec<DeploymentStatus>>()?.into_iter().next())
    }
}

fn truncate(description: &str) -> String {
    description.chars().take(MAX_DESCRIPTION).collect()
}
