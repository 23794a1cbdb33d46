//! GitHub's record of deployments: one for each publishing, with a status that follows it.

use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::answer::{Deployment, DeploymentStatus};
use super::budget::Cost;
use super::github::GitHub;
use super::{ForgeError, Permission};

/// What is about to be deployed.
#[derive(Debug)]
pub(crate) struct Intent<'a> {
    /// Where to.
    pub environment: &'a str,
    /// Whether the environment goes when its branch does.
    pub transient: bool,
    /// What is deployed.
    pub commit: &'a str,
    /// What is said of it in one line.
    pub description: &'a str,
    /// What programs may read of it.
    pub payload: Value,
}

/// What has become of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has begun.
    InProgress,
    /// It is there.
    Success,
    /// It failed.
    Failure,
    /// It is there no more.
    Inactive,
}

/// A status of a deployment.
#[derive(Debug)]
pub(crate) struct Status {
    /// What has become of it.
    pub state: State,
    /// Where it can be seen.
    pub url: Option<String>,
    /// Where the run's log is.
    pub log_url: Option<String>,
    /// What is said of it in one line.
    pub description: String,
}

/// What is on record of a deployment that succeeded.
#[derive(Debug)]
pub(crate) struct Success {
    /// What programs may read of it.
    pub payload: Value,
    /// What its last status says in one line.
    pub description: String,
}

/// A run that was still publishing when a newer one's deployment was deactivated says of its own that it was a success.
/// No more runs than this publish one preview at the same time.
const MOST_AT_ONCE: usize = 4;

/// How many states are asked for at once.
const AT_ONCE: usize = 4;

/// A page of deployments, the states of some at once, and a new state.
const LIST: Cost = Cost { requests: 1, writes: 0 };
const READ: Cost = Cost { requests: AT_ONCE as u64, writes: 0 };
const WRITE: Cost = Cost { requests: 1, writes: 1 };

/// GitHub takes no more characters for a description.
const LONGEST_DESCRIPTION: usize = 140;

impl State {
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
    /// Records that something is about to be deployed, and gives the record's number.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
    pub(crate) async fn create_deployment(&self, intent: &Intent<'_>) -> Result<u64, ForgeError> {
        let body = json!({
            "ref": intent.commit,
            "environment": intent.environment,
            "transient_environment": intent.transient,
            "production_environment": !intent.transient,
            "description": cut(intent.description),
            "payload": intent.payload,
            // Otherwise GitHub would merge the default branch, and wait for checks of which this may be one.
            "auto_merge": false,
            "required_contexts": [],
        });
        let answer = self.client.make(&["deployments"], &body, Permission::WriteDeployments).await?;
        Ok(self.client.parse::<Deployment>(&answer)?.id)
    }

    /// Records what has become of a deployment.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
    pub(crate) async fn set_status(&self, deployment: u64, status: &Status) -> Result<(), ForgeError> {
        let mut body = json!({"state": status.state.name(), "description": cut(&status.description)});
        for (key, url) in [("environment_url", &status.url), ("log_url", &status.log_url)] {
            // GitHub takes no other links.
            if let Some(url) =
                url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
            {
                body[key] = url.into();
            }
        }
        let path = ["deployments", &deployment.to_string(), "statuses"];
        // Twice the same status does no harm.
        self.client.change(Method::POST, &path, Some(&body), Permission::WriteDeployments).await?;
        Ok(())
    }

    /// Records that nothing of an environment is there any more. Returns `false` if a rate limit is too near.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
    pub(crate) async fn deactivate(&self, environment: &str, inactive: &Status) -> Result<bool, ForgeError> {
        let Some(all) = self.deployments(environment).await? else { return Ok(false) };
        self.deactivate_all(&all, MOST_AT_ONCE, inactive).await
    }

    /// Records that a deployment has taken the place of those before it in its environment. Returns `false` if a rate limit
    /// is too near.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
    pub(crate) async fn deactivate_before(
        &self,
        deployment: u64,
        environment: &str,
        inactive: &Status,
    ) -> Result<bool, ForgeError> {
        let Some(mut all) = self.deployments(environment).await? else { return Ok(false) };
        all.retain(|id| *id < deployment);
        self.deactivate_all(&all, 1, inactive).await
    }

    /// The newest deployment to an environment, if it succeeded. After any other, nobody knows what is there.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
    pub(crate) async fn newest_success(&self, environment: &str) -> Result<Option<Success>, ForgeError> {
        let query = [("environment", environment), ("per_page", "1")];
        let answer = self.client.get(&["deployments"], &query, Permission::WriteDeployments).await?;
        let newest = self.client.parse::<Vec<Deployment>>(&answer)?.into_iter().next();
        let Some(Deployment { id, payload }) = newest else { return Ok(None) };
        let status = self.status(id).await?.filter(|status| status.state == State::Success.name());
        Ok(status.map(|status| Success { payload, description: status.description }))
    }

    /// The numbers of an environment's deployments, newest first; `None` if a rate limit is too near.
    async fn deployments(&self, environment: &str) -> Result<Option<Vec<u64>>, ForgeError> {
        let Some(_reservation) = self.reserve(LIST) else { return Ok(None) };
        let query = [("environment", environment)];
        let id = |deployment: Deployment| Some(deployment.id);
        self.client.list(&["deployments"], &query, Permission::WriteDeployments, id).await.map(Some)
    }

    /// Goes from the newest to the oldest, until as many in a row as `enough` were inactive before: they are deactivated
    /// oldest first, so that what came before these is inactive, too. Returns `false` if a rate limit is too near.
    async fn deactivate_all(
        &self,
        all: &[u64],
        enough: usize,
        inactive: &Status,
    ) -> Result<bool, ForgeError> {
        let (mut active, mut seen_inactive) = (Vec::new(), 0);
        for some in all.chunks(AT_ONCE) {
            let Some(_reservation) = self.reserve(READ) else { return Ok(false) };
            let newest = try_join_all(some.iter().map(|id| self.status(*id))).await?;
            for (id, status) in some.iter().zip(&newest) {
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

    /// The newest status of a deployment.
    async fn status(&self, deployment: u64) -> Result<Option<DeploymentStatus>, ForgeError> {
        let path = ["deployments", &deployment.to_string(), "statuses"];
        let answer = self.client.get(&path, &[("per_page", "1")], Permission::WriteDeployments).await?;
        Ok(self.client.parse::<Vec<DeploymentStatus>>(&answer)?.into_iter().next())
    }
}

fn cut(description: &str) -> String {
    description.chars().take(LONGEST_DESCRIPTION).collect()
}
