//! The world that histories happen in: a forge, a sandbox, and the program's own clients of both.

use std::collections::BTreeMap;
use std::sync::Once;
use std::time::Duration;

use fake_github::{FakeGitHub, Head};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Figures;
use super::model::{Expected, Holder, Model, OUR_ID, OURS, PRODUCTION, Preview, Pull, Rule};
use super::scenario::{INTEGRATIONS, Status, Step, Story, of};
use super::third_party::{Kind, stranger};
use crate::cancel::Cancel;
use crate::deploy::property_tests::{folder, packaged};
use crate::deploy::{Deployment, Outcome, Sweep};
use crate::diagnostic::SourceLocation;
use crate::forge::{Access, Forge, GitHub, MaxWait};
use crate::gitbook::{GitBook, sandbox};
use crate::integration::Integration;
use crate::preview::Template;

const THEIRS: &str = "github.com/acme/others";

pub(super) struct World {
    folder: TempDir,
    stand_in: FakeGitHub,
    forge: Forge,
    gitbook: GitBook,
    cancel: Cancel,
    pub(super) integrations: BTreeMap<&'static str, Integration>,
}

/// A history that is being told.
pub(super) struct Telling<'a> {
    pub(super) world: &'a World,
    text: &'static str,
    pub(super) template: Template,
    pub(super) model: Model,
    pub(super) run: u64,
    pub(super) figures: Figures,
}

impl World {
    pub(super) async fn new() -> Self {
        let folder = folder();
        let endpoint = sandbox::start(folder.path()).await.unwrap();
        let (cancel, timeout) = (Cancel::never(), Duration::from_secs(20));
        let stand_in = FakeGitHub::start().await;
        let root = stand_in.url().parse().unwrap();
        let token = SecretString::from("any");
        let (root, token, patience, cancel) = (&root, &token, MaxWait::Long, &cancel);
        let access = Access { root, token, timeout, retries: 0, patience, cancel };
        let forge = GitHub::new("acme/integrations", &access).unwrap().map(Forge::GitHub);
        let mut integrations = BTreeMap::new();
        for name in INTEGRATIONS {
            integrations.insert(name, packaged(name, 0).await);
        }
        let gitbook = GitBook::new(endpoint, token.clone(), timeout, 0).unwrap();
        Self { folder, stand_in, forge: forge.unwrap(), gitbook, cancel: cancel.clone(), integrations }
    }

    /// Lets everything happen, and sweeps up at the end.
    pub(super) async fn tell(&self, story: &Story) -> Result<Figures, TestCaseError> {
        self.clear();
        let text = story.template;
        let figures = Figures { histories: story.histories.len(), ..Figures::default() };
        let mut telling = Telling {
            world: self,
            text,
            template: text.parse().unwrap(),
            model: Model::default(),
            run: 10,
            figures,
        };
        telling.begin();
        let longest = story.histories.iter().map(Vec::len).max().unwrap_or_default();
        for step in (0..longest)
            .flat_map(|index| story.histories.iter().filter_map(move |history| history.get(index)))
        {
            telling.happen(step).await?;
        }
        telling.sweep(false).await?;
        if story.twice {
            telling.sweep(false).await?;
        }
        Ok(telling.figures)
    }

    pub(super) fn deployment(&self, dry_run: bool) -> Deployment<'_> {
        let Self { gitbook, cancel, .. } = self;
        Deployment { gitbook, cancel, records: None, dry_run, skip_unchanged: true, unread: Once::new() }
    }

    /// All that there is, byte by byte.
    fn all(&self) -> BTreeMap<String, Vec<u8>> {
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
        self.stand_in.reset();
    }
}

impl Telling<'_> {
    /// Puts the integration itself there, and one of another organization.
    fn begin(&mut self) {
        for (name, owner) in [("hello", "acme"), ("unrelated", "other")] {
            let record = json!({"name": name, "visibility": "public", "owner": {"id": owner}});
            let holder = Holder { name: name.to_owned(), maker: None, rule: Rule::Ignored, is_public: false };
            self.write(&record, holder);
        }
    }

    async fn happen(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let Step { history, ref head, .. } = *step;
        let is_own = !head.contains(':');
        let exists = self.model.branches.contains(head);
        match step.status {
            Status::Push => return Box::pin(self.push(step)).await,
            Status::Delete if exists => {
                self.world.stand_in.delete_branch(head);
                let numbers = self.model.open_from(head);
                self.model.branches.remove(head);
                self.model.close_from(head);
                return self.closed(step, &numbers).await;
            }
            Status::Rename { to } if exists && !self.model.branches.contains(&of(history, to)) => {
                let to = of(history, to);
                self.world.stand_in.rename_branch(head, &to);
                self.model.branches.remove(head);
                self.model.close_from(head);
                self.model.branches.insert(to);
            }
            Status::Open if exists || !is_own => {
                let sha = self.next_commit();
                let pull =
                    Pull { history, head: head.clone(), open: true, merged: false, fork_is_gone: false };
                self.model.pulls.push(pull);
                let number = self.last_number(history).unwrap();
                self.world.stand_in.open_pull_request(number, forge_head(head), &sha);
                return self.opened(step, &[number]).await;
            }
            Status::Close | Status::Merge | Status::Reopen | Status::DeleteFork => {
                return self.happen_to_pull(step).await;
            }
            Status::Late => {
                let numbers: Vec<_> = self.last_number(history).into_iter().collect();
                return self.opened(&Step { handled: true, ..step.clone() }, &numbers).await;
            }
            Status::Elsewhere => {
                let number = self.last_number(history);
                if number.is_some() || !self.template.needs_pull_request() {
                    return self.publish(THEIRS, step.integration, head, number).await;
                }
            }
            Status::Stranger(kind) => self.stranger(kind, step),
            Status::Crowd { size } => self.crowd(size),
            Status::Sweep { dry } => return self.sweep(dry).await,
            Status::Delete | Status::Rename { .. } | Status::Open => {}
        }
        Ok(())
    }

    async fn push(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let head = &*step.head;
        let sha = self.next_commit();
        let numbers = self.model.open_from(head);
        if !head.contains(':') {
            self.world.stand_in.set_branch(head, &sha);
            self.model.branches.insert(head.to_owned());
        } else if numbers.iter().any(|number| self.pull(*number).fork_is_gone) || numbers.is_empty() {
            return Ok(());
        }
        numbers.iter().for_each(|number| self.world.stand_in.push_to_pull_request(*number, &sha));
        self.opened(step, &numbers).await
    }

    async fn happen_to_pull(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let numbers = self.model.numbers(step.history);
        if numbers.is_empty() {
            return Ok(());
        }
        let number = *step.pull.get(&numbers);
        let World { stand_in, .. } = self.world;
        let pull = self.pull(number);
        let head = pull.head.clone();
        let (open, merged, fork_is_gone) = (pull.open, pull.merged, pull.fork_is_gone);
        let step = Step { head: head.clone(), ..step.clone() };
        match step.status {
            Status::Close if open => {
                stand_in.close_pull_request(number);
                self.pull(number).open = false;
                self.closed(&step, &[number]).await
            }
            Status::Merge if open => {
                stand_in.merge_pull_request(number);
                let pull = self.pull(number);
                (pull.open, pull.merged) = (false, true);
                self.closed(&step, &[number]).await
            }
            // What was merged can't be opened again, nor what came from a branch that is gone.
            Status::Reopen
                if !open
                    && !merged
                    && !fork_is_gone
                    && (head.contains(':') || self.model.branches.contains(&head)) =>
            {
                stand_in.reopen_pull_request(number);
                self.pull(number).open = true;
                self.opened(&step, &[number]).await
            }
            Status::DeleteFork => {
                let Some((owner, _)) = head.split_once(':') else { return Ok(()) };
                for (number, pull) in (1..).zip(&mut self.model.pulls) {
                    if pull.head.starts_with(&format!("{owner}:")) {
                        pull.fork_is_gone = true;
                        stand_in.delete_fork_of(number);
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn stranger(&mut self, kind: Kind, step: &Step) {
        let last = self.last_number(step.history);
        let preview = match (self.template.needs_pull_request(), last) {
            (false, _) => Preview { head: step.head.clone(), number: None },
            (true, None) => return,
            (true, Some(number)) => Preview { head: self.pull(number).head.clone(), number: last },
        };
        if let Some(stranger) = stranger(kind, step.integration, &preview, self.text, last) {
            self.write(&stranger.record, stranger.holder);
        }
    }

    fn crowd(&mut self, size: usize) {
        if self.template.needs_pull_request() {
            return;
        }
        for branch in 0..size {
            let preview = Preview { head: format!("crowd-{branch}"), number: None };
            if let Some(one) = stranger(Kind::Copy, "hello", &preview, self.text, None) {
                self.write(&one.record, one.holder);
            }
        }
    }

    /// Sweeps up, and holds what was said and done against what is open.
    async fn sweep(&mut self, dry: bool) -> Result<(), TestCaseError> {
        let before = self.world.all();
        prop_assert!(before.keys().eq(self.model.holders.keys()), "{:?}", before.keys());
        let expected = self.model.expected(dry);
        let (outcomes, told) = self.swept(dry).await?;
        let said: Vec<_> = outcomes.iter().map(|outcome| (&*outcome.name, outcome.status_name())).collect();
        let should: Vec<_> = expected.iter().map(|expected| (&*expected.name, expected.word)).collect();
        prop_assert_eq!(said, should);
        for (outcome, Expected { why, .. }) in outcomes.iter().zip(&expected) {
            let note = outcome.result.as_ref().unwrap().note.as_deref().unwrap_or_default();
            prop_assert!(note.contains(why) && outcome.preview, "{}: {} {}", outcome.name, note, why);
        }
        for name in expected.iter().filter(|one| one.word == "deleted").map(|one| &one.name) {
            self.model.holders.remove(name);
        }
        prop_assert_eq!(told, before.len() - self.model.holders.len());
        let mut left = before;
        left.retain(|name, _| self.model.holders.contains_key(name));
        prop_assert!(self.world.all() == left, "something else was touched");
        self.count(&expected, outcomes.len());
        Ok(())
    }

    async fn swept(&self, dry: bool) -> Result<(Vec<Outcome>, usize), TestCaseError> {
        let sweep = Sweep {
            deployment: &self.world.deployment(dry),
            forge: &self.world.forge,
            repository: OURS,
            repository_id: Some(OUR_ID),
            template: &self.template,
            production: &PRODUCTION.map(str::to_owned),
        };
        let place = SourceLocation::variable("GITBOOK_ORGANIZATION");
        let failed = |error| TestCaseError::fail(format!("{error:?}"));
        let listed = sweep.list("acme", &place).await.map_err(failed)?;
        let candidates = sweep.decide(listed).await.map_err(failed)?;
        let mut told = 0;
        let outcomes = sweep.carry_out(candidates, async |_, _| told += 1).await;
        Ok((outcomes, told))
    }

    fn count(&mut self, expected: &[Expected], said: usize) {
        let figures = &mut self.figures;
        let count = |is: &dyn Fn(&Expected) -> bool| expected.iter().filter(|one| is(one)).count();
        figures.sweeps += 1;
        figures.deleted += count(&|one| one.word == "deleted");
        figures.kept_as_open += count(&|one| one.is_open);
        figures.kept_for_another_reason += count(&|one| one.word == "skipped" && !one.is_open);
        figures.full += usize::from(count(&|one| one.why.ends_with("deletions")) > 0);
        let gone = count(&|one| one.word == "deleted");
        figures.strangers += self.model.holders.len() + gone - said;
    }

    fn write(&mut self, record: &Value, holder: Holder) {
        let folder = self.world.folder.path().join(&holder.name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("integration.json"), record.to_string()).unwrap();
        self.model.put(holder);
    }

    pub(super) fn pull(&mut self, number: u64) -> &mut Pull {
        &mut self.model.pulls[usize::try_from(number - 1).unwrap()]
    }

    fn last_number(&self, history: usize) -> Option<u64> {
        self.model.numbers(history).last().copied()
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
