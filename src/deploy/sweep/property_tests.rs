//! Property tests of the sweep. They run ten thousand random histories of branches and pull requests, with lost events and a sweep at
//! the end. They check that only the previews of closed branches are deleted, and that no other integration changes.

mod model;
mod runs;
mod scenario;
mod test_environment;
mod third_party;

use std::cell::RefCell;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use scenario::HISTORIES_PER_SCENARIO;
use test_environment::SweepEnvironment;

const HISTORIES: u32 = 10_000;

/// The number of threads. Each thread runs its histories against its own fake GitHub and sandbox.
const THREADS: u8 = 3;

/// The stack size of a thread in bytes. Without compiler optimization, the nested futures need more than the default of 2 MiB.
const STACK: usize = 16 << 20;

/// The numbers of tested cases. The test fails if one of the numbers is too low.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    histories: usize,
    sweeps: usize,
    published: usize,
    deleted: usize,
    kept_as_open: usize,
    kept_for_another_reason: usize,
    /// The integrations that sweeps did not report, since they belong to other repositories or organizations.
    third_parties: usize,
    /// The sweeps that reached the maximum number of deletions.
    at_deletion_limit: usize,
}

#[test]
#[expect(clippy::print_stdout, reason = "`--nocapture` shows the counts")]
fn a_sweep_deletes_only_previews_of_closed_branches() {
    let counted = std::thread::scope(|scope| {
        let spawn = |index| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, move || run_scenarios(index)).unwrap()
        };
        let threads: Vec<_> = (0..THREADS).map(spawn).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).fold(Counts::default(), Counts::merge)
    });
    println!("{counted:#?}");
    assert!(counted.histories >= 10_000 && counted.sweeps >= 2_500, "{counted:#?}");
    assert!(counted.published >= 8_000 && counted.deleted >= 3_000, "{counted:#?}");
    assert!(counted.kept_as_open >= 4_000 && counted.kept_for_another_reason >= 2_000, "{counted:#?}");
    assert!(counted.third_parties >= 8_000 && counted.at_deletion_limit >= 3, "{counted:#?}");
}

/// Runs the scenarios of one thread. The random seed depends only on `index`, so that failures are reproducible.
fn run_scenarios(index: u8) -> Counts {
    let cases = HISTORIES.div_ceil(u32::from(THREADS) * u32::try_from(HISTORIES_PER_SCENARIO).unwrap());
    let config = Config { cases, failure_persistence: None, max_shrink_time: 60_000, ..Config::default() };
    let seed = TestRng::from_seed(RngAlgorithm::XorShift, &[index + 1; 16]);
    let mut runner = TestRunner::new_with_rng(config, seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let environment = runtime.block_on(SweepEnvironment::new());
    let counts = RefCell::new(Counts::default());
    let result = runner.run(&scenario::scenarios(), |scenario| {
        let counted = runtime.block_on(environment.run_scenario(&scenario))?;
        counts.replace_with(|counts| counts.merge(counted));
        Ok(())
    });
    match result {
        Ok(()) => counts.into_inner(),
        Err(TestError::Fail(reason, scenario)) => panic!("{reason}\nin the scenario {scenario:#?}"),
        Err(error) => panic!("{error}"),
    }
}

impl Counts {
    fn merge(self, other: Self) -> Self {
        Self {
            histories: self.histories + other.histories,
            sweeps: self.sweeps + other.sweeps,
            published: self.published + other.published,
            deleted: self.deleted + other.deleted,
            kept_as_open: self.kept_as_open + other.kept_as_open,
            kept_for_another_reason: self.kept_for_another_reason + other.kept_for_another_reason,
            third_parties: self.third_parties + other.third_parties,
            at_deletion_limit: self.at_deletion_limit + other.at_deletion_limit,
        }
    }
}
