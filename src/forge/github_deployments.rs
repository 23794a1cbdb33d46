//! Creates and updates GitHub deployments and their statuses.

use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::github::GitHub;
use super::models::{DeploymentResponse, DeploymentStatus};
use super::rate_limit_budget::RequestCost;
use super::{ForgeError, Permission};

/// A deployment to create.
#[derive(Debug)]
pub(crate) struct NewDeployment<'a> {
    pub environment: &'a str,
    /// True for a preview: its environment exists only until the branch is deleted or the pull request is closed.
    pub transient: bool,
    pub commit: &'a str,
    /// A description in one line.
    pub description: &'a str,
    /// The data that later runs of gitbook-deploy read.
    pub payload: Value,
}

/// The state of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeploymentState {
    /// The request to GitBook is in progress.
    InProgress,
    /// The deployment succeeded.
    Success,
    /// The deployment failed.
    Failure,
    /// The preview was deleted, or a newer deployment has replaced this deployment.
    Inactive,
}

/// A status to add to a deployment.
#[derive(Debug)]
pub(crate) struct NewStatus {
    pub state: DeploymentState,
    /// The URL of the deployed integration.
    pub url: Option<String>,
    /// The URL of the run's log.
    pub log_url: Option<String>,
    /// A description in one line.
    pub description: String,
}

/// A successful deployment that GitHub has recorded.
#[derive(Debug)]
pub(crate) struct SuccessfulDeployment {
    /// The data that an earlier run has stored.
    pub payload: Value,
    /// The description of the newest status.
    pub description: String,
}

/// The number of inactive deployments after which the program assumes that all older deployments are inactive, too. One is not
/// enough: if several runs publish the same preview at the same time, the run with the oldest deployment may report its success
/// last, when the newer deployments are already inactive. Four assumes that at most four runs publish the same preview at the
/// same time.
const STOP_AFTER_INACTIVE: usize = 4;

/// The maximum number of statuses that the client requests at the same time.
const CONCURRENT_STATUS_REQUESTS: usize = 4;

const LIST_DEPLOYMENTS_COST: RequestCost = RequestCost { requests: 1, writes: 0 };

/// The cost of reading several statuses at the same time.
const READ_STATUSES_COST: RequestCost =
    RequestCost { requests: CONCURRENT_STATUS_REQUESTS as u64, writes: 0 };

const ADD_STATUS_COST: RequestCost = RequestCost { requests: 1, writes: 1 };

/// GitHub's limit for descriptions, in characters.
const MAX_DESCRIPTION_LENGTH: usize = 140;

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
    /// Creates a deployment and returns its ID.
    ///
    /// # Errors
    /// Returns an error if the request to GitHub fails.
    pub(crate) async fn create_deployment(&self, deployment: &NewDeployment<'_>) -> Result<u64, ForgeError> {
        let body = json!({
            "ref": deployment.commit,
            "environment": deployment.environment,
            "transient_environment": deployment.transient,
            "production_environment": !deployment.transient,
            "description": truncate_description(deployment.description),
            "payload": deployment.payload,
            // By default, GitHub merges the default branch into the commit and waits for all checks, including the current job.
            "auto_merge": false,
            "required_contexts": [],
        });
        let response = self.client.create(&["deployments"], &body, Permission::WriteDeployments).await?;
        Ok(response.json::<DeploymentResponse>()?.id)
    }

    /// Adds a status to a deployment.
    ///
    /// # Errors
    /// Returns an error if the request to GitHub fails.
    pub(crate) async fn add_deployment_status(
        &self,
        deployment: u64,
        status: &NewStatus,
    ) -> Result<(), ForgeError> {
        let mut body =
            json!({"state": status.state.name(), "description": truncate_description(&status.description)});
        for (key, url) in [("environment_url", &status.url), ("log_url", &status.log_url)] {
            // GitHub rejects URLs with any scheme except `http` and `https`.
            if let Some(url) =
                url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
            {
                body[key] = url.into();
            }
        }
        let path = ["deployments", &deployment.to_string(), "statuses"];
        // A retry may add the same status twice, which is harmless.
        self.client.send_idempotent(Method::POST, &path, Some(&body), Permission::WriteDeployments).await?;
        Ok(())
    }

    /// Deactivates all deployments of an environment. Returns false if it stopped early because a rate limit is nearly reached.
    ///
    /// # Errors
    /// Returns an error if a request to GitHub fails.
    pub(crate) async fn deactivate_deployments(
        &self,
        environment: &str,
        inactive_status: &NewStatus,
    ) -> Result<bool, ForgeError> {
        let Some(ids) = self.deployment_ids(environment).await? else { return Ok(false) };
        self.deactivate_active(&ids, STOP_AFTER_INACTIVE, inactive_status).await
    }

    /// Deactivates the deployments of an environment that are older than `deployment`. Returns false if it stopped early because a rate
    /// limit is nearly reached.
    ///
    /// # Errors
    /// Returns an error if a request to GitHub fails.
    pub(crate) async fn deactivate_older_deployments(
        &self,
        deployment: u64,
        environment: &str,
        inactive_status: &NewStatus,
    ) -> Result<bool, ForgeError> {
        let Some(mut ids) = self.deployment_ids(environment).await? else { return Ok(false) };
        ids.retain(|id| *id < deployment);
        self.deactivate_active(&ids, 1, inactive_status).await
    }

    /// Returns the newest deployment of an environment. Returns `None` if this deployment did not succeed, because the published version
    /// is then unknown.
    ///
    /// # Errors
    /// Returns an error if a request to GitHub fails.
    pub(crate) async fn newest_if_successful(
        &self,
        environment: &str,
    ) -> Result<Option<SuccessfulDeployment>, ForgeError> {
        let query = [("environment", environment), ("per_page", "1")];
        let response = self.client.get(&["deployments"], &query, Permission::WriteDeployments).await?;
        let newest = response.json::<Vec<DeploymentResponse>>()?.into_iter().next();
        let Some(DeploymentResponse { id, payload }) = newest else { return Ok(None) };
        let status =
            self.newest_status(id).await?.filter(|status| status.state == DeploymentState::Success.name());
        Ok(status.map(|status| SuccessfulDeployment { payload, description: status.description }))
    }

    /// Lists the IDs of an environment's deployments, newest first. Returns `None` if a rate limit is nearly reached.
    async fn deployment_ids(&self, environment: &str) -> Result<Option<Vec<u64>>, ForgeError> {
        let Some(_reservation) = self.reserve(LIST_DEPLOYMENTS_COST) else { return Ok(None) };
        let query = [("environment", environment)];
        let id = |deployment: DeploymentResponse| Some(deployment.id);
        self.client.list(&["deployments"], &query, Permission::WriteDeployments, id).await.map(Some)
    }

    /// Deactivates the active deployments among `ids`, which are sorted from the newest to the oldest. Reads their statuses in
    /// this order and stops when it has found `stop_after_inactive` inactive deployments. Then deactivates the active ones from
    /// the oldest to the newest. This order matters after an interruption: the next run finds all remaining active deployments
    /// before it stops. Returns false if it stopped early because a rate limit is nearly reached.
    async fn deactivate_active(
        &self,
        ids: &[u64],
        stop_after_inactive: usize,
        inactive_status: &NewStatus,
    ) -> Result<bool, ForgeError> {
        let (mut active, mut inactive_count) = (Vec::new(), 0);
        for batch in ids.chunks(CONCURRENT_STATUS_REQUESTS) {
            let Some(_reservation) = self.reserve(READ_STATUSES_COST) else { return Ok(false) };
            let statuses = try_join_all(batch.iter().map(|id| self.newest_status(*id))).await?;
            for (id, status) in batch.iter().zip(&statuses) {
                match status.as_ref().map(|status| &*status.state) {
                    Some("inactive") => inactive_count += 1,
                    Some("failure" | "error") => {}
                    _ => active.push(*id),
                }
            }
            if inactive_count >= stop_after_inactive {
                break;
            }
        }
        for id in active.iter().rev() {
            let Some(_reservation) = self.reserve(ADD_STATUS_COST) else { return Ok(false) };
            self.add_deployment_status(*id, inactive_status).await?;
        }
        Ok(true)
    }

    /// Returns the newest status of a deployment, or `None` if the deployment has no status.
    async fn newest_status(&self, deployment: u64) -> Result<Option<DeploymentStatus>, ForgeError> {
        let path = ["deployments", &deployment.to_string(), "statuses"];
        let response = self.client.get(&path, &[("per_page", "1")], Permission::WriteDeployments).await?;
        Ok(response.json::<Vec<DeploymentStatus>>()?.into_iter().next())
    }
}

fn truncate_description(description: &str) -> String {
    description.chars().take(MAX_DESCRIPTION_LENGTH).collect()
}
