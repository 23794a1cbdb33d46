//! The circuit breaker: after a failure that affects all requests, such as a timeout, further requests to the forge fail
//! immediately, so that a deployment does not wait for the timeout of each request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ForgeError;

/// The minimum pause after a probe. A probe is a request that checks whether the forge responds again.
const MIN_PROBE_PAUSE: Duration = Duration::from_secs(1);

/// The pause after a probe, as a multiple of the probe's duration. If the forge stays down, probes take at most one sixth of the run's
/// time.
const PROBE_PAUSE_FACTOR: u32 = 5;

/// A circuit breaker. It is open from a failure that affects all requests until a probe succeeds. All clones share its state.
#[derive(Clone, Debug, Default)]
pub(super) struct CircuitBreaker(Arc<Mutex<Option<OpenCircuit>>>);

/// The state of an open circuit.
#[derive(Debug)]
struct OpenCircuit {
    /// The failure that opened the circuit.
    failure: String,
    /// The earliest time of the next probe.
    next_probe: Instant,
}

impl CircuitBreaker {
    /// Returns the failure that opened the circuit, or `None` if the circuit is closed.
    pub(super) fn failure(&self) -> Option<String> {
        self.with_lock(|open| open.as_ref().map(|open| open.failure.clone()))
    }

    /// Opens the circuit after a failure. An open circuit keeps its first failure.
    pub(super) fn open(&self, error: &ForgeError) {
        self.with_lock(|open| {
            open.get_or_insert_with(|| OpenCircuit {
                failure: error.to_string(),
                next_probe: Instant::now(),
            });
        });
    }

    /// Begins a probe, a request that checks whether the forge responds again. Returns false if the circuit is closed or the next
    /// probe is not due yet. After true, it returns false until the probe has ended or `timeout` has passed, so that probes do
    /// not overlap.
    pub(super) fn begin_probe(&self, timeout: Duration) -> bool {
        let now = Instant::now();
        self.with_lock(|open| {
            let due = open.as_mut().filter(|open| open.next_probe <= now);
            due.map(|open| open.next_probe = now + timeout).is_some()
        })
    }

    /// Ends the probe that [`begin_probe`](Self::begin_probe) began. Closes the circuit if the forge has responded.
    pub(super) fn end_probe(&self, began: Instant, has_responded: bool) {
        let pause = MIN_PROBE_PAUSE.max(began.elapsed() * PROBE_PAUSE_FACTOR);
        self.with_lock(|open| match open {
            _ if has_responded => *open = None,
            Some(open) => open.next_probe = Instant::now() + pause,
            None => {}
        });
    }

    fn with_lock<T>(&self, work: impl FnOnce(&mut Option<OpenCircuit>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{CircuitBreaker, ForgeError};
    use crate::http::RequestError;

    fn open_circuit() -> CircuitBreaker {
        let circuit = CircuitBreaker::default();
        circuit.open(&ForgeError::Request(RequestError::Cancelled));
        circuit
    }

    #[test]
    fn allows_one_probe_at_a_time() {
        let circuit = CircuitBreaker::default();
        let begin_probe = || circuit.begin_probe(Duration::from_secs(2));
        assert!(!begin_probe() && circuit.failure().is_none());
        for failure in ["first", "second"] {
            circuit.open(&ForgeError::CircuitOpen(failure.to_owned()));
        }
        assert_eq!(circuit.failure().as_deref(), Some("request skipped after an earlier failure: first"));
        assert!(begin_probe() && !begin_probe());
        circuit.end_probe(Instant::now(), false);
        assert!(!begin_probe() && circuit.failure().is_some());
    }

    #[test]
    fn pauses_longer_after_a_slow_probe() {
        let pause = |seconds: u64| {
            let circuit = open_circuit();
            circuit.end_probe(Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap(), false);
            circuit.with_lock(|open| open.as_ref().unwrap().next_probe - Instant::now()).as_secs_f32().round()
        };
        assert_eq!((pause(0), pause(2)), (1.0, 10.0));
    }

    #[test]
    fn closes_after_a_successful_probe() {
        let circuit = open_circuit();
        assert!(circuit.begin_probe(Duration::from_secs(2)));
        circuit.end_probe(Instant::now(), true);
        assert!(circuit.failure().is_none() && !circuit.begin_probe(Duration::from_secs(2)));
    }
}
