//! Two runs about one branch, of which the second starts while the first is under way.

use fake_github::{FakeGitHub, Head};
use serde_json::json;

use crate::support::{Deployment, Repository, Sandbox, deployment, payloads, repository};

/// Something happens to a branch, and then something else.
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

    /// The name in `docs/previews.md`.
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

/// What is published before both runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// By an earlier run of the same CI system.
    Earlier,
    /// By a run with a higher number, of another CI system.
    OtherCounter,
    /// The same, by a version of the program that did not name its CI system.
    Unnamed,
}

/// What is wrong at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// An older commit is published.
    Stale,
    /// The branch is open, and its preview is gone.
    Lost,
    /// The branch is closed, and its preview is there.
    Resurrected,
}

/// A forge and a GitBook, and a checkout of each commit.
pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) forge: FakeGitHub,
    pub(super) sandbox: Sandbox,
    checkouts: Repository,
    /// Whether the second run of `PublishAndClose` is started by hand, with a low number.
    pub(super) by_hand: bool,
}

const FIX: &str = "fix";
const NUMBER: u64 = 12;

fn sha(commit: char) -> String {
    commit.to_string().repeat(40)
}

impl World {
    /// The world before the first run, in which the first thing has happened.
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
            _ => ("hello-fix", world.mark(before)),
        };
        if before != Before::Nothing || matches!(scenario, Scenario::CloseAndReopen | Scenario::SweepAndPush)
        {
            let there = json!({
                "name": name, "version": 3, "title": "Hello", "summary": summary, "visibility": "private",
                "description": "commit 0", "owner": {"object": "organization", "id": "acme"},
            });
            world.sandbox.set(name, &there);
        }
        match scenario {
            Scenario::TwoPushes => world.forge.set_branch(FIX, &sha('1')),
            Scenario::PublishAndClose => world.forge.open_pull_request(NUMBER, Head::own(FIX), &sha('1')),
            Scenario::CloseAndReopen => {
                world.forge.open_pull_request(NUMBER, Head::own(FIX), &sha('1'));
                world.forge.close_pull_request(NUMBER);
            }
            Scenario::SweepAndPush => {}
            Scenario::TwoProductionPushes => world.forge.set_branch("main", &sha('1')),
        }
        world
    }

    fn mark(&self, before: Before) -> String {
        let run = match before {
            Before::Nothing | Before::Earlier => "run=50 counter=GitHub%20Actions",
            Before::OtherCounter => "run=900000 counter=Jenkins",
            Before::Unnamed => "run=900000",
        };
        // Before a sweep, nobody deploys the branch any more.
        let commit = if self.scenario == Scenario::CloseAndReopen { '1' } else { '0' };
        format!(
            "Hi.\n\n<!-- gitbook-deploy:preview integration=hello repository=github.com/acme/integrations branch=fix commit={} {run} hash=00 -->",
            sha(commit)
        )
    }

    /// The second thing happens.
    pub(super) fn happen(&self) {
        match self.scenario {
            Scenario::TwoPushes | Scenario::SweepAndPush => self.forge.set_branch(FIX, &sha('2')),
            Scenario::PublishAndClose => self.forge.close_pull_request(NUMBER),
            Scenario::CloseAndReopen => self.forge.reopen_pull_request(NUMBER),
            Scenario::TwoProductionPushes => self.forge.set_branch("main", &sha('2')),
        }
    }

    /// The run on the first thing.
    pub(super) fn first(&self) -> Deployment {
        let push = |branch| ("push", payloads::push(branch, &sha('1')));
        let (event, payload) = match self.scenario {
            Scenario::TwoPushes => push(FIX),
            Scenario::TwoProductionPushes => push("main"),
            Scenario::PublishAndClose => {
                ("pull_request", payloads::pull_request("opened", NUMBER, FIX, &sha('1')))
            }
            Scenario::CloseAndReopen => {
                ("pull_request", payloads::pull_request("closed", NUMBER, FIX, &sha('1')))
            }
            Scenario::SweepAndPush => {
                ("schedule", json!({"repository": payloads::push("main", "")["repository"]}))
            }
        };
        self.run(event, &payload, '1', 100)
    }

    /// The run on the second thing.
    pub(super) fn second(&self) -> Deployment {
        let push = |branch| ("push", payloads::push(branch, &sha('2')));
        let (event, payload) = match self.scenario {
            Scenario::TwoPushes | Scenario::SweepAndPush => push(FIX),
            Scenario::TwoProductionPushes => push("main"),
            Scenario::PublishAndClose if self.by_hand => {
                let by_hand = self.run("workflow_dispatch", &payloads::push("main", ""), '1', 5);
                return by_hand.variable("GITBOOK_MODE", "delete").variable("GITBOOK_BRANCH", FIX);
            }
            Scenario::PublishAndClose => {
                ("pull_request", payloads::pull_request("closed", NUMBER, FIX, &sha('1')))
            }
            Scenario::CloseAndReopen => {
                ("pull_request", payloads::pull_request("reopened", NUMBER, FIX, &sha('1')))
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

    /// What is wrong now that both runs have ended.
    pub(super) fn fault(&self) -> Option<Fault> {
        let name = if self.scenario == Scenario::TwoProductionPushes { "hello" } else { "hello-fix" };
        let there = self.sandbox.names().contains(&name.to_owned());
        let commit = || self.sandbox.integration(name)["description"].as_str().unwrap_or_default().to_owned();
        match self.scenario {
            Scenario::PublishAndClose => there.then_some(Fault::Resurrected),
            Scenario::CloseAndReopen => (!there).then_some(Fault::Lost),
            _ if !there => Some(Fault::Lost),
            _ => (commit() != "commit 2").then_some(Fault::Stale),
        }
    }
}
