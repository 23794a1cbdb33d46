//! Runs scenarios against the sandbox and compares the sandbox with the expected state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fault_injector::FaultInjector;
use super::scenario::{
    Action, BRANCHES, CONTENT_COUNT, ConflictKind, Damage, INTEGRATIONS, PreviewKey, Scenario, SimulatedRun,
    Step,
};
use crate::cancel::Cancel;
use crate::deploy::{Deployer, NamedPreview, Outcome, Precondition, PreviewContext, Success};
use crate::diagnostic::SourceLocation;
use crate::environment::Environment;
use crate::gitbook::{GitBook, sandbox};
use crate::integration::{self, Integration, Packaging, PackagingContext, RequestedEnvs};
use crate::plan::PreviewRef;
use crate::preview::{OwnershipMarker, Template};
use crate::repository::Branch;

const REPOSITORY: &str = "github.com/acme/integrations";

/// A sandbox with its client, and each integration packaged with each of its contents.
pub(super) struct TestEnvironment {
    folder: TempDir,
    pub(super) fault_injector: FaultInjector,
    gitbook: GitBook,
    cancel: Cancel,
    template: Template,
    integrations: Vec<Vec<Integration>>,
}

/// An integration that exists in the sandbox.
#[derive(Clone, Debug)]
pub(super) enum ExistingIntegration {
    Own {
        key: PreviewKey,
        run: u64,
        content: usize,
        version: u64,
    },
    /// An integration of a third party, with the exact bytes of its file.
    ThirdParty(Vec<u8>),
}

/// The expected state during a scenario.
#[derive(Default)]
pub(super) struct ExpectedState {
    pub(super) run: u64,
    open: BTreeSet<PreviewKey>,
    /// The number of each preview's newest run, without late runs.
    newest: BTreeMap<PreviewKey, u64>,
    pub(super) integrations: BTreeMap<String, ExistingIntegration>,
    /// The previews that the last push could not publish, with the names of the conflicting integrations.
    pub(super) conflicts: BTreeMap<PreviewKey, String>,
    /// The number of requests that were retried.
    pub(super) retried: usize,
}

impl TestEnvironment {
    pub(super) async fn new() -> Self {
        let (folder, fault_injector) = (super::temporary_folder(), FaultInjector::default());
        let endpoint =
            sandbox::start_with(folder.path(), |sandbox| fault_injector.in_front_of(sandbox)).await.unwrap();
        let token = SecretString::from("any");
        let gitbook = GitBook::new(endpoint, token, Duration::from_secs(20), 1).unwrap().without_delays();
        let mut integrations = Vec::new();
        for name in INTEGRATIONS {
            let mut contents = Vec::new();
            for content in 0..CONTENT_COUNT {
                contents.push(packaged_integration(name, content).await);
            }
            integrations.push(contents);
        }
        let (cancel, template) = (Cancel::never(), "{name}-{branch}".parse::<Template>().unwrap());
        Self { folder, fault_injector, gitbook, cancel, template, integrations }
    }

    /// Executes all steps of a scenario, and checks the sandbox after each step and at the end. Returns the number of retried requests.
    pub(super) async fn run_scenario(&self, scenario: &Scenario) -> Result<usize, TestCaseError> {
        self.clear();
        let mut state = ExpectedState { run: 10, ..ExpectedState::default() };
        for step in &scenario.steps {
            self.apply_step(step, scenario.has_run_numbers, &mut state).await?;
            self.check_integrations(&state)?;
        }
        self.check_final_state(&state)?;
        Ok(state.retried)
    }

    pub(super) async fn apply_step(
        &self,
        step: &Step,
        has_run_numbers: bool,
        state: &mut ExpectedState,
    ) -> Result<(), TestCaseError> {
        let key = step.key;
        let late = |runs_ago: u64, state: &ExpectedState| state.run.saturating_sub(runs_ago).max(1);
        match step.action {
            Action::Push { content } => {
                self.run(state.start_run(key, Some(content), has_run_numbers), state).await
            }
            // For a closed branch, a late run may publish the preview again, and only a sweep deletes it then. Without run numbers,
            // the program cannot detect a late run. The scenarios omit these cases.
            Action::LatePush { content, runs_ago } if has_run_numbers && state.open.contains(&key) => {
                let run = late(runs_ago, state);
                self.run(SimulatedRun { key, content: Some(content), run }, state).await
            }
            Action::Close => self.run(state.start_run(key, None, has_run_numbers), state).await,
            Action::LateClose { runs_ago }
                if has_run_numbers
                    && state.is_superseded(key, late(runs_ago, state), &self.preview_name(key)) =>
            {
                let run = late(runs_ago, state);
                self.run(SimulatedRun { key, content: None, run }, state).await
            }
            Action::PublishThirdParty(kind) => {
                self.publish_third_party(key, kind, state);
                Ok(())
            }
            Action::Damage(damage) => {
                self.damage_marker(key, damage, state);
                Ok(())
            }
            Action::RetriedRun(ref retried) => {
                let run = state.start_run(key, retried.content, has_run_numbers);
                self.run_with_failure(run, retried, has_run_numbers, state).await
            }
            Action::LatePush { .. } | Action::LateClose { .. } => Ok(()),
        }
    }

    async fn run(&self, run: SimulatedRun, state: &mut ExpectedState) -> Result<(), TestCaseError> {
        let name = self.preview_name(run.key);
        let expected = state.expected_status(&name, run);
        let outcome = self.publish_or_delete(run).await;
        state.check_and_apply(&outcome, &name, run, expected, "")
    }

    pub(super) async fn publish(
        &self,
        SimulatedRun { key, run, .. }: SimulatedRun,
        content: usize,
    ) -> Outcome {
        let target = target(key);
        let integration = &self.integrations[key.integration][content];
        self.deployer().preview(integration, &self.previews(&target, run), &Precondition::none()).await
    }

    pub(super) async fn delete(&self, SimulatedRun { key, run, .. }: SimulatedRun) -> Outcome {
        let preview = NamedPreview {
            integration: INTEGRATIONS[key.integration].to_owned(),
            location: SourceLocation::file("gitbook-manifest.yaml"),
            name: self.preview_name(key),
        };
        let target = target(key);
        self.deployer().delete(&preview, &self.previews(&target, run), &Precondition::none()).await
    }

    fn publish_third_party(&self, key: PreviewKey, kind: ConflictKind, state: &mut ExpectedState) {
        let name = self.preview_name(key);
        let own = OwnershipMarker { run: 1, ..marker(key) };
        let summary = match kind {
            ConflictKind::Unmarked => "Own, and made by hand.".to_owned(),
            ConflictKind::OtherRepository => {
                OwnershipMarker { repository: "github.com/other/integrations".to_owned(), ..own }.to_string()
            }
            ConflictKind::OtherBranch => {
                OwnershipMarker { branch: "elsewhere".to_owned(), ..own }.to_string()
            }
            ConflictKind::OtherIntegration => {
                OwnershipMarker { integration: "third-party".to_owned(), ..own }.to_string()
            }
            ConflictKind::MarkerNotAtTheEnd => format!("{own}\n\nA marker looks like this."),
            ConflictKind::IncompleteMarker => own.to_string().replace(" repository=", " depository="),
        };
        let record = json!({"name": name, "version": 7, "title": "Theirs", "summary": summary, "visibility": "public"});
        self.write_third_party(name, &record, state);
    }

    fn damage_marker(&self, key: PreviewKey, damage: Damage, state: &mut ExpectedState) {
        let name = self.preview_name(key);
        let Some(ExistingIntegration::Own { run, .. }) = state.integrations.get(&name) else { return };
        let mut record: Value = serde_json::from_slice(&self.read_record(&name).unwrap()).unwrap();
        let summary = record["summary"].as_str().unwrap();
        let damaged = match damage {
            Damage::Removed => summary.lines().next().unwrap().replace("<!--", "").replace("-->", ""),
            Damage::TextAfterMarker => format!("{summary} and more"),
            Damage::Truncated => summary.trim_end_matches(" -->").to_owned(),
            Damage::AnotherBranch => summary.replace(" branch=", " branch=not-"),
            Damage::TwoBranches => summary.replace(" branch=", " branch=x branch="),
            Damage::InvalidRun => summary.replace(&format!(" run={run} "), " run=first "),
        };
        record["summary"] = damaged.into();
        self.write_third_party(name, &record, state);
    }

    /// Writes the file of a third party's integration to the sandbox.
    fn write_third_party(&self, name: String, record: &Value, state: &mut ExpectedState) {
        let bytes = record.to_string().into_bytes();
        let folder = self.folder.path().join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("integration.json"), &bytes).unwrap();
        state.integrations.insert(name, ExistingIntegration::ThirdParty(bytes));
    }

    /// Checks that the sandbox contains exactly the expected integrations.
    pub(super) fn check_integrations(&self, state: &ExpectedState) -> Result<(), TestCaseError> {
        let expected_names: Vec<_> = state.integrations.keys().cloned().collect();
        prop_assert_eq!(self.integration_names(), expected_names, "the names in the sandbox");
        for (name, existing) in &state.integrations {
            let record = self.read_record(name).unwrap();
            match existing {
                ExistingIntegration::ThirdParty(bytes) => {
                    prop_assert!(record == *bytes, "`{}` was changed", name);
                }
                ExistingIntegration::Own { key, run, version, .. } => {
                    let record: Value = serde_json::from_slice(&record).unwrap();
                    let found = OwnershipMarker::parse(record["summary"].as_str().unwrap()).unwrap();
                    let script_bytes = u32::try_from(script(0).len()).ok();
                    let hash = found.hash.clone();
                    let expected = OwnershipMarker { run: *run, hash, script_bytes, ..marker(*key) };
                    prop_assert_eq!(found, expected, "the marker of `{}`", name);
                    prop_assert_eq!(&record["visibility"], "private", "`{}`", name);
                    prop_assert_eq!(&record["version"], *version, "`{}`", name);
                }
            }
        }
        Ok(())
    }

    /// Checks that each open branch has a preview or an error about a conflict, and that closed branches have no preview.
    fn check_final_state(&self, state: &ExpectedState) -> Result<(), TestCaseError> {
        let published: BTreeSet<_> =
            state.integrations.values().filter_map(ExistingIntegration::key).collect();
        for key in state.open.difference(&published) {
            let is_third_party = matches!(
                state.integrations.get(&self.preview_name(*key)),
                Some(ExistingIntegration::ThirdParty(_))
            );
            prop_assert!(is_third_party || state.conflicts.contains_key(key), "{:?} has no preview", key);
        }
        for key in published.difference(&state.open) {
            prop_assert!(false, "{:?} still has a preview", key);
        }
        Ok(())
    }

    fn deployer(&self) -> Deployer<'_> {
        Deployer {
            gitbook: &self.gitbook,
            cancel: &self.cancel,
            github_deployments: None,
            dry_run: false,
            skip_unchanged: true,
            unreadable_notice: Once::new(),
        }
    }

    fn previews<'a>(&'a self, target: &'a PreviewRef, run: u64) -> PreviewContext<'a> {
        PreviewContext {
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

    pub(super) fn preview_name(&self, key: PreviewKey) -> String {
        self.template.name(INTEGRATIONS[key.integration], &Branch::new(BRANCHES[key.branch]), None)
    }

    fn read_record(&self, name: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.folder.path().join(name).join("integration.json"))
    }

    /// Returns the names of all integrations in the sandbox.
    fn integration_names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn clear(&self) {
        for name in self.integration_names() {
            std::fs::remove_dir_all(self.folder.path().join(name)).unwrap();
        }
    }
}

impl ExpectedState {
    /// Starts a new run, and opens or closes the branch.
    fn start_run(&mut self, key: PreviewKey, content: Option<usize>, has_run_numbers: bool) -> SimulatedRun {
        self.run += 1;
        match content {
            Some(_) => self.open.insert(key),
            None => self.open.remove(&key),
        };
        self.newest.insert(key, self.run);
        SimulatedRun { key, content, run: if has_run_numbers { self.run } else { 0 } }
    }

    /// Returns true if a run that deletes a preview is superseded by a newer run, and the program can detect this. If the newer run has
    /// published nothing new, the marker still has the older run number, so only the forge could detect the newer run.
    fn is_superseded(&self, key: PreviewKey, run: u64, name: &str) -> bool {
        let has_older_marker = matches!(self.integrations.get(name), Some(ExistingIntegration::Own { key: existing, run: marker_run, .. }) if *existing == key && *marker_run <= run);
        self.newest.get(&key).is_some_and(|newest| *newest > run) && !has_older_marker
    }
}

impl ExistingIntegration {
    fn key(&self) -> Option<PreviewKey> {
        match self {
            Self::Own { key, .. } => Some(*key),
            Self::ThirdParty(_) => None,
        }
    }
}

/// Checks that an outcome has the expected status and the expected message: an error names the conflicting integration, and errors and
/// notes end with `earlier_attempt`.
pub(super) fn check_outcome(
    outcome: &Outcome,
    name: &str,
    expected: &str,
    earlier_attempt: &str,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(outcome.status_name(), expected, "{:?}", outcome.result);
    prop_assert_eq!(&outcome.name, name);
    prop_assert!(outcome.is_preview);
    if let Err(error) = &outcome.result {
        let text = error.to_string();
        prop_assert!(text.starts_with(&format!("`{name}` was not changed: ")), "{}", text);
        prop_assert!(text.ends_with(earlier_attempt), "{}", text);
    }
    if let Ok(Success { status: crate::deploy::Status::Skipped, note, .. }) = &outcome.result {
        let text = note.as_deref().unwrap_or_default();
        prop_assert!(text.ends_with(&format!(" has published this preview{earlier_attempt}")), "{}", text);
    }
    Ok(())
}

fn target(key: PreviewKey) -> PreviewRef {
    PreviewRef { branch: Branch::new(BRANCHES[key.branch]), pull_request: Some(12) }
}

fn marker(key: PreviewKey) -> OwnershipMarker {
    OwnershipMarker {
        integration: INTEGRATIONS[key.integration].to_owned(),
        repository: REPOSITORY.to_owned(),
        branch: BRANCHES[key.branch].to_owned(),
        commit: "c0ffee".to_owned(),
        ..OwnershipMarker::default()
    }
}

/// Returns the script for a content. All scripts have the same size.
fn script(content: usize) -> String {
    format!("export default {content};\n")
}

/// Packages an integration without bundling its script.
pub(in crate::deploy) async fn packaged_integration(name: &str, content: usize) -> Integration {
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
        envs: &RequestedEnvs::default(),
        overrides: &[],
        bundle: false,
        resolve_secrets: false,
        timeout: Duration::from_secs(60),
        hash_key: None,
        environment: &environment,
        workspace: None,
        packaging_context: &packaging_context,
    };
    integration::package(&sources[0], &packaging).await.integration.unwrap()
}
