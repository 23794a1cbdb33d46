//! When a request is tried again: exponential backoff with jitter, and no sooner than the server asks.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder, Retryable as _};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::cancel::Cancel;

/// Long enough for most of what is busy to be so no more.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// All machines that wait for a limit to end are told the same moment. They come back within a part of the time that they
/// waited, and no longer than this, so that they do not all come at once.
const LONGEST_SPREAD: Duration = Duration::from_secs(15);

/// How often a request is tried again.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pub(crate) times: u32,
    /// The first pause; each further one is twice as long, with jitter.
    pub(crate) pause: Duration,
    /// All pauses of one request together.
    pub(crate) patience: Duration,
    /// The same where a limit is reached that others share, and until its turn comes.
    pub(crate) patience_with_limits: Duration,
    /// After a signal nothing is tried again.
    pub(crate) cancel: Option<Cancel>,
}

/// A failure that may be worth another try.
pub trait Retryable: fmt::Display {
    /// A signal came before the next try.
    const CANCELLED: Self;

    /// Whether the same request may well succeed a little later.
    fn is_worth_retrying(&self) -> bool;

    /// How long the server asked to wait.
    fn wait(&self) -> Option<Duration>;

    /// Whether the server refuses for no other reason than that too much was asked, and takes it later.
    fn is_limit(&self) -> bool {
        false
    }
}

/// How long to pause before each further try of one request.
struct Pauses<'a> {
    retry: &'a Retry,
    backoff: ExponentialBackoff,
    random: fastrand::Rng,
    /// Those that count.
    failures: u32,
}

impl Pauses<'_> {
    /// How long to pause after a failure; `None` when it is not tried again. A limit of which the server tells the end is
    /// no failed try: where many machines share it, some are refused again and again before their turn comes.
    fn after(&mut self, error: &impl Retryable, elapsed: Duration) -> Option<Duration> {
        let Retry { times, patience, patience_with_limits, .. } = *self.retry;
        let wait = error.wait().unwrap_or_default();
        let is_limit = error.is_limit() && !wait.is_zero();
        self.failures += u32::from(!is_limit);
        let longest = if is_limit { (wait / 4).min(LONGEST_SPREAD) } else { Duration::ZERO };
        let spread = longest.mul_f32(self.random.f32());
        let pause = self.backoff.next()?.max(wait.saturating_add(spread));
        let is_tried = times > 0 && self.failures <= times;
        let patience = if is_limit { patience_with_limits } else { patience };
        (is_tried && elapsed.saturating_add(pause) <= patience).then_some(pause)
    }
}

impl Retry {
    /// Runs a request until it succeeds, fails for good or was tried often enough.
    pub(crate) async fn run<T, E: Retryable, F: Future<Output = Result<T, E>>>(
        &self,
        request: impl FnMut() -> F,
    ) -> Result<T, E> {
        self.run_while(E::is_worth_retrying, request).await
    }

    /// The same, with another opinion on what is worth another try.
    pub(crate) async fn run_while<T, E: Retryable, F: Future<Output = Result<T, E>>>(
        &self,
        is_worth_retrying: fn(&E) -> bool,
        mut request: impl FnMut() -> F,
    ) -> Result<T, E> {
        let mut pauses = self.pauses(fastrand::Rng::new());
        let started = Instant::now();
        let cancel = self.cancel.clone();
        let mut tries = 0;
        let next = || {
            tries += 1;
            let next = (tries == 1 || !self.is_cancelled()).then(&mut request);
            async { next.ok_or(E::CANCELLED)?.await }
        };
        next.retry(std::iter::repeat(Duration::ZERO))
            .sleep(move |length| pause(cancel.clone(), length))
            .when(is_worth_retrying)
            .adjust(|error, _| pauses.after(error, started.elapsed()))
            .notify(|error, pause| {
                tracing::warn!("{error}; trying again in {}", humantime::format_duration(rounded(pause)));
            })
            .await
    }

    /// What needs no end, and so is dropped as soon as a signal comes.
    pub(crate) async fn unless_cancelled<T, E: Retryable>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match &self.cancel {
            Some(cancel) => cancel.run_until_cancelled(work).await.unwrap_or(Err(E::CANCELLED)),
            None => work.await,
        }
    }

    fn pauses(&self, mut random: fastrand::Rng) -> Pauses<'_> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(self.pause)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .with_jitter_seed(random.u64(..))
            .without_max_times()
            .build();
        Pauses { retry: self, backoff, random, failures: 0 }
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(|cancel| cancel.signal().is_some())
    }
}

/// Sleeps, until a signal comes.
async fn pause(cancel: Option<Cancel>, length: Duration) {
    let sleep = tokio::time::sleep(length);
    match cancel {
        Some(cancel) => drop(cancel.run_until_cancelled(sleep).await),
        None => sleep.await,
    }
}

fn rounded(pause: Duration) -> Duration {
    Duration::from_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

/// How long an answer asks to wait: `Retry-After` in seconds or as a date, or `X-RateLimit-Reset` as the second since
/// 1970 when the limit is lifted, which GitLab tells without the `X`. GitHub's limit comes as a 403 with nothing
/// remaining.
pub(super) fn wait(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
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
    let exhausted = status == StatusCode::FORBIDDEN && text("x-ratelimit-remaining") == Some("0");
    if status != StatusCode::TOO_MANY_REQUESTS && !exhausted {
        return None;
    }
    let reset = text("x-ratelimit-reset").or_else(|| text("ratelimit-reset"))?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset)).map(until)
}

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    fn limit(status: u16, name: &'static str, value: &str) -> Option<u64> {
        let headers: HeaderMap =
            [(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())].into_iter().collect();
        super::wait(StatusCode::from_u16(status).unwrap(), &headers).map(|wait| wait.as_secs())
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
        assert!((58..=61).contains(&limit(429, "ratelimit-reset", &epoch.to_string()).unwrap()));
        assert_eq!(limit(429, "x-ratelimit-reset", "1"), Some(0));
        assert_eq!(limit(429, "x-ratelimit-reset", "soon"), None);
        assert_eq!(limit(500, "x-ratelimit-reset", &epoch.to_string()), None);
    }
}
