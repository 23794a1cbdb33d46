//! Runs scenarios against a fake GitHub and the sandbox, with the program's own clients.

use std::collections::BTreeMap;
use std::sync::Once;
use std::time::Duration;

use fake_github::{FakeGitHub, Head};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Counts;
use super::model::{
    ExpectedAction, ExpectedOutcome, Model, ModelIntegration, OUR_REPOSITORY, OUR_REPOSITORY_ID,
    PRODUCTION_NAMES, Preview, PullRequestState,
};
use super::scenario::{INTEGRATIONS, SweepAction, SweepScenario, SweepStep, head_in_history};
use super::third_party::{ThirdPartyKind, third_party_integration};
use crate::cancel::Cancel;
use crate::deploy::property_tests::{packaged_integration, temporary_folder};
use crate::deploy::{Deployer, Outcome, Sweep};
use crate::diagnostic::SourceLocation;
use crate::forge::{Access, Forge, GitHub, MaxWait};
use crate::gitbook::{GitBook, sandbox};
use crate::integration::Integration;
use crate::preview::Template;

const OTHER_REPOSITORY: &str = "github.com/acme/others";

pub(super) struct SweepEnvironment {
    folder: TempDir,
    fake_github: FakeGitHub,
    forge: Forge,
    gitbook: GitBook,
    cancel: Cancel,
    pub(super) integrations: BTreeMap<&'static str, Integration>,
}

/// The state of a scenario while it runs.
pub(super) struct ScenarioRun<'a> {
    pub(super) environment: &'a SweepEnvironment,
    template_text: &'static str,
    pub(super) template: Template,
    pub(super) model: Model,
    pub(super) run: u64,
    pub(super) counts: Counts,
}

impl SweepEnvironment {
    pub(super) async fn new() -> Self {
        let folder = temporary_folder();
        let endpoint = sandbox::start(folder.path()).await.unwrap();
        let (cancel, timeout) = (Cancel::never(), Duration::from_secs(20));
        let fake_github = FakeGitHub::start().await;
        let root = fake_github.url().parse().unwrap();
        let token = SecretString::from("any");
        let (root, token, max_wait, cancel) = (&root, &token, MaxWait::Long, &cancel);
        let access = Access { root, token, timeout, retries: 0, max_wait, cancel };
        let forge = GitHub::new("acme/integrations", &access).unwrap().map(Forge::GitHub);
        let mut integrations = BTreeMap::new();
        for name in INTEGRATIONS {
            integrations.insert(name, packaged_integration(name, 0).await);
        }
        let gitbook = GitBook::new(endpoint, token.clone(), timeout, 0).unwrap();
        Self { folder, fake_github, forge: forge.unwrap(), gitbook, cancel: cancel.clone(), integrations }
    }

    /// Executes all steps of a scenario and sweeps at the end.
    pub(super) async fn run_scenario(&self, scenario: &SweepScenario) -> Result<Counts, TestCaseError> {
        self.clear();
        let template_text = scenario.template;
        let counts = Counts { histories: scenario.histories.len(), ..Counts::default() };
        let mut run = ScenarioRun {
            environment: self,
            template_text,
            template: template_text.parse().unwrap(),
            model: Model::default(),
            run: 10,
            counts,
        };
        run.add_initial_integrations();
        let max_steps = scenario.histories.iter().map(Vec::len).max().unwrap_or_default();
        for step in (0..max_steps)
            .flat_map(|index| scenario.histories.iter().filter_map(move |history| history.get(index)))
        {
            run.apply_step(step).await?;
        }
        run.sweep(false).await?;
        if scenario.sweep_twice {
            run.sweep(false).await?;
        }
        Ok(run.counts)
    }

    pub(super) fn deployer(&self, dry_run: bool) -> Deployer<'_> {
        let Self { gitbook, cancel, .. } = self;
        Deployer {
            gitbook,
            cancel,
            github_deployments: None,
            dry_run,
            skip_unchanged: true,
            unreadable_notice: Once::new(),
        }
    }

    /// Returns the name and the file content of each integration in the sandbox.
    fn read_all(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let record = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.unwrap();
            let bytes = std::fs::read(entry.path().join("integration.json")).unwrap();
            (entry.file_name().into_string().unwrap(), bytes)
        };
        entries.map(record).collect()
    }

    fn clear(&self) {
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            std::fs::remove_dir_all(entry.unwrap().path()).unwrap();
        }
        self.fake_github.reset();
    }
}

impl ScenarioRun<'_> {
    /// Adds an integration in production and one of another organization.
    fn add_initial_integrations(&mut self) {
        for (name, owner) in [("hello", "acme"), ("unrelated", "other")] {
            let record = json!({"name": name, "visibility": "public", "owner": {"id": owner}});
            let integration = ModelIntegration {
                name: name.to_owned(),
                owner_in_marker: None,
                expected_action: ExpectedAction::Ignore,
                is_public: false,
            };
            self.write_integration(&record, integration);
        }
    }

    async fn apply_step(&mut self, step: &SweepStep) -> Result<(), TestCaseError> {
        let SweepStep { history, ref head, .. } = *step;
        let is_own = !head.contains(':');
        let exists = self.model.branches.contains(head);
        match step.action {
            SweepAction::Push => return Box::pin(self.push(step)).await,
            SweepAction::Delete if exists => {
                self.environment.fake_github.delete_branch(head);
                let numbers = self.model.open_pull_requests_from(head);
                self.model.branches.remove(head);
                self.model.close_pull_requests_from(head);
                return self.handle_closed(step, &numbers).await;
            }
            SweepAction::Rename { to }
                if exists && !self.model.branches.contains(&head_in_history(history, to)) =>
            {
                let to = head_in_history(history, to);
                self.environment.fake_github.rename_branch(head, &to);
                self.model.branches.remove(head);
                self.model.close_pull_requests_from(head);
                self.model.branches.insert(to);
            }
            SweepAction::Open if exists || !is_own => {
                let sha = self.next_commit();
                let pull = PullRequestState {
                    history,
                    head: head.clone(),
                    open: true,
                    merged: false,
                    fork_is_gone: false,
                };
                self.model.pull_requests.push(pull);
                let number = self.last_number(history).unwrap();
                self.environment.fake_github.open_pull_request(number, forge_head(head), &sha);
                return self.handle_opened(step, &[number]).await;
            }
            SweepAction::Close | SweepAction::Merge | SweepAction::Reopen | SweepAction::DeleteFork => {
                return self.change_pull_request(step).await;
            }
            SweepAction::LatePublish => {
                let numbers: Vec<_> = self.last_number(history).into_iter().collect();
                return self.handle_opened(&SweepStep { handled: true, ..step.clone() }, &numbers).await;
            }
            SweepAction::PublishFromOtherRepository => {
                let number = self.last_number(history);
                if number.is_some() || !self.template.needs_pull_request() {
                    return self.publish(OTHER_REPOSITORY, step.integration, head, number).await;
                }
            }
            SweepAction::ThirdParty(kind) => self.add_third_party_integration(kind, step),
            SweepAction::ManyDeletedBranches { size } => self.add_many_previews(size),
            SweepAction::Sweep { dry_run } => return self.sweep(dry_run).await,
            SweepAction::Delete | SweepAction::Rename { .. } | SweepAction::Open => {}
        }
        Ok(())
    }

    async fn push(&mut self, step: &SweepStep) -> Result<(), TestCaseError> {
        let head = &*step.head;
        let sha = self.next_commit();
        let numbers = self.model.open_pull_requests_from(head);
        if !head.contains(':') {
            self.environment.fake_github.set_branch(head, &sha);
            self.model.branches.insert(head.to_owned());
        } else if numbers.iter().any(|number| self.pull_request(*number).fork_is_gone) || numbers.is_empty() {
            return Ok(());
        }
        numbers.iter().for_each(|number| self.environment.fake_github.push_to_pull_request(*number, &sha));
        self.handle_opened(step, &numbers).await
    }

    async fn change_pull_request(&mut self, step: &SweepStep) -> Result<(), TestCaseError> {
        let numbers = self.model.pull_request_numbers(step.history);
        if numbers.is_empty() {
            return Ok(());
        }
        let number = *step.pull.get(&numbers);
        let SweepEnvironment { fake_github, .. } = self.environment;
        let pull = self.pull_request(number);
        let head = pull.head.clone();
        let (open, merged, fork_is_gone) = (pull.open, pull.merged, pull.fork_is_gone);
        let step = SweepStep { head: head.clone(), ..step.clone() };
        match step.action {
            SweepAction::Close if open => {
                fake_github.close_pull_request(number);
                self.pull_request(number).open = false;
                self.handle_closed(&step, &[number]).await
            }
            SweepAction::Merge if open => {
                fake_github.merge_pull_request(number);
                let pull = self.pull_request(number);
                (pull.open, pull.merged) = (false, true);
                self.handle_closed(&step, &[number]).await
            }
            // A merged pull request, or one from a deleted branch, cannot be reopened.
            SweepAction::Reopen
                if !open
                    && !merged
                    && !fork_is_gone
                    && (head.contains(':') || self.model.branches.contains(&head)) =>
            {
                fake_github.reopen_pull_request(number);
                self.pull_request(number).open = true;
                self.handle_opened(&step, &[number]).await
            }
            SweepAction::DeleteFork => {
                let Some((owner, _)) = head.split_once(':') else { return Ok(()) };
                for (number, pull) in (1..).zip(&mut self.model.pull_requests) {
                    if pull.head.starts_with(&format!("{owner}:")) {
                        pull.fork_is_gone = true;
                        fake_github.delete_fork_of(number);
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add_third_party_integration(&mut self, kind: ThirdPartyKind, step: &SweepStep) {
        let last = self.last_number(step.history);
        let preview = match (self.template.needs_pull_request(), last) {
            (false, _) => Preview { head: step.head.clone(), number: None },
            (true, None) => return,
            (true, Some(number)) => Preview { head: self.pull_request(number).head.clone(), number: last },
        };
        if let Some(third_party) =
            third_party_integration(kind, step.integration, &preview, self.template_text, last)
        {
            self.write_integration(&third_party.record, third_party.integration);
        }
    }

    fn add_many_previews(&mut self, size: usize) {
        if self.template.needs_pull_request() {
            return;
        }
        for branch in 0..size {
            let preview = Preview { head: format!("crowd-{branch}"), number: None };
            if let Some(copy) =
                third_party_integration(ThirdPartyKind::Copy, "hello", &preview, self.template_text, None)
            {
                self.write_integration(&copy.record, copy.integration);
            }
        }
    }

    /// Runs a sweep, and checks its outcomes and the remaining integrations.
    async fn sweep(&mut self, dry_run: bool) -> Result<(), TestCaseError> {
        let before = self.environment.read_all();
        prop_assert!(before.keys().eq(self.model.integrations.keys()), "{:?}", before.keys());
        let expected = self.model.expected(dry_run);
        let (outcomes, deleted) = self.run_sweep(dry_run).await?;
        let statuses: Vec<_> =
            outcomes.iter().map(|outcome| (&*outcome.name, outcome.status_name())).collect();
        let expected_statuses: Vec<_> =
            expected.iter().map(|expected| (&*expected.name, expected.status)).collect();
        prop_assert_eq!(statuses, expected_statuses);
        for (outcome, ExpectedOutcome { reason, .. }) in outcomes.iter().zip(&expected) {
            let note = outcome.result.as_ref().unwrap().note.as_deref().unwrap_or_default();
            prop_assert!(
                note.contains(reason) && outcome.is_preview,
                "{}: {} {}",
                outcome.name,
                note,
                reason
            );
        }
        for name in
            expected.iter().filter(|expected| expected.status == "deleted").map(|expected| &expected.name)
        {
            self.model.integrations.remove(name);
        }
        prop_assert_eq!(deleted, before.len() - self.model.integrations.len());
        let mut remaining = before;
        remaining.retain(|name, _| self.model.integrations.contains_key(name));
        prop_assert!(self.environment.read_all() == remaining, "another integration was changed");
        self.update_counts(&expected, outcomes.len());
        Ok(())
    }

    async fn run_sweep(&self, dry_run: bool) -> Result<(Vec<Outcome>, usize), TestCaseError> {
        let sweep = Sweep {
            deployer: &self.environment.deployer(dry_run),
            forge: &self.environment.forge,
            repository: OUR_REPOSITORY,
            repository_id: Some(OUR_REPOSITORY_ID),
            template: &self.template,
            production: &PRODUCTION_NAMES.map(str::to_owned),
        };
        let location = SourceLocation::variable("GITBOOK_ORGANIZATION");
        let to_error = |error| TestCaseError::fail(format!("{error:?}"));
        let listed = sweep.list("acme", &location).await.map_err(to_error)?;
        let candidates = sweep.decide(listed).await.map_err(to_error)?;
        let mut deleted = 0;
        let outcomes = sweep.execute(candidates, async |_, _| deleted += 1).await;
        Ok((outcomes, deleted))
    }

    fn update_counts(&mut self, expected: &[ExpectedOutcome], reported: usize) {
        let counts = &mut self.counts;
        let count =
            |is: &dyn Fn(&ExpectedOutcome) -> bool| expected.iter().filter(|expected| is(expected)).count();
        counts.sweeps += 1;
        counts.deleted += count(&|expected| expected.status == "deleted");
        counts.kept_as_open += count(&|expected| expected.is_open);
        counts.kept_for_another_reason +=
            count(&|expected| expected.status == "skipped" && !expected.is_open);
        counts.at_deletion_limit +=
            usize::from(count(&|expected| expected.reason.ends_with("deletions")) > 0);
        let deleted = count(&|expected| expected.status == "deleted");
        counts.third_parties += self.model.integrations.len() + deleted - reported;
    }

    fn write_integration(&mut self, record: &Value, integration: ModelIntegration) {
        let folder = self.environment.folder.path().join(&integration.name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("integration.json"), record.to_string()).unwrap();
        self.model.add(integration);
    }

    pub(super) fn pull_request(&mut self, number: u64) -> &mut PullRequestState {
        &mut self.model.pull_requests[usize::try_from(number - 1).unwrap()]
    }

    fn last_number(&self, history: usize) -> Option<u64> {
        self.model.pull_request_numbers(history).last().copied()
    }

    fn next_commit(&mut self) -> String {
        self.run += 1;
        format!("{:040x}", self.run)
    }
}

fn forge_head(head: &str) -> Head {
    match head.split_once(':') {
        Some((owner, branch)) => Head::fork(owner, branch),
        None => Head::own(head),
    }
}
