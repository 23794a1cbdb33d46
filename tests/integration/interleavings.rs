//! Tests 520 interleavings of two concurrent runs. A fixed seed determines the order of the requests and which requests or
//! responses are lost.
//!
//! `docs/previews.md` contains the results of this test, with and without a forge token.

mod scenario;
mod scheduler;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::task::JoinHandle;

use crate::support::{Deployment, Finished};
use scenario::{Before, Fault, Scenario, TestEnvironment};
use scheduler::{RequestFault, Scheduler};

/// The number of interleavings of each scenario with a forge token, and also of each scenario without a forge token.
const INTERLEAVINGS_PER_SCENARIO: usize = 52;

/// The number of interleavings of all scenarios.
const INTERLEAVINGS: usize = 520;

/// The number of schedules to run for each counted interleaving. Schedules can lead to equal interleavings, which count once.
const SCHEDULES_PER_INTERLEAVING: usize = 2;

/// The number of schedules that run in parallel. Their runs mostly wait between two attempts, so they need few processors.
const CONCURRENCY: usize = 48;

/// The parameters of one interleaving, which the seed determines.
#[derive(Clone, Debug)]
struct Schedule {
    before: Before,
    by_hand: bool,
    /// True if GitBook's first response to the first run is so slow that the forge's earlier response becomes outdated.
    is_slow: bool,
    /// The number of requests of the first run before the second event happens.
    requests_before_event: usize,
    /// The run that continues at each step at which both runs wait: true for the first run.
    first_continues: Vec<bool>,
    /// The fates of the first write requests to GitBook, for each run.
    fates: [Vec<RequestFault>; 2],
}

/// Returns a strategy for schedules in which the second event happens after fewer than `requests` requests of the first run.
fn schedule_strategy(requests: usize) -> impl Strategy<Value = Schedule> {
    let before = prop_oneof![
        2 => Just(Before::Nothing), 2 => Just(Before::Earlier), 1 => Just(Before::OtherCounter), 1 => Just(Before::Unnamed)
    ];
    let fate = prop_oneof![2 => Just(RequestFault::Passes), 1 => Just(RequestFault::IsLost), 2 => Just(RequestFault::LosesAnswer)];
    // One run finishes before the other run continues, or the runs continue in a random order.
    let first_continues = prop_oneof![
        2 => prop::collection::vec(any::<bool>(), 40), 2 => Just(vec![false]), 1 => Just(vec![true])
    ];
    let fates = [prop::collection::vec(fate.clone(), 2), prop::collection::vec(fate, 2)];
    let is_slow = prop::bool::weighted(0.06);
    (before, prop::bool::weighted(0.3), is_slow, 0..requests, first_continues, fates).prop_map(
        |(before, by_hand, is_slow, requests_before_event, first_continues, fates)| Schedule {
            before,
            by_hand,
            is_slow,
            requests_before_event,
            first_continues,
            fates,
        },
    )
}

/// The result of an interleaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Correct,
    /// The final state is wrong, and no run reports it.
    Unreported(Fault),
    /// The final state is wrong, and a run logs a warning about the other run.
    Warned(Fault),
    /// The final state is wrong, and a run fails with an error and a hint.
    Failed(Fault),
}

/// A finished interleaving.
#[derive(Debug)]
struct Interleaving {
    /// The events and requests in order.
    trace: Vec<String>,
    outcome: Outcome,
    logs: String,
}

/// One of the two runs.
enum Run {
    NotStarted,
    Started(JoinHandle<Finished>),
}

impl Run {
    /// Starts a run that sends its requests through the scheduler's two addresses, one for GitBook and one for the forge. The
    /// tokens end with the name of the run.
    fn start(run: Deployment, addresses: &[String; 2], forge_token: Option<&str>, name: char) -> Self {
        let run =
            run.with_endpoint(&addresses[0]).variable("GITBOOK_TOKEN", format!("gb_api_token_of_{name}"));
        let run = run.variable("GITBOOK_RETRIES", "3").variable("GITHUB_API_URL", &addresses[1]);
        let run = match forge_token {
            Some(token) => run.variable("GITHUB_TOKEN", format!("{token}{name}")),
            None => run,
        };
        Self::Started(tokio::spawn(run.run()))
    }

    fn is_active(&self) -> bool {
        matches!(self, Self::Started(run) if !run.is_finished())
    }
}

/// Runs the program twice with the requests in the order of the schedule, and returns the result.
async fn run_interleaving(scenario: Scenario, with_token: bool, schedule: Schedule) -> Interleaving {
    let world = TestEnvironment::new(scenario, schedule.before, schedule.by_hand).await;
    let scheduler = Scheduler::default();
    let addresses = [
        scheduler.before(world.sandbox.endpoint(), true).await,
        scheduler.before(&world.forge.url(), false).await,
    ];
    let token = with_token.then_some("ghs_token_of_");
    let first = Run::start(world.first(), &addresses, token, 'A');
    let mut second = Run::NotStarted;
    let (mut trace, mut choices, mut fates) = (
        vec![format!("{:?}", schedule.before)],
        schedule.first_continues.iter().cycle(),
        schedule.fates.each_ref().map(|fates| fates.iter()),
    );
    let (mut passed, mut is_slow) = (0, false);
    loop {
        wait_for_requests(&scheduler, &first, &second).await;
        if matches!(second, Run::NotStarted)
            && (passed >= schedule.requests_before_event || !first.is_active())
        {
            let by_hand = scenario == Scenario::PublishAndClose && schedule.by_hand;
            trace.push(format!("second event{}", if by_hand { " by hand" } else { "" }));
            world.happen();
            second = Run::start(world.second(), &addresses, token, 'B');
            continue;
        }
        let waiting = scheduler.run();
        let Some(&only) = waiting.first() else { break };
        let run = match (waiting.contains(&'A'), waiting.contains(&'B')) {
            (true, true) if *choices.next().unwrap() => 'A',
            (true, true) => 'B',
            _ => only,
        };
        let request = scheduler.take(run);
        let fate = if request.changes {
            fates[usize::from(run == 'B')].next().copied().unwrap_or(RequestFault::Passes)
        } else if schedule.is_slow
            && run == 'A'
            && request.is_to_gitbook
            && !std::mem::replace(&mut is_slow, true)
        {
            RequestFault::IsSlow
        } else {
            RequestFault::Passes
        };
        passed += usize::from(run == 'A');
        trace.push(format!("{run} {} {fate:?}", request.text));
        request.proceed(fate);
    }
    let (Run::Started(first), Run::Started(second)) = (first, second) else {
        panic!("a run was not started")
    };
    let finished = [first.await.unwrap(), second.await.unwrap()];
    if with_token {
        assert_forge_is_checked_before_each_write(&trace);
    }
    let logs = finished.iter().map(Finished::log).collect::<Vec<_>>().join("\n");
    Interleaving { trace, outcome: outcome(&world, &finished), logs }
}

/// Asserts that each run has sent a request to the forge before each of its writes to GitBook. A deletion that was started by
/// hand is exempt.
fn assert_forge_is_checked_before_each_write(trace: &[String]) {
    for run in ["A ", "B "] {
        let mut has_checked = false;
        for step in trace.iter().filter_map(|step| step.strip_prefix(run)) {
            if step.contains(" /repos/") {
                has_checked = true;
            } else if step.starts_with("POST ") || step.starts_with("DELETE ") {
                let is_by_hand = trace.iter().any(|step| step.ends_with("by hand")) && run == "B ";
                assert!(
                    has_checked || is_by_hand,
                    "run {run}has not checked the forge before {step} in {trace:#?}"
                );
                has_checked = false;
            }
        }
    }
}

/// Waits until each active run has sent a request that the scheduler holds.
async fn wait_for_requests(scheduler: &Scheduler, first: &Run, second: &Run) {
    for _ in 0..6000 {
        let waiting = scheduler.run();
        let is_waiting = |run: &Run, name: char| !run.is_active() || waiting.contains(&name);
        if is_waiting(first, 'A') && is_waiting(second, 'B') {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("a run neither exits nor sends a request within 30 s");
}

/// Compares the final state with the messages of both runs.
fn outcome(world: &TestEnvironment, finished: &[Finished; 2]) -> Outcome {
    let Some(fault) = world.fault() else { return Outcome::Correct };
    // Parts of the messages about the effects of another run.
    let errors = [
        "overwrote the newer commit",
        "overwritten the newer commit",
        "was deleted, but",
        "while this run waited",
    ];
    let warnings = ["at the same time", "another run has deleted"];
    let have_logged =
        |texts: &[&str]| finished.iter().any(|run| texts.iter().any(|text| run.stderr.contains(text)));
    let has_failed = finished.iter().any(|run| run.code == Some(1));
    if has_failed && have_logged(&errors) {
        Outcome::Failed(fault)
    } else if have_logged(&warnings) {
        Outcome::Warned(fault)
    } else {
        Outcome::Unreported(fault)
    }
}

/// Returns the number of interleavings to count for a scenario.
fn expected_count(scenario: Scenario, with_token: bool) -> usize {
    match (scenario, with_token) {
        // A sweep needs a forge token.
        (Scenario::SweepAndPush, true) => 2 * INTERLEAVINGS_PER_SCENARIO,
        (Scenario::SweepAndPush, false) => 0,
        _ => INTERLEAVINGS_PER_SCENARIO,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_runs_with_a_forge_token_report_every_wrong_result() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[14; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let kinds = [true, false].into_iter().flat_map(|token| Scenario::ALL.map(|scenario| (scenario, token)));
    let mut interleavings = Vec::new();
    for (scenario, with_token) in kinds {
        // A sweep sends more requests, because it also lists branches and pull requests.
        let requests = if scenario == Scenario::SweepAndPush { 10 } else { 7 };
        for _ in 0..SCHEDULES_PER_INTERLEAVING * expected_count(scenario, with_token) {
            let schedule = schedule_strategy(requests).new_tree(&mut runner).unwrap().current();
            interleavings.push(async move {
                let interleaving =
                    tokio::spawn(run_interleaving(scenario, with_token, schedule.clone())).await.unwrap();
                (scenario, with_token, schedule, interleaving)
            });
        }
    }
    let mut traces = BTreeSet::new();
    let mut counts: BTreeMap<(bool, Scenario, Outcome), usize> = BTreeMap::new();
    let interleavings = interleavings
        .into_iter()
        .enumerate()
        .map(|(number, interleaving)| async move { (number, interleaving.await) });
    let mut interleavings: Vec<_> = stream::iter(interleavings).buffer_unordered(CONCURRENCY).collect().await;
    // A fixed order makes the test count the same interleavings each time.
    interleavings.sort_by_key(|(number, _)| *number);
    for (_, (scenario, with_token, schedule, interleaving)) in interleavings {
        let is_same_kind = |((token, other, _), _): &(&(bool, Scenario, Outcome), &usize)| {
            (*other, *token) == (scenario, with_token)
        };
        let counted: usize = counts.iter().filter(is_same_kind).map(|(_, count)| count).sum();
        if counted == expected_count(scenario, with_token)
            || !traces.insert((scenario, with_token, interleaving.trace.clone()))
        {
            continue;
        }
        let lacks_error = matches!(interleaving.outcome, Outcome::Unreported(_) | Outcome::Warned(_));
        assert!(
            !with_token || !lacks_error,
            "{scenario:?} {schedule:#?} {interleaving:#?}\n{}",
            interleaving.logs
        );
        *counts.entry((with_token, scenario, interleaving.outcome)).or_default() += 1;
    }
    assert_eq!(counts.values().sum::<usize>(), INTERLEAVINGS);
    let table = docs_table(&counts);
    let page = include_str!("../../docs/previews.md");
    assert!(page.contains(&table), "docs/previews.md should have this table:\n{table}");
}

/// Returns the table of `docs/previews.md`.
fn docs_table(counts: &BTreeMap<(bool, Scenario, Outcome), usize>) -> String {
    let mut rows = String::new();
    for with_token in [true, false] {
        for scenario in Scenario::ALL.into_iter().filter(|scenario| expected_count(*scenario, with_token) > 0)
        {
            let count = |has_outcome: fn(&Outcome) -> bool| -> usize {
                let is_counted = |(token, other, outcome): &(bool, Scenario, Outcome)| {
                    (*token, *other) == (with_token, scenario) && has_outcome(outcome)
                };
                counts.iter().filter(|(kind, _)| is_counted(kind)).map(|(_, count)| count).sum()
            };
            let outcomes = [
                count(|outcome| *outcome == Outcome::Correct),
                count(|outcome| matches!(outcome, Outcome::Failed(_))),
                count(|outcome| matches!(outcome, Outcome::Warned(_))),
                count(|outcome| matches!(outcome, Outcome::Unreported(_))),
            ];
            let token = if with_token { "yes" } else { "no" };
            let outcomes = outcomes.map(|count| count.to_string()).join(" | ");
            rows.push_str(&format!("| {} | {token} | {outcomes} |\n", scenario.name()));
        }
    }
    rows
}
