//! Deployments as the forge records them: one for each publishing, ended whatever came of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::outcome::DeployError;
use crate::cancel::Cancel;
use crate::forge::{Forge, ForgeError, Intent, State, Status};
use crate::gitbook::Published;
use crate::preview;

/// How long a cancelled run may take to say so. GitHub's runner kills it 10 s after its first signal, of which requests
/// in flight may have taken 5.
const AFTER_A_SIGNAL: Duration = Duration::from_secs(2);

/// GitHub takes no longer names.
const LONGEST_ENVIRONMENT: usize = 255;

/// Where deployments are recorded.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    forge: &'a Forge,
    cancel: &'a Cancel,
    commit: Option<&'a str>,
    log_url: Option<&'a str>,
    /// Why something could not be recorded. After the first failure nothing more is.
    failure: Mutex<Option<ForgeError>>,
}

/// What is about to be published.
#[derive(Debug)]
pub(super) struct Publishing<'a> {
    pub(super) integration: &'a str,
    pub(super) name: &'a str,
    pub(super) hash: &'a str,
    /// The branch, of a preview.
    pub(super) branch: Option<&'a str>,
}

impl<'a> Records<'a> {
    /// Records deployments of a commit. Without one only ends can be recorded.
    pub(crate) fn new(
        forge: &'a Forge,
        cancel: &'a Cancel,
        commit: Option<&'a str>,
        log_url: Option<&'a str>,
    ) -> Self {
        Self { forge, cancel, commit, log_url, failure: Mutex::new(None) }
    }

    /// Why something could not be recorded.
    pub(crate) fn into_failure(self) -> Option<ForgeError> {
        self.failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes, with a deployment on record that is in progress meanwhile and then tells what came of it.
    pub(super) async fn of(
        &self,
        publishing: &Publishing<'_>,
        request: impl Future<Output = Result<Published, DeployError>>,
    ) -> Result<Published, DeployError> {
        let Some(deployment) = self.begin(publishing).await else { return request.await };
        let (result, ()) =
            futures::join!(request, self.tell(self.forge, deployment, State::InProgress, None));
        let (state, url) = match &result {
            Ok(published) => (State::Success, published.urls.app.as_deref()),
            Err(_) => (State::Failure, None),
        };
        match self.cancel.signal() {
            None => self.tell(self.forge, deployment, state, url).await,
            Some(_) => self.tell(&self.forge.hurried(AFTER_A_SIGNAL), deployment, state, url).await,
        }
        result
    }

    /// Records that a preview is there no more.
    pub(super) async fn gone(&self, integration: &str, branch: &str) {
        if self.may_go_on() {
            let environment = environment(integration, Some(branch));
            let work = self.forge.deactivate(&environment, self.log_url);
            if let Some(Err(error)) = self.cancel.or_after_grace(work).await {
                self.failed(error);
            }
        }
    }

    async fn begin(&self, publishing: &Publishing<'_>) -> Option<u64> {
        let commit = self.commit.filter(|_| self.may_go_on())?;
        let Publishing { integration, name, hash, branch } = *publishing;
        let intent = Intent {
            environment: &environment(integration, branch),
            transient: branch.is_some(),
            commit,
            description: &format!("`{name}`, by gitbook-deploy"),
            payload: json!({"integration": integration, "name": name, "branch": branch, "hash": hash}),
        };
        match self.cancel.or_after_grace(self.forge.create_deployment(&intent)).await? {
            Ok(deployment) => Some(deployment),
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }

    async fn tell(&self, forge: &Forge, deployment: u64, state: State, url: Option<&str>) {
        let description = match (state, self.cancel.signal()) {
            (State::InProgress, _) => "Publishing",
            (State::Success | State::Inactive, _) => "Published",
            (State::Failure, None) => "Failed; the log says why",
            (State::Failure, Some(_)) => "Cancelled",
        };
        let status = Status { state, url, log_url: self.log_url, description };
        if let Err(error) = forge.set_status(deployment, &status).await {
            self.failed(error);
        }
    }

    fn may_go_on(&self) -> bool {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.is_none() && self.cancel.signal().is_none()
    }

    fn failed(&self, error: ForgeError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }
}

/// The environment of an integration, or of its preview of a branch.
fn environment(integration: &str, branch: Option<&str>) -> String {
    let name = match branch {
        None => format!("gitbook: {integration}"),
        Some(branch) => format!("gitbook preview: {integration}/{branch}"),
    };
    if name.chars().count() <= LONGEST_ENVIRONMENT {
        return name;
    }
    let hash = preview::hex(&Sha256::digest(&name)[..4]);
    let kept: String = name.chars().take(LONGEST_ENVIRONMENT - hash.len() - 1).collect();
    format!("{kept}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::environment;

    #[test]
    fn each_integration_and_each_preview_has_an_environment() {
        assert_eq!(environment("hello", None), "gitbook: hello");
        assert_eq!(environment("hello", Some("feature/x")), "gitbook preview: hello/feature/x");
    }

    #[test]
    fn a_long_name_is_cut_and_stays_one_of_its_own() {
        let [one, other] =
            ["a", "b"].map(|end| environment("hello", Some(&format!("{}{end}", "é".repeat(250)))));
        assert_eq!(one.chars().count(), 255);
        assert_ne!(one, other);
    }
}
