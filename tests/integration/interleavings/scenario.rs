//! Scenarios of two concurrent runs for one branch: the second run starts while the first is still active.

use fake_github::{FakeGitHub, Head};
use serde_json::json;

use crate::support::{Deployment, Repository, Sandbox, deployment, payloads, repository};

/// A sequence of two events on a branch, each with its own run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scenario {
    TwoPushes,
    PublishAndClose,
    CloseAndReopen,
    SweepAndPush,
    TwoProductionPushes,
}

impl Scenario {
    pub(super) const ALL: [Self; 5] = [
        Self::TwoPushes,
        Self::PublishAndClose,
        Self::CloseAndReopen,
        Self::SweepAndPush,
        Self::TwoProductionPushes,
    ];

    /// Returns the name of the scenario in the table of `docs/previews.md`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TwoPushes => "two pushes to a branch",
            Self::PublishAndClose => "publish and close",
            Self::CloseAndReopen => "close and reopen",
            Self::SweepAndPush => "sweep and push",
            Self::TwoProductionPushes => "two pushes to production",
        }
    }
}

/// The publisher of the integration that exists before both runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// An earlier run of the same CI system.
    Earlier,
    /// A run of another CI system, with a higher run number.
    OtherCounter,
    /// A run with a higher run number, by an old version of the program that did not write the CI system into the marker.
    Unnamed,
}

/// A wrong state of GitBook after both runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// GitBook has the version of an older commit.
    Stale,
    /// The branch or pull request is open, but its preview does not exist.
    Lost,
    /// The pull request is closed, but its preview exists.
    Resurrected,
}

/// A fake GitHub, a sandbox of GitBook, and a checkout of each commit.
pub(super) struct TestEnvironment {
    pub(super) scenario: Scenario,
    pub(super) forge: FakeGitHub,
    pub(super) sandbox: Sandbox,
    checkouts: Repository,
    /// True if the second run of `PublishAndClose` is started manually, with a low run number.
    pub(super) by_hand: bool,
}

const BRANCH: &str = "fix";
const PULL_REQUEST: u64 = 12;

fn sha(commit: char) -> String {
    commit.to_string().repeat(40)
}

impl TestEnvironment {
    /// Creates the state before the first run: the first event of the scenario has already changed the repository.
    pub(super) async fn new(scenario: Scenario, before: Before, by_hand: bool) -> Self {
        let (forge, sandbox) = (FakeGitHub::start().await, Sandbox::start().await);
        let checkouts = ['1', '2'].into_iter().fold(repository(), |checkouts, commit| {
            let folder = commit.to_string();
            let more = format!("description: commit {commit}\n");
            checkouts.manifest(&folder, "hello", &more).file(&format!("{folder}/main.ts"), commit.to_string())
        });
        let world = Self { scenario, forge, sandbox, checkouts, by_hand };
        let (name, summary) = match scenario {
            Scenario::TwoProductionPushes => ("hello", String::new()),
            _ => ("hello-fix", world.summary_with_marker(before)),
        };
        if before != Before::Nothing || matches!(scenario, Scenario::CloseAndReopen | Scenario::SweepAndPush)
        {
            let existing = json!({
                "name": name, "version": 3, "title": "Hello", "summary": summary, "visibility": "private",
                "description": "commit 0", "owner": {"object": "organization", "id": "acme"},
            });
            world.sandbox.set(name, &existing);
        }
        match scenario {
            Scenario::TwoPushes => world.forge.set_branch(BRANCH, &sha('1')),
            Scenario::PublishAndClose => {
                world.forge.open_pull_request(PULL_REQUEST, Head::own(BRANCH), &sha('1'));
            }
            Scenario::CloseAndReopen => {
                world.forge.open_pull_request(PULL_REQUEST, Head::own(BRANCH), &sha('1'));
                world.forge.close_pull_request(PULL_REQUEST);
            }
            Scenario::SweepAndPush => {}
            Scenario::TwoProductionPushes => world.forge.set_branch("main", &sha('1')),
        }
        world
    }

    fn summary_with_marker(&self, before: Before) -> String {
        let run = match before {
            Before::Nothing | Before::Earlier => "run=50 counter=GitHub%20Actions",
            Before::OtherCounter => "run=900000 counter=Jenkins",
            Before::Unnamed => "run=900000",
        };
        // Only in `CloseAndReopen` was the current commit already published.
        let commit = if self.scenario == Scenario::CloseAndReopen { '1' } else { '0' };
        format!(
            "Hi.\n\n<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/integrations branch=fix commit={} {run} hash=00 -->",
            sha(commit)
        )
    }

    /// Applies the second event of the scenario to the repository.
    pub(super) fn happen(&self) {
        match self.scenario {
            Scenario::TwoPushes | Scenario::SweepAndPush => self.forge.set_branch(BRANCH, &sha('2')),
            Scenario::PublishAndClose => self.forge.close_pull_request(PULL_REQUEST),
            Scenario::CloseAndReopen => self.forge.reopen_pull_request(PULL_REQUEST),
            Scenario::TwoProductionPushes => self.forge.set_branch("main", &sha('2')),
        }
    }

    /// Returns the run that the first event starts.
    pub(super) fn first(&self) -> Deployment {
        let push = |branch| ("push", payloads::push(branch, &sha('1')));
        let (event, payload) = match self.scenario {
            Scenario::TwoPushes => push(BRANCH),
            Scenario::TwoProductionPushes => push("main"),
            Scenario::PublishAndClose => {
                ("pull_request", payloads::pull_request("opened", PULL_REQUEST, BRANCH, &sha('1')))
            }
            Scenario::CloseAndReopen => {
                ("pull_request", payloads::pull_request("closed", PULL_REQUEST, BRANCH, &sha('1')))
            }
            Scenario::SweepAndPush => {
                ("schedule", json!({"repository": payloads::push("main", "")["repository"]}))
            }
        };
        self.run(event, &payload, '1', 100)
    }

    /// Returns the run that the second event starts.
    pub(super) fn second(&self) -> Deployment {
        let push = |branch| ("push", payloads::push(branch, &sha('2')));
        let (event, payload) = match self.scenario {
            Scenario::TwoPushes | Scenario::SweepAndPush => push(BRANCH),
            Scenario::TwoProductionPushes => push("main"),
            Scenario::PublishAndClose if self.by_hand => {
                let manual = self.run("workflow_dispatch", &payloads::push("main", ""), '1', 5);
                return manual.variable("GITBOOK_MODE", "delete").variable("GITBOOK_BRANCH", BRANCH);
            }
            Scenario::PublishAndClose => {
                ("pull_request", payloads::pull_request("closed", PULL_REQUEST, BRANCH, &sha('1')))
            }
            Scenario::CloseAndReopen => {
                ("pull_request", payloads::pull_request("reopened", PULL_REQUEST, BRANCH, &sha('1')))
            }
        };
        let commit = if self.scenario == Scenario::CloseAndReopen { '1' } else { '2' };
        self.run(event, &payload, commit, 101)
    }

    fn run(&self, event: &str, payload: &serde_json::Value, commit: char, run: u64) -> Deployment {
        deployment()
            .on_github_event(event, payload, run)
            .variable("GITBOOK_RETRIES", "3")
            .variable("GITBOOK_BUNDLE", "false")
            .variable("GITBOOK_COMMENT", "false")
            .variable("GITBOOK_DEPLOYMENTS", "false")
            .folder(self.checkouts.path(&commit.to_string()))
    }

    /// Returns the wrong state of GitBook after both runs, or `None` if it is correct.
    pub(super) fn fault(&self) -> Option<Fault> {
        let name = if self.scenario == Scenario::TwoProductionPushes { "hello" } else { "hello-fix" };
        let exists = self.sandbox.names().contains(&name.to_owned());
        let commit = || self.sandbox.integration(name)["description"].as_str().unwrap_or_default().to_owned();
        match self.scenario {
            Scenario::PublishAndClose => exists.then_some(Fault::Resurrected),
            Scenario::CloseAndReopen => (!exists).then_some(Fault::Lost),
            _ if !exists => Some(Fault::Lost),
            _ => (commit() != "commit 2").then_some(Fault::Stale),
        }
    }
}
