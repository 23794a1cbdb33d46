//! Retries failed requests with exponential backoff and jitter, and waits at least as long as the server asks.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder, Retryable as _};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::RequestError;
use crate::cancel::Cancel;

/// The delay before the first retry. Most overloaded servers have recovered by then.
pub(crate) const FIRST_DELAY: Duration = Duration::from_millis(500);

/// The maximum time for a request if several machines share one rate limit. The machines compete for the requests that the limit
/// allows (`docs/scale.md`).
pub(crate) const MAX_SHARD_WAIT: Duration = Duration::from_secs(30 * 60);

/// The maximum delay of the exponential backoff.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// The maximum random delay that is added to the wait for a rate limit. All machines receive the same end of the limit; without the
/// random delay, they would retry at the same moment.
const MAX_LIMIT_JITTER: Duration = Duration::from_secs(15);

/// The rules for retrying a request.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pub(crate) max_retries: u32,
    /// The delay before the first retry. Each later delay is twice as long, with jitter.
    pub(crate) first_delay: Duration,
    /// The maximum time for a request including all its retries.
    pub(crate) max_wait: Duration,
    /// The maximum time for a request, instead of `max_wait`, after a rate limit with a known end. With a value, such a rate
    /// limit does not count toward `max_retries`, because a request from one of many machines may reach the limit many times
    /// before it succeeds. With `None`, a rate limit counts like any other failure.
    pub(crate) max_wait_for_limits: Option<Duration>,
    /// The receiver of the signal that cancels the run. After a signal, no request is retried.
    pub(crate) cancel: Option<Cancel>,
}

/// An error that a failed request may have caused.
pub trait Retryable: fmt::Display {
    /// The error for a signal that arrives before the next attempt.
    const CANCELLED: Self;

    /// Returns the error of the request that caused this error, or `None` for any other cause.
    fn request_error(&self) -> Option<&RequestError>;

    /// Returns true if the same request may succeed on a retry.
    fn is_retryable(&self) -> bool {
        self.request_error().is_some_and(RequestError::is_retryable)
    }
}

/// The delays before the retries of one request.
struct Delays<'a> {
    retry: &'a Retry,
    backoff: ExponentialBackoff,
    random: fastrand::Rng,
    /// The number of failures that count toward `max_retries`.
    failures: u32,
}

impl Delays<'_> {
    /// Returns the delay before the next attempt, or `None` if the request must not be retried.
    fn next(&mut self, error: &impl Retryable, elapsed: Duration) -> Option<Duration> {
        let Retry { max_retries, max_wait, max_wait_for_limits, .. } = *self.retry;
        let error = error.request_error();
        let wait = error.and_then(RequestError::retry_after).unwrap_or_default();
        let is_limit = matches!(error, Some(RequestError::RateLimited(_))) && !wait.is_zero();
        let max_limit_wait = max_wait_for_limits.filter(|_| is_limit);
        self.failures += u32::from(max_limit_wait.is_none());
        let max_jitter = max_limit_wait.map_or(Duration::ZERO, |_| (wait / 4).min(MAX_LIMIT_JITTER));
        let jitter = jitter(&mut self.random, max_jitter);
        let delay = self.backoff.next()?.max(wait.saturating_add(jitter));
        let is_allowed = max_retries > 0 && self.failures <= max_retries;
        let max_wait = max_limit_wait.unwrap_or(max_wait);
        (is_allowed && elapsed.saturating_add(delay) <= max_wait).then_some(delay)
    }
}

/// Returns a random duration from zero to `max`.
pub(crate) fn jitter(random: &mut fastrand::Rng, max: Duration) -> Duration {
    max.mul_f32(random.f32())
}

impl Retry {
    /// Runs a request until it succeeds, fails with an error that is not retryable, or has no retries left.
    pub(crate) async fn run<T, E: Retryable, F: Future<Output = Result<T, E>>>(
        &self,
        request: impl FnMut() -> F,
    ) -> Result<T, E> {
        self.retry_if(E::is_retryable, request).await
    }

    /// Runs a request like [`run`](Self::run), but retries only if `is_retryable` returns true for the error.
    pub(crate) async fn retry_if<T, E: Retryable, F: Future<Output = Result<T, E>>>(
        &self,
        is_retryable: fn(&E) -> bool,
        mut request: impl FnMut() -> F,
    ) -> Result<T, E> {
        let mut delays = self.delays(fastrand::Rng::new());
        let started = Instant::now();
        let cancel = self.cancel.clone();
        let mut attempts = 0;
        let attempt = || {
            attempts += 1;
            let attempt = (attempts == 1 || !self.is_cancelled()).then(&mut request);
            async { attempt.ok_or(E::CANCELLED)?.await }
        };
        attempt
            .retry(std::iter::repeat(Duration::ZERO))
            .sleep(move |delay| sleep_unless_cancelled(cancel.clone(), delay))
            .when(is_retryable)
            .adjust(|error, _| delays.next(error, started.elapsed()))
            .notify(|error, delay| {
                tracing::warn!(
                    "{error}; retrying in {}",
                    humantime::format_duration(truncate_to_millis(delay))
                );
            })
            .await
    }

    /// Runs a future and drops it when a signal arrives. The future must be safe to drop at any time.
    pub(crate) async fn unless_cancelled<T, E: Retryable>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match &self.cancel {
            Some(cancel) => cancel.run_until_cancelled(work).await.unwrap_or(Err(E::CANCELLED)),
            None => work.await,
        }
    }

    fn delays(&self, mut random: fastrand::Rng) -> Delays<'_> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(self.first_delay)
            .with_max_delay(MAX_DELAY)
            .with_jitter()
            .with_jitter_seed(random.u64(..))
            .without_max_times()
            .build();
        Delays { retry: self, backoff, random, failures: 0 }
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(|cancel| cancel.signal().is_some())
    }
}

/// Sleeps until the delay is over or a signal arrives.
async fn sleep_unless_cancelled(cancel: Option<Cancel>, delay: Duration) {
    let sleep = tokio::time::sleep(delay);
    match cancel {
        Some(cancel) => drop(cancel.run_until_cancelled(sleep).await),
        None => sleep.await,
    }
}

fn truncate_to_millis(delay: Duration) -> Duration {
    Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
}

/// Returns the time to wait before a retry. It comes from `Retry-After` (seconds or a date) or from the end of the rate limit in
/// seconds since 1970 (`X-RateLimit-Reset`, on GitLab `RateLimit-Reset`). GitHub reports its rate limit as status 403 with
/// `X-RateLimit-Remaining: 0`.
pub(super) fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if status.is_success() {
        return None;
    }
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let now = SystemTime::now();
    let time_until = |time: SystemTime| time.duration_since(now).unwrap_or_default();
    if let Some(after) = header(RETRY_AFTER.as_str()) {
        let seconds = after.parse().ok().map(Duration::from_secs);
        return seconds.or_else(|| httpdate::parse_http_date(after).ok().map(time_until));
    }
    let is_exhausted = status == StatusCode::FORBIDDEN && header("x-ratelimit-remaining") == Some("0");
    if status != StatusCode::TOO_MANY_REQUESTS && !is_exhausted {
        return None;
    }
    let reset = header("x-ratelimit-reset").or_else(|| header("ratelimit-reset"))?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset)).map(time_until)
}

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    fn retry_after(status: u16, name: &'static str, value: &str) -> Option<u64> {
        let headers: HeaderMap =
            [(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())].into_iter().collect();
        super::retry_after(StatusCode::from_u16(status).unwrap(), &headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn reads_the_time_to_wait_from_the_headers() {
        let now = SystemTime::now();
        let soon = now + Duration::from_secs(61);
        let epoch = soon.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(retry_after(429, "retry-after", "7"), Some(7));
        assert_eq!(retry_after(503, "retry-after", "7"), Some(7));
        assert_eq!(retry_after(200, "retry-after", "7"), None);
        let date = httpdate::fmt_http_date(soon);
        assert!((58..=61).contains(&retry_after(429, "retry-after", &date).unwrap()));
        assert!((58..=61).contains(&retry_after(429, "x-ratelimit-reset", &epoch.to_string()).unwrap()));
        assert!((58..=61).contains(&retry_after(429, "ratelimit-reset", &epoch.to_string()).unwrap()));
        assert_eq!(retry_after(429, "x-ratelimit-reset", "1"), Some(0));
        assert_eq!(retry_after(429, "x-ratelimit-reset", "soon"), None);
        assert_eq!(retry_after(500, "x-ratelimit-reset", &epoch.to_string()), None);
    }
}
