//! Counts the requests that GitHub's rate limits still allow, so that optional requests leave enough for the pull request comment.
//!
//! GitHub documents the limits in `docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;

/// GitHub's secondary rate limit: the maximum number of writes per minute.
const MAX_WRITES: usize = 80;
const MINUTE: Duration = Duration::from_secs(60);

/// The number of writes per minute that are reserved for the pull request comment. If jobs overwrite each other's text in the comment,
/// each job repeats its write.
const ESSENTIAL_WRITES: usize = 10;

/// The number of requests that are reserved for the pull request comment and for branch checks. They count toward GitHub's primary
/// rate limit, which is a number of requests per hour.
const ESSENTIAL_REQUESTS: u64 = 50;

/// The counts of sent and reserved requests. All clones share these counts.
#[derive(Clone, Debug, Default)]
pub(super) struct RateLimitBudget(Arc<Mutex<UsedRequests>>);

#[derive(Debug, Default)]
struct UsedRequests {
    /// The times of the writes in the last minute.
    recent_writes: VecDeque<Instant>,
    reserved_writes: usize,
    reserved_requests: u64,
    /// The number of requests that the primary rate limit still allows, according to the newest response.
    remaining: Option<u64>,
}

/// The number of requests that an operation needs, and the number of writes among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestCost {
    pub(crate) requests: u64,
    pub(crate) writes: usize,
}

/// Requests that stay reserved until this value is dropped. Until then, a sent request counts twice: as sent and as reserved. The
/// count may therefore be too high, but is never too low.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: RateLimitBudget,
    cost: RequestCost,
}

impl RateLimitBudget {
    /// Counts a write at the current time.
    pub(super) fn count_write(&self) {
        self.with_lock(|used| used.recent_writes.push_back(Instant::now()));
    }

    /// Updates the number of remaining requests from the response header `X-RateLimit-Remaining`.
    pub(super) fn update_remaining(&self, headers: &HeaderMap) {
        let remaining =
            headers.get("x-ratelimit-remaining").and_then(|text| text.to_str().ok()?.parse().ok());
        self.with_lock(|used| used.remaining = remaining.or(used.remaining));
    }

    /// Reserves requests for an optional operation. Returns `None` if a rate limit is nearly reached.
    pub(super) fn reserve(&self, cost: RequestCost) -> Option<Reservation> {
        self.with_lock(|used| {
            let now = Instant::now();
            used.recent_writes.retain(|write| now.duration_since(*write) < MINUTE);
            let requests = ESSENTIAL_REQUESTS + used.reserved_requests + cost.requests;
            let writes = ESSENTIAL_WRITES + used.recent_writes.len() + used.reserved_writes + cost.writes;
            let is_nearly_reached = used.remaining.is_some_and(|remaining| remaining < requests)
                || cost.writes > 0 && writes > MAX_WRITES;
            if is_nearly_reached {
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

    use super::{RateLimitBudget, RequestCost};

    const DEPLOYMENT: RequestCost = RequestCost { requests: 4, writes: 4 };

    fn remaining_header(value: &'static str) -> HeaderMap {
        [(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from_static(value))]
            .into_iter()
            .collect()
    }

    #[test]
    fn leaves_ten_writes_per_minute_for_the_comment() {
        let budget = RateLimitBudget::default();
        (0..60).for_each(|_| budget.count_write());
        let first = budget.reserve(DEPLOYMENT);
        assert!(first.is_some() && budget.reserve(DEPLOYMENT).is_some());
        let second = budget.reserve(DEPLOYMENT);
        assert!(second.is_some() && budget.reserve(DEPLOYMENT).is_none());
        (0..3).for_each(|_| budget.count_write());
        assert!(budget.reserve(RequestCost { requests: 9, writes: 0 }).is_some());
        drop((first, second));
        assert!(budget.reserve(DEPLOYMENT).is_some());
    }

    #[test]
    fn leaves_fifty_requests_for_the_comment_and_branch_checks() {
        let budget = RateLimitBudget::default();
        budget.update_remaining(&HeaderMap::new());
        assert!(budget.reserve(DEPLOYMENT).is_some());
        for (remaining, is_enough) in [("54", true), ("53", false), ("0", false), ("900", true), ("x", true)]
        {
            budget.update_remaining(&remaining_header(remaining));
            assert_eq!(budget.reserve(DEPLOYMENT).is_some(), is_enough, "{remaining}");
        }
    }

    #[test]
    fn counts_reserved_requests_until_they_are_released() {
        let budget = RateLimitBudget::default();
        budget.update_remaining(&remaining_header("60"));
        let reserved = [budget.reserve(DEPLOYMENT), budget.reserve(DEPLOYMENT)];
        assert!(reserved.iter().all(Option::is_some) && budget.reserve(DEPLOYMENT).is_none());
        drop(reserved);
        assert!(budget.reserve(DEPLOYMENT).is_some());
    }
}
