//! The runs that come of events: they publish previews and delete them, as the program does.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::model::{Holder, Maker, OUR_ID, OURS, Preview, Rule};
use super::scenario::Step;
use super::test_environment::Telling;
use crate::deploy::{NamedPreview, Previews, StalenessCheck};
use crate::diagnostic::SourceLocation;
use crate::plan::Target;
use crate::preview::Branch;

impl Telling<'_> {
    /// The runs that come of a push, or of pull requests that were opened or moved.
    pub(super) async fn opened(&mut self, step: &Step, numbers: &[u64]) -> Result<(), TestCaseError> {
        if !step.handled {
            return Ok(());
        }
        if !self.template.needs_pull_request() {
            let number = numbers.first().copied();
            return self.publish(OURS, step.integration, &step.head, number).await;
        }
        for number in numbers {
            let head = self.pull(*number).head.clone();
            self.publish(OURS, step.integration, &head, Some(*number)).await?;
        }
        Ok(())
    }

    /// The runs that come of a branch that was deleted, or of pull requests that were closed.
    pub(super) async fn closed(&mut self, step: &Step, numbers: &[u64]) -> Result<(), TestCaseError> {
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
        let target = Target { branch: Branch::new(head), pull_request };
        let previews = self.previews(&target, repository);
        let sources = &self.world.integrations[integration];
        let deployment = self.world.deployment(false);
        let outcome = deployment.preview(sources, &previews, &StalenessCheck::none()).await;
        let [repository, integration, head] = [repository, integration, head].map(str::to_owned);
        let maker = Some(Maker { repository, integration, head: head.clone() });
        let name = outcome.name.clone();
        if self.model.holders.get(&name).is_some_and(|holder| holder.maker != maker || holder.is_public) {
            prop_assert_eq!(outcome.status_name(), "failed", "{:?}", outcome.result);
            return Ok(());
        }
        prop_assert!(matches!(outcome.status_name(), "published" | "unchanged"), "{:?}", outcome);
        self.figures.published += 1;
        let is_ours = maker.as_ref().is_some_and(|maker| maker.repository == OURS);
        let number = pull_request.filter(|_| self.template.needs_pull_request());
        let rule = if is_ours { Rule::Follows(Preview { head, number }) } else { Rule::Ignored };
        self.model.put(Holder { name, maker, rule, is_public: false });
        Ok(())
    }

    async fn delete(&mut self, step: &Step, pull_request: Option<u64>) -> Result<(), TestCaseError> {
        self.run += 1;
        let target = Target { branch: Branch::new(&step.head), pull_request };
        let previews = self.previews(&target, OURS);
        let integration = step.integration.to_owned();
        let name = previews.name(&integration);
        let maker =
            Maker { repository: OURS.to_owned(), integration: integration.clone(), head: step.head.clone() };
        let preview = NamedPreview {
            integration,
            place: SourceLocation::file("gitbook-manifest.yaml"),
            name: name.clone(),
        };
        let deployment = self.world.deployment(false);
        let outcome = deployment.delete(&preview, &previews, &StalenessCheck::none()).await;
        let is_protected = |holder: &Holder| holder.maker.as_ref() != Some(&maker) || holder.is_public;
        if self.model.holders.get(&name).is_some_and(is_protected) {
            prop_assert_eq!(outcome.status_name(), "failed", "{:?}", outcome.result);
        } else {
            prop_assert_eq!(outcome.status_name(), "deleted", "{:?}", outcome.result);
            self.model.holders.remove(&name);
        }
        Ok(())
    }

    fn previews<'a>(&'a self, target: &'a Target, repository: &'a str) -> Previews<'a> {
        let (template, run) = (&self.template, self.run);
        let repository_id = Some(if repository == OURS { OUR_ID } else { OUR_ID + 2 });
        let (commit, counter, visibility) = (Some("c0ffee"), "", "private");
        Previews { target, repository, repository_id, commit, run, counter, template, visibility }
    }
}
