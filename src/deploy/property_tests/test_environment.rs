//! The world that histories happen in, what is expected of it, and what it looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fault_injector::Door;
use super::retried::Run;
use super::scenario::{BRANCHES, CONTENTS, Damage, History, INTEGRATIONS, Pair, Squatter, Status, Step};
use crate::cancel::Cancel;
use crate::deploy::{Deployment, NamedPreview, Outcome, Previews, StalenessCheck, Success};
use crate::diagnostic::SourceLocation;
use crate::environment::Environment;
use crate::gitbook::{GitBook, sandbox};
use crate::integration::{self, Integration, Packaging, PackagingContext};
use crate::plan::Target;
use crate::preview::{Branch, OwnershipMarker, Template};

const REPOSITORY: &str = "github.com/acme/integrations";

/// A sandbox with its client, and the integrations in all their versions.
pub(super) struct World {
    folder: TempDir,
    pub(super) door: Door,
    gitbook: GitBook,
    cancel: Cancel,
    template: Template,
    integrations: Vec<Vec<Integration>>,
}

/// What stands under a name.
#[derive(Clone, Debug)]
pub(super) enum Holder {
    Ours {
        pair: Pair,
        run: u64,
        content: usize,
        version: u64,
    },
    /// Somebody else's, with the very bytes that must stay.
    Theirs(Vec<u8>),
}

/// What a history has come to.
#[derive(Default)]
pub(super) struct State {
    pub(super) run: u64,
    open: BTreeSet<Pair>,
    /// The run of the last push or close of each, late ones left out.
    newest: BTreeMap<Pair, u64>,
    pub(super) holders: BTreeMap<String, Holder>,
    /// The branches whose last push was refused, with what stood in the way.
    pub(super) refused: BTreeMap<Pair, String>,
    /// How many requests were tried again.
    pub(super) retried: usize,
}

impl World {
    pub(super) async fn new() -> Self {
        let (folder, door) = (super::folder(), Door::default());
        let endpoint = sandbox::start_behind(folder.path(), |sandbox| door.before(sandbox)).await.unwrap();
        let token = SecretString::from("any");
        let gitbook = GitBook::new(endpoint, token, Duration::from_secs(20), 1).unwrap().without_pauses();
        let mut integrations = Vec::new();
        for name in INTEGRATIONS {
            let mut versions = Vec::new();
            for content in 0..CONTENTS {
                versions.push(packaged(name, content).await);
            }
            integrations.push(versions);
        }
        let (cancel, template) = (Cancel::never(), Template::default());
        Self { folder, door, gitbook, cancel, template, integrations }
    }

    /// Lets everything happen and looks after each step, and at the end, whether all is as it should be.
    pub(super) async fn tell(&self, history: &History) -> Result<usize, TestCaseError> {
        self.clear();
        let mut state = State { run: 10, ..State::default() };
        for step in &history.steps {
            self.happen(step, history.numbered, &mut state).await?;
            self.look(&state)?;
        }
        self.look_at_the_end(&state)?;
        Ok(state.retried)
    }

    pub(super) async fn happen(
        &self,
        step: &Step,
        numbered: bool,
        state: &mut State,
    ) -> Result<(), TestCaseError> {
        let pair = step.pair;
        let late = |ago: u64, state: &State| state.run.saturating_sub(ago).max(1);
        match step.status {
            Status::Push { content } => self.run(state.begin(pair, Some(content), numbered), state).await,
            // That a late run brings back what was closed is for the sweep; without numbers none is known to be late.
            Status::LatePush { content, ago } if numbered && state.open.contains(&pair) => {
                let run = late(ago, state);
                self.run(Run { pair, content: Some(content), run }, state).await
            }
            Status::Close => self.run(state.begin(pair, None, numbered), state).await,
            Status::LateClose { ago }
                if numbered && state.is_overtaken(pair, late(ago, state), &self.name(pair)) =>
            {
                let run = late(ago, state);
                self.run(Run { pair, content: None, run }, state).await
            }
            Status::Squat(squatter) => {
                self.squat(pair, squatter, state);
                Ok(())
            }
            Status::Damage(damage) => {
                self.damage(pair, damage, state);
                Ok(())
            }
            Status::Retried(ref retried) => {
                let run = state.begin(pair, retried.content, numbered);
                self.retried(run, retried, numbered, state).await
            }
            Status::LatePush { .. } | Status::LateClose { .. } => Ok(()),
        }
    }

    async fn run(&self, run: Run, state: &mut State) -> Result<(), TestCaseError> {
        let name = self.name(run.pair);
        let expected = state.expected(&name, run);
        let outcome = match run.content {
            Some(content) => Box::pin(self.published(run, content)).await,
            None => Box::pin(self.deleted(run)).await,
        };
        state.conclude(&outcome, &name, run, expected, "")
    }

    pub(super) async fn published(&self, Run { pair, run, .. }: Run, content: usize) -> Outcome {
        let target = target(pair);
        let integration = &self.integrations[pair.integration][content];
        self.deployment().preview(integration, &self.previews(&target, run), &StalenessCheck::none()).await
    }

    pub(super) async fn deleted(&self, Run { pair, run, .. }: Run) -> Outcome {
        let preview = NamedPreview {
            integration: INTEGRATIONS[pair.integration].to_owned(),
            place: SourceLocation::file("gitbook-manifest.yaml"),
            name: self.name(pair),
        };
        let target = target(pair);
        self.deployment().delete(&preview, &self.previews(&target, run), &StalenessCheck::none()).await
    }

    fn squat(&self, pair: Pair, squatter: Squatter, state: &mut State) {
        let name = self.name(pair);
        let ours = OwnershipMarker { run: 1, ..mark(pair) };
        let summary = match squatter {
            Squatter::Unmarked => "Ours, and made by hand.".to_owned(),
            Squatter::OtherRepository => {
                OwnershipMarker { repository: "github.com/other/integrations".to_owned(), ..ours }.to_string()
            }
            Squatter::OtherBranch => OwnershipMarker { branch: "elsewhere".to_owned(), ..ours }.to_string(),
            Squatter::OtherIntegration => {
                OwnershipMarker { integration: "stranger".to_owned(), ..ours }.to_string()
            }
            Squatter::MarkNotAtTheEnd => format!("{ours}\n\nThat is what a mark looks like."),
            Squatter::HalfAMark => ours.to_string().replace(" repository=", " depository="),
        };
        let theirs = json!({"name": name, "version": 7, "title": "Theirs", "summary": summary, "visibility": "public"});
        self.write(name, &theirs, state);
    }

    fn damage(&self, pair: Pair, damage: Damage, state: &mut State) {
        let name = self.name(pair);
        let Some(Holder::Ours { run, .. }) = state.holders.get(&name) else { return };
        let mut record: Value = serde_json::from_slice(&self.record(&name).unwrap()).unwrap();
        let summary = record["summary"].as_str().unwrap();
        let damaged = match damage {
            Damage::Removed => summary.lines().next().unwrap().replace("<!--", "").replace("-->", ""),
            Damage::TextBehind => format!("{summary} and more"),
            Damage::Truncated => summary.trim_end_matches(" -->").to_owned(),
            Damage::AnotherBranch => summary.replace(" branch=", " branch=not-"),
            Damage::TwoBranches => summary.replace(" branch=", " branch=x branch="),
            Damage::AnotherRun => summary.replace(&format!(" run={run} "), " run=first "),
        };
        record["summary"] = damaged.into();
        self.write(name, &record, state);
    }

    /// Writes what is not ours from now on.
    fn write(&self, name: String, record: &Value, state: &mut State) {
        let bytes = record.to_string().into_bytes();
        let folder = self.folder.path().join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("integration.json"), &bytes).unwrap();
        state.holders.insert(name, Holder::Theirs(bytes));
    }

    /// Everything that there is, is as it was made.
    pub(super) fn look(&self, state: &State) -> Result<(), TestCaseError> {
        let there: Vec<_> = state.holders.keys().cloned().collect();
        prop_assert_eq!(self.all(), there, "what is there");
        for (name, holder) in &state.holders {
            let record = self.record(name).unwrap();
            match holder {
                Holder::Theirs(bytes) => prop_assert!(record == *bytes, "`{}` was touched", name),
                Holder::Ours { pair, run, version, .. } => {
                    let record: Value = serde_json::from_slice(&record).unwrap();
                    let found = OwnershipMarker::find(record["summary"].as_str().unwrap()).unwrap();
                    let script_bytes = u32::try_from(script(0).len()).ok();
                    let hash = found.hash.clone();
                    let expected = OwnershipMarker { run: *run, hash, script_bytes, ..mark(*pair) };
                    prop_assert_eq!(found, expected, "the mark of `{}`", name);
                    prop_assert_eq!(&record["visibility"], "private", "`{}`", name);
                    prop_assert_eq!(&record["version"], *version, "`{}`", name);
                }
            }
        }
        Ok(())
    }

    /// The open branches have previews, or else an error has said what stands in the way; the closed ones have none.
    fn look_at_the_end(&self, state: &State) -> Result<(), TestCaseError> {
        let ours: BTreeSet<_> = state.holders.values().filter_map(Holder::pair).collect();
        for pair in state.open.difference(&ours) {
            let theirs = matches!(state.holders.get(&self.name(*pair)), Some(Holder::Theirs(_)));
            prop_assert!(theirs || state.refused.contains_key(pair), "{:?} has no preview", pair);
        }
        for pair in ours.difference(&state.open) {
            prop_assert!(false, "{:?} still has a preview", pair);
        }
        Ok(())
    }

    fn deployment(&self) -> Deployment<'_> {
        Deployment {
            gitbook: &self.gitbook,
            cancel: &self.cancel,
            records: None,
            dry_run: false,
            skip_unchanged: true,
            unread: Once::new(),
        }
    }

    fn previews<'a>(&'a self, target: &'a Target, run: u64) -> Previews<'a> {
        Previews {
            target,
            repository: REPOSITORY,
            repository_id: None,
            commit: Some("c0ffee"),
            run,
            counter: "",
            template: &self.template,
            visibility: "private",
        }
    }

    pub(super) fn name(&self, pair: Pair) -> String {
        self.template.name(INTEGRATIONS[pair.integration], &Branch::new(BRANCHES[pair.branch]), None)
    }

    fn record(&self, name: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.folder.path().join(name).join("integration.json"))
    }

    /// The names of all that there is.
    fn all(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn clear(&self) {
        for name in self.all() {
            std::fs::remove_dir_all(self.folder.path().join(name)).unwrap();
        }
    }
}

impl State {
    /// A run that is the newest.
    fn begin(&mut self, pair: Pair, content: Option<usize>, numbered: bool) -> Run {
        self.run += 1;
        match content {
            Some(_) => self.open.insert(pair),
            None => self.open.remove(&pair),
        };
        self.newest.insert(pair, self.run);
        Run { pair, content, run: if numbered { self.run } else { 0 } }
    }

    /// Whether a close is late: a newer run has published, or closed. A newer one that was refused, or found nothing to
    /// change, has left no trace in the mark, so that only the forge could tell.
    fn is_overtaken(&self, pair: Pair, run: u64, name: &str) -> bool {
        let seen_older = matches!(self.holders.get(name), Some(Holder::Ours { pair: holder, run: seen, .. }) if *holder == pair && *seen <= run);
        self.newest.get(&pair).is_some_and(|newest| *newest > run) && !seen_older
    }
}

impl Holder {
    fn pair(&self) -> Option<Pair> {
        match self {
            Self::Ours { pair, .. } => Some(*pair),
            Self::Theirs(_) => None,
        }
    }
}

/// What came of a deployment. An error names what stands in the way, and both it and what is left alone tell of a try
/// that may have happened before.
pub(super) fn came(outcome: &Outcome, name: &str, expected: &str, tried: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(outcome.status_name(), expected, "{:?}", outcome.result);
    prop_assert_eq!(&outcome.name, name);
    prop_assert!(outcome.preview);
    if let Err(error) = &outcome.result {
        let text = error.to_string();
        prop_assert!(text.starts_with(&format!("`{name}` ")), "{}", text);
        prop_assert!(text.ends_with(&format!("so it is left as it is{tried}")), "{}", text);
    }
    if let Ok(Success { status: crate::deploy::Status::Skipped, note, .. }) = &outcome.result {
        let text = note.as_deref().unwrap_or_default();
        prop_assert!(text.ends_with(&format!(" has published this preview{tried}")), "{}", text);
    }
    Ok(())
}

fn target(pair: Pair) -> Target {
    Target { branch: Branch::new(BRANCHES[pair.branch]), pull_request: Some(12) }
}

fn mark(pair: Pair) -> OwnershipMarker {
    OwnershipMarker {
        integration: INTEGRATIONS[pair.integration].to_owned(),
        repository: REPOSITORY.to_owned(),
        branch: BRANCHES[pair.branch].to_owned(),
        commit: "c0ffee".to_owned(),
        ..OwnershipMarker::default()
    }
}

/// A script of a version of the sources, each as long as any other.
fn script(content: usize) -> String {
    format!("export default {content};\n")
}

/// An integration whose script is sent as it is.
pub(in crate::deploy) async fn packaged(name: &str, content: usize) -> Integration {
    let folder = TempDir::new().unwrap();
    let manifest = format!(
        "name: {name}\ntitle: Hello\norganization: acme\nscript: script.js\nscopes: []\nvisibility: public\n"
    );
    std::fs::write(folder.path().join("gitbook-manifest.yaml"), manifest).unwrap();
    std::fs::write(folder.path().join("script.js"), script(content)).unwrap();
    let environment = Environment::new([], PathBuf::from(folder.path()));
    let sources = integration::discover(&[".".to_owned()], folder.path()).unwrap();
    let packaging_context = PackagingContext::default();
    let packaging = Packaging {
        env: None,
        overrides: &[],
        bundle: false,
        resolve_secrets: false,
        timeout: Duration::from_secs(60),
        hash_key: None,
        environment: &environment,
        workspace: None,
        packaging_context: &packaging_context,
    };
    let packaged = integration::package(&sources[0], &packaging).await;
    packaged.integration.unwrap()
}
