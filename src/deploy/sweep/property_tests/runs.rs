//! Simulates the runs that CI events start: they publish and delete previews with the program's code.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::model::{
    ExpectedAction, MarkerOwner, ModelIntegration, OUR_REPOSITORY, OUR_REPOSITORY_ID, Preview,
};
use super::scenario::SweepStep;
use super::test_environment::ScenarioRun;
use crate::deploy::{NamedPreview, Precondition, PreviewContext};
use crate::diagnostic::SourceLocation;
use crate::plan::PreviewRef;
use crate::repository::Branch;

impl ScenarioRun<'_> {
    /// Publishes the previews after a push or after pull requests were opened or updated, if the event was not lost.
    pub(super) async fn handle_opened(
        &mut self,
        step: &SweepStep,
        numbers: &[u64],
    ) -> Result<(), TestCaseError> {
        if !step.handled {
            return Ok(());
        }
        if !self.template.needs_pull_request() {
            let number = numbers.first().copied();
            return self.publish(OUR_REPOSITORY, step.integration, &step.head, number).await;
        }
        for number in numbers {
            let head = self.pull_request(*number).head.clone();
            self.publish(OUR_REPOSITORY, step.integration, &head, Some(*number)).await?;
        }
        Ok(())
    }

    /// Deletes the previews after a branch was deleted or pull requests were closed, if the event was not lost.
    pub(super) async fn handle_closed(
        &mut self,
        step: &SweepStep,
        numbers: &[u64],
    ) -> Result<(), TestCaseError> {
        if !step.handled {
            return Ok(());
        }
        if !self.template.needs_pull_request() {
            return self.delete(step, numbers.first().copied()).await;
        }
        for number in numbers {
            self.delete(step, Some(*number)).await?;
        }
        Ok(())
    }

    pub(super) async fn publish(
        &mut self,
        repository: &str,
        integration: &str,
        head: &str,
        pull_request: Option<u64>,
    ) -> Result<(), TestCaseError> {
        self.run += 1;
        let target = PreviewRef { branch: Branch::new(head), pull_request };
        let previews = self.previews(&target, repository);
        let integration_to_publish = &self.environment.integrations[integration];
        let deployer = self.environment.deployer(false);
        let outcome = deployer.preview(integration_to_publish, &previews, &Precondition::none()).await;
        let [repository, integration, head] = [repository, integration, head].map(str::to_owned);
        let owner_in_marker = Some(MarkerOwner { repository, integration, head: head.clone() });
        let name = outcome.name.clone();
        if self.model.integrations.get(&name).is_some_and(|integration| {
            integration.owner_in_marker != owner_in_marker || integration.is_public
        }) {
            prop_assert_eq!(outcome.status_name(), "failed", "{:?}", outcome.result);
            return Ok(());
        }
        prop_assert!(matches!(outcome.status_name(), "published" | "unchanged"), "{:?}", outcome);
        self.counts.published += 1;
        let is_ours = owner_in_marker
            .as_ref()
            .is_some_and(|owner_in_marker| owner_in_marker.repository == OUR_REPOSITORY);
        let number = pull_request.filter(|_| self.template.needs_pull_request());
        let expected_action = if is_ours {
            ExpectedAction::DeleteIfClosed(Preview { head, number })
        } else {
            ExpectedAction::Ignore
        };
        self.model.add(ModelIntegration { name, owner_in_marker, expected_action, is_public: false });
        Ok(())
    }

    async fn delete(&mut self, step: &SweepStep, pull_request: Option<u64>) -> Result<(), TestCaseError> {
        self.run += 1;
        let target = PreviewRef { branch: Branch::new(&step.head), pull_request };
        let previews = self.previews(&target, OUR_REPOSITORY);
        let integration = step.integration.to_owned();
        let name = previews.name(&integration);
        let owner_in_marker = MarkerOwner {
            repository: OUR_REPOSITORY.to_owned(),
            integration: integration.clone(),
            head: step.head.clone(),
        };
        let preview = NamedPreview {
            integration,
            location: SourceLocation::file("gitbook-manifest.yaml"),
            name: name.clone(),
        };
        let deployer = self.environment.deployer(false);
        let outcome = deployer.delete(&preview, &previews, &Precondition::none()).await;
        let is_protected = |integration: &ModelIntegration| {
            integration.owner_in_marker.as_ref() != Some(&owner_in_marker) || integration.is_public
        };
        if self.model.integrations.get(&name).is_some_and(is_protected) {
            prop_assert_eq!(outcome.status_name(), "failed", "{:?}", outcome.result);
        } else {
            prop_assert_eq!(outcome.status_name(), "deleted", "{:?}", outcome.result);
            self.model.integrations.remove(&name);
        }
        Ok(())
    }

    fn previews<'a>(&'a self, target: &'a PreviewRef, repository: &'a str) -> PreviewContext<'a> {
        let (template, run) = (&self.template, self.run);
        let repository_id =
            Some(if repository == OUR_REPOSITORY { OUR_REPOSITORY_ID } else { OUR_REPOSITORY_ID + 2 });
        let (commit, counter, visibility) = (Some("c0ffee"), "", "private");
        PreviewContext { target, repository, repository_id, commit, run, counter, template, visibility }
    }
}
