//! Generates random scenarios: pushes and closed branches in any order, and manual changes by third parties.

use proptest::prelude::*;

use super::fault_injector::Fault;

/// The names of the integrations. A preview of the first integration could also have the second name.
pub(super) const INTEGRATIONS: [&str; 2] = ["hello", "hello-a"];

/// The branches. The previews of `hello` on `a-b` and of `hello-a` on `b` have the same name. Two branches differ only in
/// case, and one is in a fork.
pub(super) const BRANCHES: [&str; 5] = ["a-b", "b", "x/y", "X/y", "mona:b"];

/// The number of different contents of each integration.
pub(super) const CONTENT_COUNT: usize = 2;

/// A sequence of steps. `has_run_numbers` is true if the CI system provides run numbers.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) has_run_numbers: bool,
    pub(super) steps: Vec<Step>,
}

/// A preview, identified by its integration and branch as indices of [`INTEGRATIONS`] and [`BRANCHES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PreviewKey {
    pub(super) integration: usize,
    pub(super) branch: usize,
}

/// An action on the preview of an integration and a branch.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) key: PreviewKey,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// A push, or an opened or reopened pull request.
    Push { content: usize },
    /// A push with a late run, which started `runs_ago` runs earlier.
    LatePush { content: usize, runs_ago: u64 },
    /// The branch is closed.
    Close,
    /// A closed branch with a late run, which started `runs_ago` runs earlier.
    LateClose { runs_ago: u64 },
    /// A third party publishes an integration with the preview's name.
    PublishThirdParty(ConflictKind),
    /// A third party edits the preview's summary.
    Damage(Damage),
    /// A push or a closed branch, with a request that fails once.
    RetriedRun(RetriedRun),
}

/// A run with a request that fails once, and a step of another run before the second attempt.
#[derive(Clone, Debug)]
pub(super) struct RetriedRun {
    /// The number of the pushed content; `None` if the branch is closed.
    pub(super) content: Option<usize>,
    pub(super) fault: Fault,
    pub(super) intermediate_step: Option<Box<Step>>,
}

/// The kind of a third party's integration.
#[derive(Clone, Copy, Debug)]
pub(super) enum ConflictKind {
    Unmarked,
    OtherRepository,
    OtherBranch,
    OtherIntegration,
    MarkerNotAtTheEnd,
    IncompleteMarker,
}

/// The kind of damage to a marker.
#[derive(Clone, Copy, Debug)]
pub(super) enum Damage {
    Removed,
    TextAfterMarker,
    Truncated,
    AnotherBranch,
    TwoBranches,
    InvalidRun,
}

pub(super) fn scenarios() -> impl Strategy<Value = Scenario> {
    // Few branches in one scenario make conflicts likely.
    let keys = prop::collection::vec(key(), 1..4);
    let steps = keys.prop_flat_map(|keys| {
        let step = (prop::sample::select(keys.clone()), action(keys));
        prop::collection::vec(step.prop_map(|(key, action)| Step { key, action }), 1..7)
    });
    (prop::bool::weighted(0.9), steps)
        .prop_map(|(has_run_numbers, steps)| Scenario { has_run_numbers, steps })
}

fn key() -> impl Strategy<Value = PreviewKey> {
    // The first two previews have the same name and are generated often.
    let any = (0..INTEGRATIONS.len(), 0..BRANCHES.len());
    prop_oneof![Just((0, 0)), Just((1, 1)), any]
        .prop_map(|(integration, branch)| PreviewKey { integration, branch })
}

/// Generates actions. For a request that fails once, also generates an action on a preview before the second attempt.
fn action(keys: Vec<PreviewKey>) -> impl Strategy<Value = Action> {
    let fault = prop::sample::select(vec![Fault::RateLimited, Fault::RequestLost, Fault::ResponseLost]);
    let content = prop::option::weighted(0.6, 0..CONTENT_COUNT);
    let step = (prop::sample::select(keys), successful_action())
        .prop_map(|(key, action)| Box::new(Step { key, action }));
    let retried = (content, fault, prop::option::weighted(0.8, step));
    let retried = retried.prop_map(|(content, fault, intermediate_step)| {
        Action::RetriedRun(RetriedRun { content, fault, intermediate_step })
    });
    prop_oneof![15 => successful_action(), 4 => retried]
}

/// Generates actions with only successful requests.
fn successful_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (0..CONTENT_COUNT).prop_map(|content| Action::Push { content }),
        2 => (0..CONTENT_COUNT, 1..4u64).prop_map(|(content, runs_ago)| Action::LatePush { content, runs_ago }),
        4 => Just(Action::Close),
        1 => (1..4u64).prop_map(|runs_ago| Action::LateClose { runs_ago }),
        1 => conflict_kind().prop_map(Action::PublishThirdParty),
        1 => damage().prop_map(Action::Damage),
    ]
}

fn conflict_kind() -> impl Strategy<Value = ConflictKind> {
    prop::sample::select(vec![
        ConflictKind::Unmarked,
        ConflictKind::OtherRepository,
        ConflictKind::OtherBranch,
        ConflictKind::OtherIntegration,
        ConflictKind::MarkerNotAtTheEnd,
        ConflictKind::IncompleteMarker,
    ])
}

fn damage() -> impl Strategy<Value = Damage> {
    prop::sample::select(vec![
        Damage::Removed,
        Damage::TextAfterMarker,
        Damage::Truncated,
        Damage::AnotherBranch,
        Damage::TwoBranches,
        Damage::InvalidRun,
    ])
}

/// A run that publishes or deletes a preview.
#[derive(Clone, Copy)]
pub(super) struct SimulatedRun {
    pub(super) key: PreviewKey,
    /// The number of the content to publish; `None` to delete the preview.
    pub(super) content: Option<usize>,
    pub(super) run: u64,
}
