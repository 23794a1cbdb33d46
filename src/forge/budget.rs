//! The requests that a run may still make before it reaches GitHub's rate limits.
//!
//! The limits are those of `docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;

/// Writes in a minute before GitHub's secondary limit.
const MAX_WRITES: usize = 80;
const MINUTE: Duration = Duration::from_secs(60);

/// The writes of a comment: jobs that write it at the same time write again.
const KEPT_WRITES: usize = 10;

/// The requests of a comment and of the checks for closed branches, of the primary limit.
const KEPT_REQUESTS: u64 = 50;

/// A count of requests, which all clients of a repository share.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget(Arc<Mutex<Spent>>);

#[derive(Debug, Default)]
struct Spent {
    writes: VecDeque<Instant>,
    reserved_writes: usize,
    reserved_requests: u64,
    /// The rest of the primary limit, as the newest answer tells it.
    remaining: Option<u64>,
}

/// The requests that something takes, and the writes among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) writes: usize,
}

/// Requests that are kept for a purpose until this is dropped. Those that were made meanwhile count twice: an answer may be
/// older than a request of another job.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    cost: Cost,
}

impl Budget {
    /// Counts a write.
    pub(super) fn write(&self) {
        self.with(|spent| spent.writes.push_back(Instant::now()));
    }

    /// Reads what an answer tells of the primary limit.
    pub(super) fn read(&self, headers: &HeaderMap) {
        let remaining =
            headers.get("x-ratelimit-remaining").and_then(|text| text.to_str().ok()?.parse().ok());
        self.with(|spent| spent.remaining = remaining.or(spent.remaining));
    }

    /// Reserves requests for something that is not needed; `None` near a limit.
    pub(super) fn reserve(&self, cost: Cost) -> Option<Reservation> {
        self.with(|spent| {
            let now = Instant::now();
            spent.writes.retain(|write| now.duration_since(*write) < MINUTE);
            let requests = KEPT_REQUESTS + spent.reserved_requests + cost.requests;
            let writes = KEPT_WRITES + spent.writes.len() + spent.reserved_writes + cost.writes;
            let is_near = spent.remaining.is_some_and(|remaining| remaining < requests)
                || cost.writes > 0 && writes > MAX_WRITES;
            if is_near {
                return None;
            }
            spent.reserved_requests += cost.requests;
            spent.reserved_writes += cost.writes;
            Some(Reservation { budget: self.clone(), cost })
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Spent) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.with(|spent| {
            spent.reserved_requests = spent.reserved_requests.saturating_sub(self.cost.requests);
            spent.reserved_writes = spent.reserved_writes.saturating_sub(self.cost.writes);
        });
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{Budget, Cost};

    const RECORD: Cost = Cost { requests: 4, writes: 4 };

    fn remaining(text: &'static str) -> HeaderMap {
        [(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from_static(text))]
            .into_iter()
            .collect()
    }

    #[test]
    fn writes_are_kept_for_the_comment() {
        let budget = Budget::default();
        (0..60).for_each(|_| budget.write());
        let first = budget.reserve(RECORD);
        assert!(first.is_some() && budget.reserve(RECORD).is_some());
        let second = budget.reserve(RECORD);
        assert!(second.is_some() && budget.reserve(RECORD).is_none());
        (0..3).for_each(|_| budget.write());
        assert!(budget.reserve(Cost { requests: 9, writes: 0 }).is_some());
        drop((first, second));
        assert!(budget.reserve(RECORD).is_some());
    }

    #[test]
    fn requests_are_kept_for_the_comment() {
        let budget = Budget::default();
        budget.read(&HeaderMap::new());
        assert!(budget.reserve(RECORD).is_some());
        for (left, is_enough) in [("54", true), ("53", false), ("0", false), ("900", true), ("x", true)] {
            budget.read(&remaining(left));
            assert_eq!(budget.reserve(RECORD).is_some(), is_enough, "{left}");
        }
    }

    #[test]
    fn requests_that_are_not_made_yet_count() {
        let budget = Budget::default();
        budget.read(&remaining("60"));
        let reserved = [budget.reserve(RECORD), budget.reserve(RECORD)];
        assert!(reserved.iter().all(Option::is_some) && budget.reserve(RECORD).is_none());
        drop(reserved);
        assert!(budget.reserve(RECORD).is_some());
    }
}
