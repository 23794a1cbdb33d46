//! A model of branches, pull requests and integrations that predicts the result of a sweep without the program's code.

use std::collections::{BTreeMap, BTreeSet};

/// The name of the swept repository.
pub(super) const OUR_REPOSITORY: &str = "github.com/acme/integrations";

/// The forge's ID of the swept repository.
pub(super) const OUR_REPOSITORY_ID: u64 = 17;

/// The names of integrations in the manifests. They differ in case from those in the sandbox, since a sweep must ignore case.
pub(super) const PRODUCTION_NAMES: [&str; 2] = ["Hello", "HELLO-A"];

/// The maximum number of deletions per sweep.
const MAX_DELETIONS: usize = 50;

/// The expected state of the forge and the sandbox.
#[derive(Default)]
pub(super) struct Model {
    /// The branches of the repository, without the default branch and those of forks.
    pub(super) branches: BTreeSet<String>,
    /// All pull requests, open and closed. The first has the number 1.
    pub(super) pull_requests: Vec<PullRequestState>,
    /// All integrations, by name.
    pub(super) integrations: BTreeMap<String, ModelIntegration>,
}

/// A pull request on the fake forge.
pub(super) struct PullRequestState {
    /// The index of the history that the pull request belongs to.
    pub(super) history: usize,
    pub(super) head: String,
    pub(super) open: bool,
    pub(super) merged: bool,
    pub(super) fork_is_gone: bool,
}

/// An integration that exists in the sandbox.
#[derive(Clone)]
pub(super) struct ModelIntegration {
    pub(super) name: String,
    /// The owner according to the marker; `None` without a valid marker.
    pub(super) owner_in_marker: Option<MarkerOwner>,
    pub(super) expected_action: ExpectedAction,
    /// True if the integration is public, so that it must not change even if its marker is valid.
    pub(super) is_public: bool,
}

/// The repository, integration and branch in an ownership marker.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct MarkerOwner {
    pub(super) repository: String,
    pub(super) integration: String,
    pub(super) head: String,
}

/// The action that a sweep must take for an integration.
#[derive(Clone)]
pub(super) enum ExpectedAction {
    /// The sweep deletes the integration if its branch or pull request is closed.
    DeleteIfClosed(Preview),
    /// The sweep keeps the integration and reports this reason.
    Keep(&'static str),
    /// The sweep keeps the integration and does not report it.
    Ignore,
}

/// A preview of a branch or, if its name contains a number, of a pull request.
#[derive(Clone)]
pub(super) struct Preview {
    pub(super) head: String,
    pub(super) number: Option<u64>,
}

/// The expected outcome of a sweep for an integration.
pub(super) struct ExpectedOutcome {
    pub(super) name: String,
    pub(super) status: &'static str,
    /// A text that the outcome's note must contain.
    pub(super) reason: String,
    pub(super) is_open: bool,
}

impl Model {
    /// Returns the numbers of a history's pull requests.
    pub(super) fn pull_request_numbers(&self, history: usize) -> Vec<u64> {
        (1..).zip(&self.pull_requests).filter(|(_, pull)| pull.history == history).map(|(n, _)| n).collect()
    }

    /// Returns the numbers of the open pull requests from a branch.
    pub(super) fn open_pull_requests_from(&self, head: &str) -> Vec<u64> {
        (1..)
            .zip(&self.pull_requests)
            .filter(|(_, pull)| pull.open && pull.head == head)
            .map(|(n, _)| n)
            .collect()
    }

    /// Closes all pull requests from a branch.
    pub(super) fn close_pull_requests_from(&mut self, head: &str) {
        self.pull_requests.iter_mut().filter(|pull| pull.head == head).for_each(|pull| pull.open = false);
    }

    /// Adds an integration. If it has the name of an integration in production, a sweep must keep it.
    pub(super) fn add(&mut self, integration: ModelIntegration) {
        let ModelIntegration { name, expected_action, .. } = &integration;
        let is_production = PRODUCTION_NAMES.iter().any(|production| production.to_lowercase() == *name);
        let expected_action = match expected_action {
            ExpectedAction::DeleteIfClosed(_)
            | ExpectedAction::Keep("is public" | "visibility is unknown")
                if is_production =>
            {
                ExpectedAction::Keep("has the name of an integration in production")
            }
            expected_action => expected_action.clone(),
        };
        self.integrations.insert(name.clone(), ModelIntegration { expected_action, ..integration.clone() });
    }

    fn is_open(&self, preview: &Preview) -> bool {
        let Preview { head, number } = preview;
        match number {
            Some(number) => (1..).zip(&self.pull_requests).any(|(known, pull)| known == *number && pull.open),
            None if head.contains(':') => !self.open_pull_requests_from(head).is_empty(),
            None => self.branches.contains(head),
        }
    }

    /// Returns the expected outcomes of a sweep, in order.
    pub(super) fn expected(&self, dry_run: bool) -> Vec<ExpectedOutcome> {
        let mut remaining = MAX_DELETIONS;
        let mut expected = Vec::new();
        for (name, ModelIntegration { expected_action, .. }) in &self.integrations {
            let (status, reason, is_open) = match expected_action {
                ExpectedAction::Ignore => continue,
                ExpectedAction::Keep(reason) => ("skipped", (*reason).to_owned(), false),
                ExpectedAction::DeleteIfClosed(preview) if self.is_open(preview) => {
                    ("skipped", format!("{} is open", describe(preview)), true)
                }
                ExpectedAction::DeleteIfClosed(_) if remaining == 0 => {
                    ("skipped", format!("{MAX_DELETIONS} deletions"), false)
                }
                ExpectedAction::DeleteIfClosed(preview) => {
                    remaining -= 1;
                    let change = if preview.number.is_some() { "is closed" } else { "was deleted" };
                    let status = if dry_run { "checked" } else { "deleted" };
                    (status, format!("{} {change}", describe(preview)), false)
                }
            };
            expected.push(ExpectedOutcome { name: name.clone(), status, reason, is_open });
        }
        expected
    }
}

fn describe(preview: &Preview) -> String {
    match preview.number {
        Some(number) => format!("pull request #{number}"),
        None => format!("branch `{}`", preview.head),
    }
}
