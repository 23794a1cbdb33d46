//! Ten thousand random histories of branches, pull requests and lost events, each swept up against a forge and the
//! embedded API: the previews of what is open stay, those of what is gone go, and nobody else's is touched.

mod model;
mod runs;
mod scenario;
mod test_environment;
mod third_party;

use std::cell::RefCell;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use scenario::TOLD_AT_ONCE;
use test_environment::World;

const HISTORIES: u32 = 10_000;

/// Each has a forge, a sandbox, their clients and a thread of its own.
const TELLERS: u8 = 3;

/// What the compiler makes of nested futures without optimizing takes more than the usual two megabytes.
const STACK: usize = 16 << 20;

/// What happened in all histories together, so that a test that tests nothing is noticed.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    histories: usize,
    sweeps: usize,
    published: usize,
    deleted: usize,
    kept_as_open: usize,
    kept_for_another_reason: usize,
    /// Integrations without our repository's mark, or of another organization.
    strangers: usize,
    /// Sweeps that had more to delete than one may.
    full: usize,
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for whoever asks for them with `--nocapture`")]
fn a_sweep_leaves_what_is_open_and_touches_nothing_else() {
    let told = std::thread::scope(|scope| {
        let spawn = |teller| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, move || tell(teller)).unwrap()
        };
        let tellers: Vec<_> = (0..TELLERS).map(spawn).collect();
        tellers.into_iter().map(|teller| teller.join().unwrap()).fold(Figures::default(), Figures::plus)
    });
    println!("{told:#?}");
    assert!(told.histories >= 10_000 && told.sweeps >= 2_500, "{told:#?}");
    assert!(told.published >= 8_000 && told.deleted >= 3_000, "{told:#?}");
    assert!(told.kept_as_open >= 4_000 && told.kept_for_another_reason >= 2_000, "{told:#?}");
    assert!(told.strangers >= 8_000 && told.full >= 3, "{told:#?}");
}

/// Tells its share of the histories. The seed is always the same, so that a failure can be seen again.
fn tell(teller: u8) -> Figures {
    let cases = HISTORIES.div_ceil(u32::from(TELLERS) * u32::try_from(TOLD_AT_ONCE).unwrap());
    let config = Config { cases, failure_persistence: None, max_shrink_time: 60_000, ..Config::default() };
    let seed = TestRng::from_seed(RngAlgorithm::XorShift, &[teller + 1; 16]);
    let mut runner = TestRunner::new_with_rng(config, seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let figures = RefCell::new(Figures::default());
    let result = runner.run(&scenario::story(), |story| {
        let told = runtime.block_on(world.tell(&story))?;
        figures.replace_with(|figures| figures.plus(told));
        Ok(())
    });
    match result {
        Ok(()) => figures.into_inner(),
        Err(TestError::Fail(reason, story)) => panic!("{reason}\nin the story {story:#?}"),
        Err(error) => panic!("{error}"),
    }
}

impl Figures {
    fn plus(self, other: Self) -> Self {
        Self {
            histories: self.histories + other.histories,
            sweeps: self.sweeps + other.sweeps,
            published: self.published + other.published,
            deleted: self.deleted + other.deleted,
            kept_as_open: self.kept_as_open + other.kept_as_open,
            kept_for_another_reason: self.kept_for_another_reason + other.kept_for_another_reason,
            strangers: self.strangers + other.strangers,
            full: self.full + other.full,
        }
    }
}
