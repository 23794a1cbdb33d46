//! When a request is tried again: exponential backoff with jitter, and no sooner than the server asks.

use std::time::{Duration, Instant, SystemTime};

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::ApiError;
use crate::cancel::Cancel;

/// The first pause; each further one is twice as long, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// All pauses of one request together. A server that asks for more is not waited for: the step would sit there,
/// paid for by the minute, and the error says when to come back.
const ALL_PAUSES: Duration = Duration::from_secs(300);

/// How often a request is tried again.
#[derive(Clone, Debug)]
pub(super) struct Retry {
    pub(super) times: u32,
    pub(super) timeout: Duration,
    /// After a signal nothing is tried again.
    pub(super) cancel: Option<Cancel>,
}

impl Retry {
    /// Runs a request until it succeeds, fails for good or was tried often enough.
    pub(super) async fn run<T, F: Future<Output = Result<T, ApiError>>>(
        &self,
        mut request: impl FnMut() -> F,
    ) -> Result<T, ApiError> {
        let times = usize::try_from(self.times).unwrap_or(usize::MAX);
        let backoff = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .with_max_times(times);
        let started = Instant::now();
        let cancel = self.cancel.clone();
        let mut tries = 0;
        let next = || {
            tries += 1;
            let next = (tries == 1 || !self.is_cancelled()).then(&mut request);
            async { next.ok_or(ApiError::Cancelled)?.await }
        };
        next.retry(backoff)
            .sleep(move |length| pause(cancel.clone(), length))
            .when(ApiError::is_worth_retrying)
            .adjust(|error, pause| {
                let pause = pause?.max(error.wait().unwrap_or_default());
                (started.elapsed().saturating_add(pause) <= ALL_PAUSES).then_some(pause)
            })
            .notify(|error, pause| {
                tracing::warn!("{error}; trying again in {}", humantime::format_duration(rounded(pause)));
            })
            .await
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(|cancel| cancel.signal().is_some())
    }
}

/// Sleeps, until a signal comes.
async fn pause(cancel: Option<Cancel>, length: Duration) {
    let sleep = tokio::time::sleep(length);
    match cancel {
        Some(cancel) => drop(cancel.or_at_once(sleep).await),
        None => sleep.await,
    }
}

fn rounded(pause: Duration) -> Duration {
    Duration::from_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

/// How long an answer asks to wait: `Retry-After` in seconds or as a date, or GitBook's `X-RateLimit-Reset` as
/// the second since 1970 when the limit is lifted.
pub(super) fn limit(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if status.is_success() {
        return None;
    }
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let now = SystemTime::now();
    let until = |time: SystemTime| time.duration_since(now).unwrap_or_default();
    if let Some(after) = text(RETRY_AFTER.as_str()) {
        let seconds = after.parse().ok().map(Duration::from_secs);
        return seconds.or_else(|| httpdate::parse_http_date(after).ok().map(until));
    }
    if status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let reset = text("x-ratelimit-reset")?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset)).map(until)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    fn limit(status: u16, name: &'static str, value: &str) -> Option<u64> {
        let headers: HeaderMap =
            [(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())].into_iter().collect();
        super::limit(StatusCode::from_u16(status).unwrap(), &headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_server_says_how_long() {
        let now = SystemTime::now();
        let soon = now + Duration::from_secs(61);
        let epoch = soon.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(limit(429, "retry-after", "7"), Some(7));
        assert_eq!(limit(503, "retry-after", "7"), Some(7));
        assert_eq!(limit(200, "retry-after", "7"), None);
        assert!((58..=61).contains(&limit(429, "retry-after", &httpdate::fmt_http_date(soon)).unwrap()));
        assert!((58..=61).contains(&limit(429, "x-ratelimit-reset", &epoch.to_string()).unwrap()));
        assert_eq!(limit(429, "x-ratelimit-reset", "1"), Some(0));
        assert_eq!(limit(429, "x-ratelimit-reset", "soon"), None);
        assert_eq!(limit(500, "x-ratelimit-reset", &epoch.to_string()), None);
    }
}
