//! The number of requests left before GitHub's rate limits.
//!
//! The limits are those of `docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;

/// GitHub's secondary limit: writes per minute.
const MAX_WRITES: usize = 80;
const MINUTE: Duration = Duration::from_secs(60);

/// The writes that are reserved for the comment. Jobs that write it at the same time repeat their writes.
const RESERVED_WRITES: usize = 10;

/// The requests of the primary limit that are reserved for the comment and for checks of branches.
const RESERVED_REQUESTS: u64 = 50;

/// The used requests. All clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget(Arc<Mutex<UsedRequests>>);

#[derive(Debug, Default)]
struct UsedRequests {
    writes: VecDeque<Instant>,
    reserved: usize,
    /// The requests that remain of the primary limit, from the newest response.
    remaining: Option<u64>,
}

/// Reserved writes, until the value is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    writes: usize,
}

impl Budget {
    /// Counts a write.
    pub(super) fn count_write(&self) {
        self.with(|used| used.writes.push_back(Instant::now()));
    }

    /// Updates the primary limit from the headers of a response.
    pub(super) fn update(&self, headers: &HeaderMap) {
        let remaining =
            headers.get("x-ratelimit-remaining").and_then(|text| text.to_str().ok()?.parse().ok());
        self.with(|used| used.remaining = remaining.or(used.remaining));
    }

    /// Reserves writes for an optional purpose. Returns `None` near a limit.
    pub(super) fn reserve(&self, writes: usize) -> Option<Reservation> {
        self.with(|used| {
            let now = Instant::now();
            used.writes.retain(|write| now.duration_since(*write) < MINUTE);
            let is_near = used.remaining.is_some_and(|remaining| remaining < RESERVED_REQUESTS)
                || used.writes.len() + used.reserved + writes > MAX_WRITES - RESERVED_WRITES;
            if is_near {
                return None;
            }
            used.reserved += writes;
            Some(Reservation { budget: self.clone(), writes })
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut UsedRequests) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.with(|used| used.reserved = used.reserved.saturating_sub(self.writes));
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::Budget;

    #[test]
    fn reserves_writes_for_the_comment() {
        let budget = Budget::default();
        (0..60).for_each(|_| budget.count_write());
        let first = budget.reserve(4);
        assert!(first.is_some() && budget.reserve(4).is_some());
        let second = budget.reserve(4);
        assert!(second.is_some() && budget.reserve(4).is_none());
        drop(first);
        assert!(budget.reserve(4).is_some());
    }

    #[test]
    fn reserves_requests_for_the_comment() {
        let (budget, mut headers) = (Budget::default(), HeaderMap::new());
        budget.update(&headers);
        assert!(budget.reserve(1).is_some());
        for (remaining, is_enough) in [("50", true), ("49", false), ("0", false), ("900", true), ("x", true)]
        {
            headers.insert("x-ratelimit-remaining", HeaderValue::from_static(remaining));
            budget.update(&headers);
            assert_eq!(budget.reserve(1).is_some(), is_enough, "{remaining}");
        }
    }
}
