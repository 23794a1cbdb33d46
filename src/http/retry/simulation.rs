//! Simulates many machines that share one rate limit. The delays between retries come from the program's own code.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use reqwest::StatusCode;

use super::{Delays, MAX_SHARD_WAIT, Retry};
use crate::http::{ApiKind, ErrorResponse, RequestError, Response};

/// A rate limit.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// A fixed number of requests per period. A refusal contains the end of the period, like GitBook's `X-RateLimit-Reset`.
    Window { requests: u64, length: Duration },
    /// One request per interval, and a burst of several requests after a pause. A refusal contains the time until the next allowed
    /// request, like `Retry-After`.
    Bucket { interval: Duration, burst: u64 },
}

/// A server with a rate limit.
struct Server {
    limit: Limit,
    /// The number of the current period, for [`Limit::Window`].
    period: u128,
    /// The number of requests in the current period.
    requests: u64,
    /// The time at which the full burst is allowed again, for [`Limit::Bucket`].
    full_at: Duration,
}

impl Server {
    /// Counts a request. If the limit refuses the request, returns the time to wait, in whole seconds.
    fn count_request(&mut self, now: Duration) -> Option<Duration> {
        match self.limit {
            Limit::Window { requests, length } => {
                let period = now.as_nanos() / length.as_nanos();
                if period != self.period {
                    (self.period, self.requests) = (period, 0);
                }
                self.requests += 1;
                let end = length * u32::try_from(period + 1).unwrap();
                (self.requests > requests).then(|| whole_seconds(end - now))
            }
            Limit::Bucket { interval, burst } => {
                let full_at = self.full_at.max(now) + interval;
                let size = interval * u32::try_from(burst).unwrap();
                if full_at > now + size {
                    return Some(whole_seconds(full_at - now - size));
                }
                self.full_at = full_at;
                None
            }
        }
    }
}

impl Limit {
    /// Returns the minimum time in which the limit allows this number of requests.
    fn min_time(self, requests: u64) -> Duration {
        let times = |count: u64| u32::try_from(count).unwrap();
        match self {
            Self::Window { requests: max, length } => length * times((requests - 1) / max),
            Self::Bucket { interval, burst } => interval * times(requests - burst),
        }
    }
}

fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

/// Returns the error for a refused request: a server error if `counts_as_failure` is true, otherwise a rate limit.
fn refusal_error(wait: Duration, counts_as_failure: bool) -> RequestError {
    let status =
        if counts_as_failure { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::TOO_MANY_REQUESTS };
    let response = Response {
        api: ApiKind::GitBook,
        status,
        headers: <_>::default(),
        body: Vec::new(),
        retry_after: Some(wait),
    };
    RequestError::from_response(ErrorResponse::new(&response, None, None))
}

/// A deployment that sends one request per integration.
#[derive(Clone, Copy)]
struct SimulatedDeployment {
    limit: Limit,
    integrations: u64,
    machines: u64,
    concurrency: u64,
    refusals_are_failures: bool,
}

/// The result of a simulated deployment.
#[derive(Debug, Default)]
struct SimulationResult {
    time: Duration,
    refused: u64,
    failed: u64,
}

/// The time of a request's first attempt, and the delays before its retries.
type PendingRequest<'a> = (Duration, Delays<'a>);

impl SimulatedDeployment {
    fn run(self) -> SimulationResult {
        let mut random = fastrand::Rng::with_seed(1);
        let retry = retry_rules(4, MAX_SHARD_WAIT, MAX_SHARD_WAIT);
        let mut server = Server { limit: self.limit, period: 0, requests: 0, full_at: Duration::ZERO };
        let integrations_of = |machine| {
            self.integrations / self.machines + u64::from(machine < self.integrations % self.machines)
        };
        let mut remaining: HashMap<_, _> =
            (0..self.machines).map(|machine| (machine, integrations_of(machine))).collect();
        // The pending request of each worker, by the worker's number.
        let mut pending: HashMap<u64, PendingRequest<'_>> = HashMap::new();
        // All workers of all machines start within ten seconds.
        let start = |worker| Reverse((Duration::from_millis(random.u64(..10_000)), worker));
        let mut due: BinaryHeap<_> = (0..self.machines * self.concurrency).map(start).collect();
        let mut result = SimulationResult::default();
        while let Some(Reverse((now, worker))) = due.pop() {
            let (began, mut delays) = match pending.remove(&worker) {
                Some(request) => request,
                None => match remaining.get_mut(&(worker % self.machines)) {
                    Some(count) if *count > 0 => {
                        *count -= 1;
                        (now, retry.delays(fastrand::Rng::with_seed(random.u64(..))))
                    }
                    _ => continue,
                },
            };
            let answered = now + Duration::from_millis(random.u64(200..600));
            let refused =
                server.count_request(now).map(|wait| refusal_error(wait, self.refusals_are_failures));
            result.refused += u64::from(refused.is_some());
            let delay = refused.as_ref().map(|refused| delays.next(refused, answered - began));
            match delay {
                Some(Some(delay)) => {
                    pending.insert(worker, (began, delays));
                    due.push(Reverse((answered + delay, worker)));
                    continue;
                }
                Some(None) => result.failed += 1,
                None => result.time = result.time.max(answered),
            }
            due.push(Reverse((answered, worker)));
        }
        result
    }

    /// Returns the ratio of the total time to the minimum time.
    fn ratio(self, result: &SimulationResult) -> f64 {
        result.time.as_secs_f64() / self.limit.min_time(self.integrations).as_secs_f64()
    }
}

fn window(requests: u64, seconds: u64) -> Limit {
    Limit::Window { requests, length: Duration::from_secs(seconds) }
}

fn bucket(requests: u64, burst: u64) -> Limit {
    Limit::Bucket { interval: Duration::from_secs(60) / u32::try_from(requests).unwrap(), burst }
}

const BASE_DEPLOYMENT: SimulatedDeployment = SimulatedDeployment {
    limit: Limit::Window { requests: 1000, length: Duration::from_secs(60) },
    integrations: 10_000,
    machines: 200,
    concurrency: 4,
    refusals_are_failures: false,
};

/// Simulates a deployment and returns its row of the table in `docs/scale.md`.
fn table_row(name: &str, deployment: SimulatedDeployment) -> String {
    let result = deployment.run();
    let ratio = deployment.ratio(&result);
    assert_eq!(result.failed, 0, "{name}: {result:?}");
    assert!(ratio <= 1.3, "{name}: {ratio}");
    let time = |time: Duration| humantime::format_duration(Duration::from_secs(time.as_secs())).to_string();
    let min_time = time(deployment.limit.min_time(deployment.integrations));
    let SimulationResult { time: total, refused, .. } = result;
    format!("| {name} | {} | {min_time} | {} | {ratio:.2} | {refused} |", deployment.concurrency, time(total))
}

#[test]
fn ten_thousand_integrations_take_at_most_1_3_times_the_minimum() {
    let limits = [
        ("1000 a minute", window(1000, 60)),
        ("500 a minute", window(500, 60)),
        ("5000 in ten minutes", window(5000, 600)),
        ("20 a second", window(20, 1)),
        ("one each 60 ms, 100 at once", bucket(1000, 100)),
        ("one each 100 ms, 10 at once", bucket(600, 10)),
    ];
    let rows = limits.iter().flat_map(|(name, limit)| {
        [4, 1].map(|concurrency| {
            table_row(name, SimulatedDeployment { limit: *limit, concurrency, ..BASE_DEPLOYMENT })
        })
    });
    let rows: Vec<_> = rows.collect();
    let page = include_str!("../../../docs/scale.md");
    let (_, table) = page.split_once("|---|---|---|---|---|---|\n").unwrap();
    let table: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(table, rows, "docs/scale.md differs from these rows:\n{}", rows.join("\n"));
}

#[test]
fn requests_fail_if_refusals_count_as_failures() {
    let result =
        SimulatedDeployment { limit: window(500, 60), refusals_are_failures: true, ..BASE_DEPLOYMENT }.run();
    assert!(result.failed > 100, "{result:?}");
}

/// Returns retry rules that no signal cancels.
fn retry_rules(max_retries: u32, max_wait: Duration, max_wait_for_limits: Duration) -> Retry {
    Retry {
        max_retries,
        first_delay: super::FIRST_DELAY,
        max_wait,
        max_wait_for_limits: Some(max_wait_for_limits),
        cancel: None,
    }
}

/// Returns the number of retries if the server refuses every attempt and asks for a wait of `wait` seconds. Each attempt takes 0.1 s.
fn count_retries(max_retries: u32, wait: u64, counts_as_failure: bool) -> usize {
    let max_wait = Duration::from_secs(100);
    let retry = retry_rules(max_retries, max_wait, 2 * max_wait);
    let mut delays = retry.delays(fastrand::Rng::with_seed(1));
    let wait = Duration::from_secs(wait);
    let refusal = refusal_error(wait, counts_as_failure);
    let mut elapsed = Duration::ZERO;
    let waits = std::iter::from_fn(|| {
        let delay = delays.next(&refusal, elapsed)?;
        assert!(delay >= wait, "{delay:?}");
        elapsed += delay + Duration::from_millis(100);
        Some(delay)
    });
    waits.take(1000).count()
}

#[test]
fn a_rate_limit_with_a_known_end_does_not_count_toward_the_maximum_retries() {
    assert_eq!(count_retries(4, 1, true), 4);
    assert!((5..20).contains(&count_retries(4, 1, false)));
    // A rate limit without an end, or with an end in the past, counts as a failure.
    assert_eq!(count_retries(4, 0, false), 4);
    assert_eq!(count_retries(0, 1, false), 0);
    // The maximum wait is longer for rate limits.
    assert_eq!([50, 90, 101].map(|wait| count_retries(4, wait, true)), [1, 1, 0]);
    assert_eq!([50, 90, 201].map(|wait| count_retries(4, wait, false)), [3, 2, 0]);
}
