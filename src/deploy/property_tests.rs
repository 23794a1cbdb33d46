//! Ten thousand random histories against the embedded API: previews come and go, and nobody else's is touched.

mod fault_injector;
mod retried;
mod scenario;
mod test_environment;

use std::cell::Cell;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use tempfile::TempDir;

use test_environment::World;
pub(super) use test_environment::packaged;

const HISTORIES: u32 = 10_000;

/// Each has a sandbox, a client and a thread of its own.
const TELLERS: u8 = 2;

/// What the compiler makes of nested futures without optimizing takes more than the usual two megabytes.
const STACK: usize = 16 << 20;

#[test]
fn previews_follow_their_branches_and_touch_nothing_else() {
    std::thread::scope(|scope| {
        for teller in 0..TELLERS {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, move || tell(teller)).unwrap();
        }
    });
}

/// A folder in memory, where there is such a place: a disk's file system is slow to make files where many were deleted.
pub(super) fn folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// Tells its share of the histories. The seed is always the same, so that a failure can be seen again.
fn tell(teller: u8) {
    let cases = HISTORIES / u32::from(TELLERS);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[teller; 32]);
    let mut runner = TestRunner::new_with_rng(config, seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let retried = Cell::new(0);
    let result = runner.run(&scenario::history(), |history| {
        retried.set(retried.get() + runtime.block_on(world.tell(&history))?);
        Ok(())
    });
    match result {
        // So that a test that tests nothing is noticed.
        Ok(()) => assert!(retried.get() >= 1000, "{retried:?}"),
        Err(TestError::Fail(reason, history)) => panic!("{reason}\nin the history {history:#?}"),
        Err(error) => panic!("{error}"),
    }
}
