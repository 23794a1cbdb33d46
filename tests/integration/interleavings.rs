//! 520 interleavings of two runs: the order of their requests, lost requests and lost answers come of a seed.
//!
//! `docs/previews.md` tells what can go wrong without a forge token, with the figures of this test.

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
use scenario::{Before, Fault, Scenario, World};
use scheduler::{Fate, Scheduler};

/// Of each scenario, with a forge token and without one.
const OF_EACH: usize = 52;

/// All of them.
const INTERLEAVINGS: usize = 520;

/// So many times as many are played to find as many that differ.
const TRIED: usize = 2;

/// Most of the time, runs pause between two attempts.
const AT_ONCE: usize = 48;

/// What a seed decides.
#[derive(Clone, Debug)]
struct Schedule {
    before: Before,
    by_hand: bool,
    /// Whether the first run gets its first answer of GitBook so late that the forge's is too old by then.
    slow: bool,
    /// How many requests of the first run pass before the second thing happens.
    happens_after: usize,
    /// The run to continue at each step when both runs wait: true for the first.
    first_goes_on: Vec<bool>,
    /// The faults of the requests that change something, for each run.
    fates: [Vec<Fate>; 2],
}

/// Returns schedules in which the second thing happens after fewer than so many requests of the first run.
fn schedule(requests: usize) -> impl Strategy<Value = Schedule> {
    let before = prop_oneof![
        2 => Just(Before::Nothing), 2 => Just(Before::Earlier), 1 => Just(Before::OtherCounter), 1 => Just(Before::Unnamed)
    ];
    let fate = prop_oneof![2 => Just(Fate::Passes), 1 => Just(Fate::IsLost), 2 => Just(Fate::LosesAnswer)];
    // One run overtakes the other one, or they take turns.
    let going = prop_oneof![
        2 => prop::collection::vec(any::<bool>(), 40), 2 => Just(vec![false]), 1 => Just(vec![true])
    ];
    let fates = [prop::collection::vec(fate.clone(), 2), prop::collection::vec(fate, 2)];
    let slow = prop::bool::weighted(0.06);
    (before, prop::bool::weighted(0.3), slow, 0..requests, going, fates).prop_map(
        |(before, by_hand, slow, happens_after, first_goes_on, fates)| Schedule {
            before,
            by_hand,
            slow,
            happens_after,
            first_goes_on,
            fates,
        },
    )
}

/// How an interleaving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Well,
    /// Something is wrong, and nothing says so.
    Silently(Fault),
    /// Something may be wrong: a warning says so.
    Warned(Fault),
    /// A run has failed, and its error says what to do.
    Failed(Fault),
}

#[derive(Debug)]
struct Played {
    trace: Vec<String>,
    end: End,
    logs: String,
}

/// A run, under way or not.
enum Run {
    Waits,
    Goes(JoinHandle<Finished>),
}

impl Run {
    fn starts(run: Deployment, scheduled: &[String; 2], token: Option<&str>, name: char) -> Self {
        let run = run.against(&scheduled[0]).variable("GITBOOK_TOKEN", format!("gb_api_token_of_{name}"));
        let run = run.variable("GITBOOK_RETRIES", "3").variable("GITHUB_API_URL", &scheduled[1]);
        let run = match token {
            Some(token) => run.variable("GITHUB_TOKEN", format!("{token}{name}")),
            None => run,
        };
        Self::Goes(tokio::spawn(run.run()))
    }

    fn is_under_way(&self) -> bool {
        matches!(self, Self::Goes(run) if !run.is_finished())
    }
}

/// Lets two runs happen in an order, and looks at what came of it.
async fn play(scenario: Scenario, with_token: bool, schedule: Schedule) -> Played {
    let world = World::new(scenario, schedule.before, schedule.by_hand).await;
    let scheduler = Scheduler::default();
    let addresses = [
        scheduler.before(world.sandbox.endpoint(), true).await,
        scheduler.before(&world.forge.url(), false).await,
    ];
    let token = with_token.then_some("ghs_token_of_");
    let first = Run::starts(world.first(), &addresses, token, 'A');
    let mut second = Run::Waits;
    let (mut trace, mut choices, mut fates) = (
        vec![format!("{:?}", schedule.before)],
        schedule.first_goes_on.iter().cycle(),
        schedule.fates.each_ref().map(|fates| fates.iter()),
    );
    let (mut passed, mut is_slow) = (0, false);
    loop {
        settled(&scheduler, &first, &second).await;
        if matches!(second, Run::Waits) && (passed >= schedule.happens_after || !first.is_under_way()) {
            let by_hand = scenario == Scenario::PublishAndClose && schedule.by_hand;
            trace.push(format!("something happens{}", if by_hand { " by hand" } else { "" }));
            world.happen();
            second = Run::starts(world.second(), &addresses, token, 'B');
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
            fates[usize::from(run == 'B')].next().copied().unwrap_or(Fate::Passes)
        } else if schedule.slow
            && run == 'A'
            && request.is_to_gitbook
            && !std::mem::replace(&mut is_slow, true)
        {
            Fate::IsSlow
        } else {
            Fate::Passes
        };
        passed += usize::from(run == 'A');
        trace.push(format!("{run} {} {fate:?}", request.text));
        request.proceed(fate);
    }
    let (Run::Goes(first), Run::Goes(second)) = (first, second) else { panic!("both have run") };
    let ended = [first.await.unwrap(), second.await.unwrap()];
    if with_token {
        asks_before_each_change(&trace);
    }
    let logs = ended.iter().map(Finished::log).collect::<Vec<_>>().join("\n");
    Played { trace, end: end(&world, &ended), logs }
}

/// Holds that each run has asked the forge between two of its requests that change something.
fn asks_before_each_change(trace: &[String]) {
    for run in ["A ", "B "] {
        let mut has_asked = false;
        for step in trace.iter().filter_map(|step| step.strip_prefix(run)) {
            if step.contains(" /repos/") {
                has_asked = true;
            } else if step.starts_with("POST ") || step.starts_with("DELETE ") {
                let is_by_hand = trace.iter().any(|step| step.ends_with("by hand")) && run == "B ";
                assert!(has_asked || is_by_hand, "{run}has not asked before {step} in {trace:#?}");
                has_asked = false;
            }
        }
    }
}

/// Waits until each run that is under way waits for a request to pass.
async fn settled(scheduler: &Scheduler, first: &Run, second: &Run) {
    for _ in 0..6000 {
        let waiting = scheduler.run();
        let is_settled = |run: &Run, name: char| !run.is_under_way() || waiting.contains(&name);
        if is_settled(first, 'A') && is_settled(second, 'B') {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("a run neither ends nor asks for anything");
}

fn end(world: &World, ended: &[Finished; 2]) -> End {
    let Some(fault) = world.fault() else { return End::Well };
    // What a run says of the other one, and what to do.
    let errors = ["overwritten the version of the newer commit", "was deleted, but", "while this run waited"];
    let warnings = ["at the same time", "another run has deleted"];
    let says =
        |texts: &[&str]| ended.iter().any(|ended| texts.iter().any(|text| ended.stderr.contains(text)));
    let has_failed = ended.iter().any(|ended| ended.code == Some(1));
    if has_failed && says(&errors) {
        End::Failed(fault)
    } else if says(&warnings) {
        End::Warned(fault)
    } else {
        End::Silently(fault)
    }
}

/// How many interleavings of a scenario there are to be.
fn wanted(scenario: Scenario, with_token: bool) -> usize {
    match (scenario, with_token) {
        // Without a token there is no sweep.
        (Scenario::SweepAndPush, true) => 2 * OF_EACH,
        (Scenario::SweepAndPush, false) => 0,
        _ => OF_EACH,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_of_two_runs_leaves_something_wrong_without_a_word() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[14; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let kinds = [true, false].into_iter().flat_map(|token| Scenario::ALL.map(|scenario| (scenario, token)));
    let mut plays = Vec::new();
    for (scenario, with_token) in kinds {
        // A sweep lists branches and pull requests first.
        let requests = if scenario == Scenario::SweepAndPush { 10 } else { 7 };
        for _ in 0..TRIED * wanted(scenario, with_token) {
            let schedule = schedule(requests).new_tree(&mut runner).unwrap().current();
            plays.push(async move {
                let played = tokio::spawn(play(scenario, with_token, schedule.clone())).await.unwrap();
                (scenario, with_token, schedule, played)
            });
        }
    }
    let mut traces = BTreeSet::new();
    let mut counts: BTreeMap<(bool, Scenario, End), usize> = BTreeMap::new();
    let plays = plays.into_iter().enumerate().map(|(number, play)| async move { (number, play.await) });
    let mut played: Vec<_> = stream::iter(plays).buffer_unordered(AT_ONCE).collect().await;
    // In their order, so that the same ones are left out each time.
    played.sort_by_key(|(number, _)| *number);
    for (_, (scenario, with_token, schedule, played)) in played {
        let is_of_kind = |((token, other, _), _): &(&(bool, Scenario, End), &usize)| {
            (*other, *token) == (scenario, with_token)
        };
        let found: usize = counts.iter().filter(is_of_kind).map(|(_, count)| count).sum();
        if found == wanted(scenario, with_token)
            || !traces.insert((scenario, with_token, played.trace.clone()))
        {
            continue;
        }
        let is_silent = matches!(played.end, End::Silently(_) | End::Warned(_));
        assert!(!with_token || !is_silent, "{scenario:?} {schedule:#?} {played:#?}\n{}", played.logs);
        *counts.entry((with_token, scenario, played.end)).or_default() += 1;
    }
    assert_eq!(counts.values().sum::<usize>(), INTERLEAVINGS);
    let table = table(&counts);
    let page = include_str!("../../docs/previews.md");
    assert!(page.contains(&table), "docs/previews.md should have this table:\n{table}");
}

/// The table of `docs/previews.md`.
fn table(counts: &BTreeMap<(bool, Scenario, End), usize>) -> String {
    let mut rows = String::new();
    for with_token in [true, false] {
        for scenario in Scenario::ALL.into_iter().filter(|scenario| wanted(*scenario, with_token) > 0) {
            let count = |is_end: fn(&End) -> bool| -> usize {
                let of_kind = |(token, other, end): &(bool, Scenario, End)| {
                    (*token, *other) == (with_token, scenario) && is_end(end)
                };
                counts.iter().filter(|(kind, _)| of_kind(kind)).map(|(_, count)| count).sum()
            };
            let ends = [
                count(|end| *end == End::Well),
                count(|end| matches!(end, End::Failed(_))),
                count(|end| matches!(end, End::Warned(_))),
                count(|end| matches!(end, End::Silently(_))),
            ];
            let token = if with_token { "yes" } else { "no" };
            let ends = ends.map(|count| count.to_string()).join(" | ");
            rows.push_str(&format!("| {} | {token} | {ends} |\n", scenario.name()));
        }
    }
    rows
}
