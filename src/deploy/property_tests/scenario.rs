//! What can happen: pushes and closes in whatever order, and people who edit by hand.

use proptest::prelude::*;

use super::fault_injector::Fault;

/// Two integrations, of which one is called as the other's preview could be.
pub(super) const INTEGRATIONS: [&str; 2] = ["hello", "hello-a"];

/// `hello` on `a-b` and `hello-a` on `b` want one name. Two differ in case only, one is a fork's.
pub(super) const BRANCHES: [&str; 5] = ["a-b", "b", "x/y", "X/y", "mona:b"];

/// The versions of each integration's sources.
pub(super) const CONTENTS: usize = 2;

/// What happens, and whether the CI system numbers its runs.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) numbered: bool,
    pub(super) steps: Vec<Step>,
}

/// A branch of an integration, as indices of [`INTEGRATIONS`] and [`BRANCHES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) integration: usize,
    pub(super) branch: usize,
}

/// One thing that happens to a branch of an integration.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) pair: Pair,
    pub(super) status: Status,
}

#[derive(Clone, Debug)]
pub(super) enum Status {
    /// A push, an opened or a re-opened pull request.
    Push { content: usize },
    /// The same, by a run that was started so many runs ago.
    LatePush { content: usize, ago: u64 },
    /// The branch is closed.
    Close,
    /// The same, by a run that was started so many runs ago.
    LateClose { ago: u64 },
    /// Somebody publishes an integration of theirs under the preview's name.
    Squat(Squatter),
    /// Somebody edits the preview's summary.
    Damage(Damage),
    /// A push or a close whose request fails once and is tried again.
    Retried(Retried),
}

/// A request that fails once, and what others do before it is tried again.
#[derive(Clone, Debug)]
pub(super) struct Retried {
    /// What is pushed; `None` where the branch is closed.
    pub(super) content: Option<usize>,
    pub(super) fault: Fault,
    pub(super) meanwhile: Option<Box<Step>>,
}

/// What somebody else's integration looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Squatter {
    Unmarked,
    OtherRepository,
    OtherBranch,
    OtherIntegration,
    MarkNotAtTheEnd,
    HalfAMark,
}

/// How a mark is damaged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Damage {
    Removed,
    TextBehind,
    Truncated,
    AnotherBranch,
    TwoBranches,
    AnotherRun,
}

pub(super) fn history() -> impl Strategy<Value = History> {
    // Few branches in one history, so that its steps meet.
    let pairs = prop::collection::vec(pair(), 1..4);
    let steps = pairs.prop_flat_map(|pairs| {
        let step = (prop::sample::select(pairs.clone()), what(pairs));
        prop::collection::vec(step.prop_map(|(pair, status)| Step { pair, status }), 1..7)
    });
    (prop::bool::weighted(0.9), steps).prop_map(|(numbered, steps)| History { numbered, steps })
}

fn pair() -> impl Strategy<Value = Pair> {
    // The two that want one name meet often.
    let any = (0..INTEGRATIONS.len(), 0..BRANCHES.len());
    prop_oneof![Just((0, 0)), Just((1, 1)), any]
        .prop_map(|(integration, branch)| Pair { integration, branch })
}

/// What happens to a branch; of the given ones, something may happen to each between two tries.
fn what(pairs: Vec<Pair>) -> impl Strategy<Value = Status> {
    let fault = prop::sample::select(vec![Fault::Limited, Fault::Lost, Fault::Success]);
    let content = prop::option::weighted(0.6, 0..CONTENTS);
    let step =
        (prop::sample::select(pairs), whole()).prop_map(|(pair, status)| Box::new(Step { pair, status }));
    let retried = (content, fault, prop::option::weighted(0.8, step));
    let retried = retried
        .prop_map(|(content, fault, meanwhile)| Status::Retried(Retried { content, fault, meanwhile }));
    prop_oneof![15 => whole(), 4 => retried]
}

/// Something whose requests all succeed.
fn whole() -> impl Strategy<Value = Status> {
    prop_oneof![
        6 => (0..CONTENTS).prop_map(|content| Status::Push { content }),
        2 => (0..CONTENTS, 1..4u64).prop_map(|(content, ago)| Status::LatePush { content, ago }),
        4 => Just(Status::Close),
        1 => (1..4u64).prop_map(|ago| Status::LateClose { ago }),
        1 => squatter().prop_map(Status::Squat),
        1 => damage().prop_map(Status::Damage),
    ]
}

fn squatter() -> impl Strategy<Value = Squatter> {
    prop::sample::select(vec![
        Squatter::Unmarked,
        Squatter::OtherRepository,
        Squatter::OtherBranch,
        Squatter::OtherIntegration,
        Squatter::MarkNotAtTheEnd,
        Squatter::HalfAMark,
    ])
}

fn damage() -> impl Strategy<Value = Damage> {
    prop::sample::select(vec![
        Damage::Removed,
        Damage::TextBehind,
        Damage::Truncated,
        Damage::AnotherBranch,
        Damage::TwoBranches,
        Damage::AnotherRun,
    ])
}
