//! Generates random scenarios: changes of branches and pull requests with handled or lost events, and changes by third parties.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::third_party::ThirdPartyKind;

/// The names of the integrations. A preview of the first integration could also have the second name.
pub(super) const INTEGRATIONS: [&str; 2] = ["hello", "hello-a"];

/// The branches of the repository and of forks (`owner:branch`). The previews of `hello` on `a-b` and of `hello-a` on `b` have the same
/// name. Two branches differ only in case. Some branches of forks have the same name as a branch of the repository.
pub(super) const HEADS: [&str; 8] = ["a", "a-b", "b", "x/y", "X/y", "mona:b", "lisa:b", "mona:x/y"];

/// The templates for preview names. The last two contain the pull request.
pub(super) const TEMPLATES: [&str; 5] =
    ["{name}-{branch}", "{branch}-{name}", "{name}-{hash}", "{name}-pr{pr}", "{name}-{pr}-{branch}"];

/// Several independent histories in one repository, each with its own branches and pull requests. One sweep checks all of them, which
/// is faster than a sweep per history.
#[derive(Clone, Debug)]
pub(super) struct SweepScenario {
    pub(super) template: &'static str,
    pub(super) histories: Vec<Vec<SweepStep>>,
    /// True to sweep a second time at the end. The second sweep must change nothing.
    pub(super) sweep_twice: bool,
}

/// An action on a branch and an integration.
#[derive(Clone, Debug)]
pub(super) struct SweepStep {
    pub(super) history: usize,
    pub(super) head: String,
    pub(super) integration: &'static str,
    /// True if a run handles the event; false if the event is lost.
    pub(super) handled: bool,
    /// The index of the affected pull request among the history's pull requests.
    pub(super) pull: Index,
    pub(super) action: SweepAction,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum SweepAction {
    /// The branch is created or gets a new commit.
    Push,
    Delete,
    /// The branch is renamed.
    Rename {
        to: &'static str,
    },
    /// A pull request is opened.
    Open,
    Close,
    Merge,
    Reopen,
    DeleteFork,
    /// A late run publishes the preview, even if the branch is closed.
    LatePublish,
    /// Another repository publishes a preview of a branch with the same name.
    PublishFromOtherRepository,
    /// A third party creates an integration.
    ThirdParty(ThirdPartyKind),
    /// Many branches with previews are deleted, and no run handles these events.
    ManyDeletedBranches {
        size: usize,
    },
    Sweep {
        dry_run: bool,
    },
}

/// The number of histories in a scenario.
pub(super) const HISTORIES_PER_SCENARIO: usize = 4;

pub(super) fn scenarios() -> impl Strategy<Value = SweepScenario> {
    let templates = prop_oneof![3 => Just(TEMPLATES[0]), 5 => select(TEMPLATES.to_vec())];
    let histories = prop::collection::vec(history(), HISTORIES_PER_SCENARIO);
    (templates, histories, prop::bool::weighted(0.2)).prop_map(|(template, mut histories, sweep_twice)| {
        for (number, history) in histories.iter_mut().enumerate().skip(1) {
            for step in history {
                step.history = number;
                step.head = head_in_history(number, &step.head);
            }
        }
        SweepScenario { template, histories, sweep_twice }
    })
}

/// Makes the name of a branch unique to a history.
pub(super) fn head_in_history(history: usize, head: &str) -> String {
    if history == 0 { head.to_owned() } else { format!("{head}{history}") }
}

fn history() -> impl Strategy<Value = Vec<SweepStep>> {
    // Few branches in one history make conflicts likely.
    let heads = prop::collection::vec(select(HEADS.to_vec()), 1..4);
    let step = (any::<Index>(), select(INTEGRATIONS.to_vec()), 0..4u8, any::<Index>(), action());
    (heads, prop::collection::vec(step, 2..10)).prop_map(|(heads, steps)| {
        let step = |(head, integration, chance, pull, action): (Index, _, _, _, _)| SweepStep {
            history: 0,
            head: (*head.get::<&str>(&heads)).to_owned(),
            integration,
            // Close events are lost most often, because sweeps delete the previews that these events would have deleted.
            handled: if matches!(action, SweepAction::Push | SweepAction::Open | SweepAction::Reopen) {
                chance < 3
            } else {
                chance < 1
            },
            pull,
            action,
        };
        steps.into_iter().map(step).collect()
    })
}

fn action() -> impl Strategy<Value = SweepAction> {
    let own = HEADS.iter().copied().filter(|head| !head.contains(':')).collect::<Vec<_>>();
    prop_oneof![
        420 => Just(SweepAction::Push),
        380 => Just(SweepAction::Delete),
        100 => select(own).prop_map(|to| SweepAction::Rename { to }),
        420 => Just(SweepAction::Open),
        240 => Just(SweepAction::Close),
        90 => Just(SweepAction::Merge),
        90 => Just(SweepAction::Reopen),
        60 => Just(SweepAction::DeleteFork),
        240 => Just(SweepAction::LatePublish),
        60 => Just(SweepAction::PublishFromOtherRepository),
        500 => select(ThirdPartyKind::ALL.to_vec()).prop_map(SweepAction::ThirdParty),
        1 => (45..60usize).prop_map(|size| SweepAction::ManyDeletedBranches { size }),
        10 => any::<bool>().prop_map(|dry_run| SweepAction::Sweep { dry_run }),
    ]
}
