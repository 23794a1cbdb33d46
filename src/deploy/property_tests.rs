//! Property tests of publishing and deleting previews. They run ten thousand random scenarios against the sandbox and check that an
//! open branch has a preview, that a closed one has none, and that no other integration changes.

mod fault_injector;
mod retried;
mod scenario;
mod test_environment;

use std::cell::Cell;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use tempfile::TempDir;

use test_environment::TestEnvironment;
pub(super) use test_environment::packaged_integration;

const SCENARIOS: u32 = 10_000;

/// The number of threads. Each thread runs its scenarios against its own sandbox.
const THREADS: u8 = 2;

/// The stack size of a thread in bytes. Without compiler optimization, the nested futures need more than the default of 2 MiB.
const STACK: usize = 16 << 20;

#[test]
fn only_open_branches_have_previews_and_other_integrations_are_unchanged() {
    std::thread::scope(|scope| {
        for index in 0..THREADS {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, move || run_scenarios(index)).unwrap();
        }
    });
}

/// Creates a temporary folder, in memory if possible, because creating and deleting many files on a disk is slow.
pub(super) fn temporary_folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// Runs the scenarios of one thread. The random seed depends only on `index`, so that failures are reproducible.
fn run_scenarios(index: u8) {
    let cases = SCENARIOS / u32::from(THREADS);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[index; 32]);
    let mut runner = TestRunner::new_with_rng(config, seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let environment = runtime.block_on(TestEnvironment::new());
    let retried = Cell::new(0);
    let result = runner.run(&scenario::scenarios(), |scenario| {
        retried.set(retried.get() + runtime.block_on(environment.run_scenario(&scenario))?);
        Ok(())
    });
    match result {
        // Without enough retries, the test would not cover them.
        Ok(()) => assert!(retried.get() >= 1000, "{retried:?}"),
        Err(TestError::Fail(reason, scenario)) => panic!("{reason}\nin the scenario {scenario:#?}"),
        Err(error) => panic!("{error}"),
    }
}
