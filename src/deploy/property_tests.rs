//! Runs ten thousand random scenarios against the sandbox: previews follow their branches, and other integrations never
//! change.

mod fault_injector;
mod retried;
mod scenario;
mod test_environment;

use std::cell::Cell;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use tempfile::TempDir;

use test_environment::TestEnvironment;
pub(super) use test_environment::packaged;

const SCENARIOS: u32 = 10_000;

/// The number of threads. Each has its own sandbox and client.
const THREADS: u8 = 2;

/// The stack size. Without optimization, the nested futures need more than the default of 2 MiB.
const STACK: usize = 16 << 20;

#[test]
fn previews_follow_their_branches_and_touch_nothing_else() {
    std::thread::scope(|scope| {
        for index in 0..THREADS {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, move || run_scenarios(index)).unwrap();
        }
    });
}

/// Creates a folder in memory if possible, because creating and deleting many files on a disk is slow.
pub(super) fn folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// Runs the scenarios of one thread. The seed is constant, so that failures are reproducible.
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
        // This detects a test without effect.
        Ok(()) => assert!(retried.get() >= 1000, "{retried:?}"),
        Err(TestError::Fail(reason, scenario)) => panic!("{reason}\nin the scenario {scenario:#?}"),
        Err(error) => panic!("{error}"),
    }
}
