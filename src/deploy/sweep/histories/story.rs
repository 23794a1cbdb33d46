//! What can happen to branches and pull requests, told to the program or lost, and what others do meanwhile.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::strangers::Kind;

/// Two integrations, of which one is called as a preview of the other's could be.
pub(super) const INTEGRATIONS: [&str; 2] = ["hello", "hello-a"];

/// Branches of the repository itself, and of forks. `hello` on `a-b` and `hello-a` on `b` want one name; two differ in
/// case only; a fork's branch is called as one of the repository itself, and as another fork's.
pub(super) const HEADS: [&str; 8] = ["a", "a-b", "b", "x/y", "X/y", "mona:b", "lisa:b", "mona:x/y"];

/// What previews are called; the last two tell pull requests apart.
pub(super) const TEMPLATES: [&str; 5] =
    ["{name}-{branch}", "{branch}-{name}", "{name}-{hash}", "{name}-pr{pr}", "{name}-{pr}-{branch}"];

/// What happens, and how previews are called meanwhile.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) template: &'static str,
    pub(super) steps: Vec<Step>,
    /// Whether all is swept up once more at the end, which must change nothing.
    pub(super) twice: bool,
}

/// Something happens to a branch and an integration, where it can.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) head: &'static str,
    pub(super) integration: &'static str,
    /// Whether a run comes of it, which publishes or deletes the preview.
    pub(super) handled: bool,
    /// Which of the pull requests, if it is about one.
    pub(super) pull: Index,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
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

pub(super) fn history() -> impl Strategy<Value = History> {
    // Few branches in one history, so that its steps meet.
    let heads = prop::collection::vec(select(HEADS.to_vec()), 1..4);
    let templates = prop_oneof![3 => Just(TEMPLATES[0]), 5 => select(TEMPLATES.to_vec())];
    let step = (any::<Index>(), select(INTEGRATIONS.to_vec()), any::<bool>(), any::<Index>(), what());
    (heads, templates, prop::collection::vec(step, 2..10), prop::bool::weighted(0.2)).prop_map(
        |(heads, template, steps, twice)| {
            let steps = steps.into_iter().map(|(head, integration, handled, pull, what)| Step {
                head: *head.get::<&str>(&heads),
                integration,
                handled,
                pull,
                what,
            });
            History { template, steps: steps.collect(), twice }
        },
    )
}

fn what() -> impl Strategy<Value = What> {
    let own = HEADS.iter().copied().filter(|head| !head.contains(':')).collect::<Vec<_>>();
    prop_oneof![
        140 => Just(What::Push),
        100 => Just(What::Delete),
        40 => select(own).prop_map(|to| What::Rename { to }),
        140 => Just(What::Open),
        60 => Just(What::Close),
        30 => Just(What::Merge),
        30 => Just(What::Reopen),
        20 => Just(What::DeleteFork),
        60 => Just(What::Late),
        30 => Just(What::Elsewhere),
        200 => select(Kind::ALL.to_vec()).prop_map(What::Stranger),
        1 => (45..60usize).prop_map(|size| What::Crowd { size }),
        30 => any::<bool>().prop_map(|dry| What::Sweep { dry }),
    ]
}
