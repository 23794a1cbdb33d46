//! What can happen to branches and pull requests, told to the program or lost, and what others do meanwhile.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::third_party::Kind;

/// Two integrations, of which one is called as a preview of the other's could be.
pub(super) const INTEGRATIONS: [&str; 2] = ["hello", "hello-a"];

/// Branches of the repository itself, and of forks. `hello` on `a-b` and `hello-a` on `b` want one name; two differ in
/// case only; a fork's branch is called as one of the repository itself, and as another fork's.
pub(super) const HEADS: [&str; 8] = ["a", "a-b", "b", "x/y", "X/y", "mona:b", "lisa:b", "mona:x/y"];

/// What previews are called; the last two tell pull requests apart.
pub(super) const TEMPLATES: [&str; 5] =
    ["{name}-{branch}", "{branch}-{name}", "{name}-{hash}", "{name}-pr{pr}", "{name}-{pr}-{branch}"];

/// Histories that happen in one repository at the same time, each to branches and pull requests of its own. What they
/// share is looked at less often than if each were told for itself.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) template: &'static str,
    pub(super) histories: Vec<Vec<Step>>,
    /// Whether all is swept up once more at the end, which must change nothing.
    pub(super) twice: bool,
}

/// Something happens to a branch and an integration, where it can.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) history: usize,
    pub(super) head: String,
    pub(super) integration: &'static str,
    /// Whether a run comes of it, which publishes or deletes the preview.
    pub(super) handled: bool,
    /// Which of the history's pull requests, if it is about one.
    pub(super) pull: Index,
    pub(super) status: Status,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Status {
    /// The branch is created or moved.
    Push,
    Delete,
    /// The branch gets the name of another.
    Rename {
        to: &'static str,
    },
    /// A pull request is opened.
    Open,
    Close,
    Merge,
    Reopen,
    DeleteFork,
    /// A run that was started before publishes after all, whatever has become of the branch.
    Late,
    /// Another repository publishes its preview of a branch of the same name.
    Elsewhere,
    /// Somebody makes an integration by hand.
    Stranger(Kind),
    /// The events of very many branches were lost.
    Crowd {
        size: usize,
    },
    Sweep {
        dry: bool,
    },
}

/// The histories of a story.
pub(super) const TOLD_AT_ONCE: usize = 4;

pub(super) fn story() -> impl Strategy<Value = Story> {
    let templates = prop_oneof![3 => Just(TEMPLATES[0]), 5 => select(TEMPLATES.to_vec())];
    let histories = prop::collection::vec(history(), TOLD_AT_ONCE);
    (templates, histories, prop::bool::weighted(0.2)).prop_map(|(template, mut histories, twice)| {
        for (number, history) in histories.iter_mut().enumerate().skip(1) {
            for step in history {
                step.history = number;
                step.head = of(number, &step.head);
            }
        }
        Story { template, histories, twice }
    })
}

/// The name of a branch in one of the histories.
pub(super) fn of(history: usize, head: &str) -> String {
    if history == 0 { head.to_owned() } else { format!("{head}{history}") }
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    // Few branches in one history, so that its steps meet.
    let heads = prop::collection::vec(select(HEADS.to_vec()), 1..4);
    let step = (any::<Index>(), select(INTEGRATIONS.to_vec()), 0..4u8, any::<Index>(), what());
    (heads, prop::collection::vec(step, 2..10)).prop_map(|(heads, steps)| {
        let step = |(head, integration, luck, pull, what): (Index, _, _, _, _)| Step {
            history: 0,
            head: (*head.get::<&str>(&heads)).to_owned(),
            integration,
            // That something is gone is lost more often than that something is new: it is what a sweep is for.
            handled: if matches!(what, Status::Push | Status::Open | Status::Reopen) {
                luck < 3
            } else {
                luck < 1
            },
            pull,
            status: what,
        };
        steps.into_iter().map(step).collect()
    })
}

fn what() -> impl Strategy<Value = Status> {
    let own = HEADS.iter().copied().filter(|head| !head.contains(':')).collect::<Vec<_>>();
    prop_oneof![
        420 => Just(Status::Push),
        380 => Just(Status::Delete),
        100 => select(own).prop_map(|to| Status::Rename { to }),
        420 => Just(Status::Open),
        240 => Just(Status::Close),
        90 => Just(Status::Merge),
        90 => Just(Status::Reopen),
        60 => Just(Status::DeleteFork),
        240 => Just(Status::Late),
        60 => Just(Status::Elsewhere),
        500 => select(Kind::ALL.to_vec()).prop_map(Status::Stranger),
        1 => (45..60usize).prop_map(|size| Status::Crowd { size }),
        10 => any::<bool>().prop_map(|dry| Status::Sweep { dry }),
    ]
}
