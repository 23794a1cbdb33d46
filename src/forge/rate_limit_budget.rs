//! Counts the requests that GitHub's rate limits still allow, so that optional requests leave enough for the comment.
//!
//! GitHub documents the limits in `docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;

/// GitHub's secondary rate limit: the maximum number of writes per minute.
const MAX_WRITES: usize = 80;
const MINUTE: Duration = Duration::from_secs(60);

/// The number of writes that are reserved for the comment. Jobs that overwrite each other's comment repeat their writes.
const RESERVED_WRITES: usize = 10;

/// The number of requests that are reserved for the comment and for checks of branches. They count toward GitHub's primary rate limit,
/// the number of requests per hour.
const RESERVED_REQUESTS: u64 = 50;

/// The requests that were sent or reserved. All clones share the counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget(Arc<Mutex<UsedRequests>>);

#[derive(Debug, Default)]
struct UsedRequests {
    writes: VecDeque<Instant>,
    reserved_writes: usize,
    reserved_requests: u64,
    /// The number of requests that the primary rate limit still allows, according to the newest response.
    remaining: Option<u64>,
}

/// The number of requests that an operation needs, and the number of writes among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) writes: usize,
}

/// Requests that stay reserved until this value is dropped. Reserved requests that are already sent count twice, which errs on the
/// safe side.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    cost: Cost,
}

impl Budget {
    /// Counts a write that is sent now.
    pub(super) fn count_write(&self) {
        self.with_lock(|used| used.writes.push_back(Instant::now()));
    }

    /// Updates the number of remaining requests from a response's `X-RateLimit-Remaining`.
    pub(super) fn update(&self, headers: &HeaderMap) {
        let remaining =
            headers.get("x-ratelimit-remaining").and_then(|text| text.to_str().ok()?.parse().ok());
        self.with_lock(|used| used.remaining = remaining.or(used.remaining));
    }

    /// Reserves requests for an optional operation. Returns `None` if a rate limit is nearly reached.
    pub(super) fn reserve(&self, cost: Cost) -> Option<Reservation> {
        self.with_lock(|used| {
            let now = Instant::now();
            used.writes.retain(|write| now.duration_since(*write) < MINUTE);
            let requests = RESERVED_REQUESTS + used.reserved_requests + cost.requests;
            let writes = RESERVED_WRITES + used.writes.len() + used.reserved_writes + cost.writes;
            let is_near = used.remaining.is_some_and(|remaining| remaining < requests)
                || cost.writes > 0 && writes > MAX_WRITES;
            if is_near {
                return None;
            }
            used.reserved_requests += cost.requests;
            used.reserved_writes += cost.writes;
            Some(Reservation { budget: self.clone(), cost })
        })
    }

    fn with_lock<T>(&self, work: impl FnOnce(&mut UsedRequests) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.with_lock(|used| {
            used.reserved_requests = used.reserved_requests.saturating_sub(self.cost.requests);
            used.reserved_writes = used.reserved_writes.saturating_sub(self.cost.writes);
        });
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{Budget, Cost};

    const DEPLOYMENT: Cost = Cost { requests: 4, writes: 4 };

    fn remaining(text: &'static str) -> HeaderMap {
        [(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from_static(text))]
            .into_iter()
            .collect()
    }

    #[test]
    fn reserves_writes_for_the_comment() {
        let budget = Budget::default();
        (0..60).for_each(|_| budget.count_write());
        let first = budget.reserve(DEPLOYMENT);
        assert!(first.is_some() && budget.reserve(DEPLOYMENT).is_some());
        let second = budget.reserve(DEPLOYMENT);
        assert!(second.is_some() && budget.reserve(DEPLOYMENT).is_none());
        (0..3).for_each(|_| budget.count_write());
        assert!(budget.reserve(Cost { requests: 9, writes: 0 }).is_some());
        drop((first, second));
        assert!(budget.reserve(DEPLOYMENT).is_some());
    }

    #[test]
    fn reserves_requests_for_the_comment() {
        let budget = Budget::default();
        budget.update(&HeaderMap::new());
        assert!(budget.reserve(DEPLOYMENT).is_some());
        for (left, is_enough) in [("54", true), ("53", false), ("0", false), ("900", true), ("x", true)] {
            budget.update(&remaining(left));
            assert_eq!(budget.reserve(DEPLOYMENT).is_some(), is_enough, "{left}");
        }
    }

    #[test]
    fn counts_reserved_requests() {
        let budget = Budget::default();
        budget.update(&remaining("60"));
        let reserved = [budget.reserve(DEPLOYMENT), budget.reserve(DEPLOYMENT)];
        assert!(reserved.iter().all(Option::is_some) && budget.reserve(DEPLOYMENT).is_none());
        drop(reserved);
        assert!(budget.reserve(DEPLOYMENT).is_some());
    }
}
