//! Gives up a forge that fails to answer, so that no deployment waits for each question anew.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ForgeError;

/// A forge that was given up is asked again at most so often.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// The pause after a question is so many times as long as the question took: a forge that stays down takes a sixth of the
/// time of a run at most.
const PAUSE_FACTOR: u32 = 5;

/// A circuit breaker, which clones share.
#[derive(Clone, Debug, Default)]
pub(super) struct Circuit(Arc<Mutex<Option<Open>>>);

#[derive(Debug)]
struct Open {
    /// The reason for giving up.
    why: String,
    /// The time from which the forge may be asked again.
    next_probe: Instant,
}

impl Circuit {
    /// Returns the reason if the forge was given up.
    pub(super) fn why_open(&self) -> Option<String> {
        self.with(|open| open.as_ref().map(|open| open.why.clone()))
    }

    /// Gives up the forge for an error. The first error stays the reason.
    pub(super) fn open(&self, error: &ForgeError) {
        self.with(|open| {
            open.get_or_insert_with(|| Open { why: error.to_string(), next_probe: Instant::now() });
        });
    }

    /// Begins to ask a forge again that was given up, if it is time. Nobody else asks for as long as `timeout`.
    pub(super) fn begin_probe(&self, timeout: Duration) -> bool {
        let now = Instant::now();
        self.with(|open| {
            let due = open.as_mut().filter(|open| open.next_probe <= now);
            due.map(|open| open.next_probe = now + timeout).is_some()
        })
    }

    /// Ends what `begin_probe` has begun at a time: closes the circuit if the forge has answered.
    pub(super) fn end_probe(&self, began: Instant, has_answered: bool) {
        let pause = MIN_PAUSE.max(began.elapsed() * PAUSE_FACTOR);
        self.with(|open| match open {
            _ if has_answered => *open = None,
            Some(open) => open.next_probe = Instant::now() + pause,
            None => {}
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Option<Open>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Circuit, ForgeError};

    #[test]
    fn a_forge_that_was_given_up_is_asked_again_once_at_a_time() {
        let circuit = Circuit::default();
        let is_due = || circuit.begin_probe(Duration::from_secs(2));
        assert!(!is_due() && circuit.why_open().is_none());
        for why in ["first", "second"] {
            circuit.open(&ForgeError::GivenUp(why.to_owned()));
        }
        assert_eq!(circuit.why_open().as_deref(), Some("the forge was given up, since first"));
        assert!(is_due() && !is_due());
        circuit.end_probe(Instant::now(), false);
        assert!(!is_due() && circuit.why_open().is_some());
    }

    #[test]
    fn a_slow_failure_is_followed_by_a_longer_pause() {
        let pause = |took: u64| {
            let circuit = Circuit::default();
            circuit.open(&ForgeError::Cancelled);
            circuit.end_probe(Instant::now().checked_sub(Duration::from_secs(took)).unwrap(), false);
            circuit.with(|open| open.as_ref().unwrap().next_probe - Instant::now()).as_secs_f32().round()
        };
        assert_eq!((pause(0), pause(2)), (1.0, 10.0));
    }

    #[test]
    fn a_forge_that_answers_again_is_not_given_up_any_more() {
        let circuit = Circuit::default();
        circuit.open(&ForgeError::Cancelled);
        assert!(circuit.begin_probe(Duration::from_secs(2)));
        circuit.end_probe(Instant::now(), true);
        assert!(circuit.why_open().is_none() && !circuit.begin_probe(Duration::from_secs(2)));
    }
}
