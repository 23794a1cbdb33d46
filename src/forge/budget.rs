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
    reserved: usize,
    /// The rest of the primary limit, as the newest answer tells it.
    remaining: Option<u64>,
}

/// Writes that are kept for a purpose until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    writes: usize,
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

    /// Reserves writes for something that is not needed; `None` near a limit.
    pub(super) fn reserve(&self, writes: usize) -> Option<Reservation> {
        self.with(|spent| {
            let now = Instant::now();
            spent.writes.retain(|write| now.duration_since(*write) < MINUTE);
            let is_near = spent.remaining.is_some_and(|remaining| remaining < KEPT_REQUESTS)
                || spent.writes.len() + spent.reserved + writes > MAX_WRITES - KEPT_WRITES;
            if is_near {
                return None;
            }
            spent.reserved += writes;
            Some(Reservation { budget: self.clone(), writes })
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Spent) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.with(|spent| spent.reserved = spent.reserved.saturating_sub(self.writes));
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::Budget;

    #[test]
    fn writes_are_kept_for_the_comment() {
        let budget = Budget::default();
        (0..60).for_each(|_| budget.write());
        let first = budget.reserve(4);
        assert!(first.is_some() && budget.reserve(4).is_some());
        let second = budget.reserve(4);
        assert!(second.is_some() && budget.reserve(4).is_none());
        drop(first);
        assert!(budget.reserve(4).is_some());
    }

    #[test]
    fn requests_are_kept_for_the_comment() {
        let (budget, mut headers) = (Budget::default(), HeaderMap::new());
        budget.read(&headers);
        assert!(budget.reserve(1).is_some());
        for (remaining, is_enough) in [("50", true), ("49", false), ("0", false), ("900", true), ("x", true)]
        {
            headers.insert("x-ratelimit-remaining", HeaderValue::from_static(remaining));
            budget.read(&headers);
            assert_eq!(budget.reserve(1).is_some(), is_enough, "{remaining}");
        }
    }
}
