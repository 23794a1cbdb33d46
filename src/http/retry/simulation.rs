//! Many machines that share one limit, on a clock of their own: the pauses are the program's, all else is simulated.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::time::Duration;

use super::{Pauses, Retry, Retryable};
use crate::gitbook::PATIENCE_AMONG_OTHERS;

/// What the machines share.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// So many requests in each period, the end of which is told, as GitBook's `X-RateLimit-Reset` does.
    Window { requests: u64, length: Duration },
    /// One more request each so often, and so many at once after a rest; when the next is due is told in `Retry-After`.
    Bucket { every: Duration, burst: u64 },
}

/// The limit as it stands at some time.
struct Server {
    limit: Limit,
    /// The period, and how many requests it has had; or the time at which the bucket was full or would be.
    period: u128,
    had: u64,
    full_at: Duration,
}

impl Server {
    /// How long a request at this time has to wait, in whole seconds, if it is refused.
    fn refuses(&mut self, now: Duration) -> Option<Duration> {
        match self.limit {
            Limit::Window { requests, length } => {
                let period = now.as_nanos() / length.as_nanos();
                if period != self.period {
                    (self.period, self.had) = (period, 0);
                }
                self.had += 1;
                let end = length * u32::try_from(period + 1).unwrap();
                (self.had > requests).then(|| whole_seconds(end - now))
            }
            Limit::Bucket { every, burst } => {
                let full_at = self.full_at.max(now) + every;
                let size = every * u32::try_from(burst).unwrap();
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
    /// How long so many requests take at the least, were each sent at the very moment at which it is taken.
    fn own_time(self, requests: u64) -> Duration {
        let times = |count: u64| u32::try_from(count).unwrap();
        match self {
            Self::Window { requests: most, length } => length * times((requests - 1) / most),
            Self::Bucket { every, burst } => every * times(requests - burst),
        }
    }
}

fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

/// The refusal of a request, and whether it counts as a failed try.
struct Limited {
    wait: Duration,
    counts: bool,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limited for {:?}", self.wait)
    }
}

impl Retryable for Limited {
    const CANCELLED: Self = Self { wait: Duration::ZERO, counts: true };

    fn is_worth_retrying(&self) -> bool {
        true
    }

    fn wait(&self) -> Option<Duration> {
        Some(self.wait)
    }

    fn is_limit(&self) -> bool {
        !self.counts
    }
}

/// What is simulated: one request for each of many integrations.
#[derive(Clone, Copy)]
struct Deployment {
    limit: Limit,
    integrations: u64,
    machines: u64,
    concurrency: u64,
    refusals_count: bool,
}

/// What came of it.
#[derive(Debug, Default)]
struct Outcome {
    time: Duration,
    refused: u64,
    failed: u64,
}

/// A request: when it was sent first, and its pauses.
type Request<'a> = (Duration, Pauses<'a>);

impl Deployment {
    fn runs(self) -> Outcome {
        let mut random = fastrand::Rng::with_seed(1);
        let patience = PATIENCE_AMONG_OTHERS;
        let pause = super::FIRST_PAUSE;
        let retry = Retry { times: 4, pause, patience, patience_with_limits: patience, cancel: None };
        let mut server = Server { limit: self.limit, period: 0, had: 0, full_at: Duration::ZERO };
        // What each machine still has to begin, and what each of the requests that it may send at once is about.
        let share = |machine| {
            self.integrations / self.machines + u64::from(machine < self.integrations % self.machines)
        };
        let mut left: HashMap<_, _> = (0..self.machines).map(|machine| (machine, share(machine))).collect();
        let mut requests: HashMap<u64, Request<'_>> = HashMap::new();
        // Machines start within seconds of one another.
        let start = |worker| Reverse((Duration::from_millis(random.u64(..10_000)), worker));
        let mut due: BinaryHeap<_> = (0..self.machines * self.concurrency).map(start).collect();
        let mut outcome = Outcome::default();
        while let Some(Reverse((now, worker))) = due.pop() {
            let (began, mut pauses) = match requests.remove(&worker) {
                Some(request) => request,
                None => match left.get_mut(&(worker % self.machines)) {
                    Some(left) if *left > 0 => {
                        *left -= 1;
                        (now, retry.pauses(fastrand::Rng::with_seed(random.u64(..))))
                    }
                    _ => continue,
                },
            };
            let answered = now + Duration::from_millis(random.u64(200..600));
            let refused = server.refuses(now).map(|wait| Limited { wait, counts: self.refusals_count });
            outcome.refused += u64::from(refused.is_some());
            let pause = refused.as_ref().map(|refused| pauses.after(refused, answered - began));
            match pause {
                Some(Some(pause)) => {
                    requests.insert(worker, (began, pauses));
                    due.push(Reverse((answered + pause, worker)));
                    continue;
                }
                Some(None) => outcome.failed += 1,
                None => outcome.time = outcome.time.max(answered),
            }
            due.push(Reverse((answered, worker)));
        }
        outcome
    }

    /// How much longer it takes than the limit alone would have it take.
    fn ratio(self, outcome: &Outcome) -> f64 {
        outcome.time.as_secs_f64() / self.limit.own_time(self.integrations).as_secs_f64()
    }
}

fn window(requests: u64, seconds: u64) -> Limit {
    Limit::Window { requests, length: Duration::from_secs(seconds) }
}

fn bucket(requests: u64, burst: u64) -> Limit {
    Limit::Bucket { every: Duration::from_secs(60) / u32::try_from(requests).unwrap(), burst }
}

const ALL: Deployment = Deployment {
    limit: Limit::Window { requests: 1000, length: Duration::from_secs(60) },
    integrations: 10_000,
    machines: 200,
    concurrency: 4,
    refusals_count: false,
};

/// A row of the table in `docs/scale.md`.
fn row(name: &str, deployment: Deployment) -> String {
    let outcome = deployment.runs();
    let ratio = deployment.ratio(&outcome);
    assert_eq!(outcome.failed, 0, "{name}: {outcome:?}");
    assert!(ratio <= 1.3, "{name}: {ratio}");
    let time = |time: Duration| humantime::format_duration(Duration::from_secs(time.as_secs())).to_string();
    let own = time(deployment.limit.own_time(deployment.integrations));
    let Outcome { time: total, refused, .. } = outcome;
    format!("| {name} | {} | {own} | {} | {ratio:.2} | {refused} |", deployment.concurrency, time(total))
}

#[test]
fn ten_thousand_integrations_take_hardly_longer_than_their_limit() {
    let limits = [
        ("1000 a minute", window(1000, 60)),
        ("500 a minute", window(500, 60)),
        ("5000 in ten minutes", window(5000, 600)),
        ("20 a second", window(20, 1)),
        ("one each 60 ms, 100 at once", bucket(1000, 100)),
        ("one each 100 ms, 10 at once", bucket(600, 10)),
    ];
    let rows = limits.iter().flat_map(|(name, limit)| {
        [4, 1].map(|concurrency| row(name, Deployment { limit: *limit, concurrency, ..ALL }))
    });
    let rows: Vec<_> = rows.collect();
    let page = include_str!("../../../docs/scale.md");
    let (_, table) = page.split_once("|---|---|---|---|---|---|\n").unwrap();
    let table: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(table, rows, "docs/scale.md has other rows than these:\n{}", rows.join("\n"));
}

#[test]
fn were_refusals_tries_many_would_be_used_up() {
    let outcome = Deployment { limit: window(500, 60), refusals_count: true, ..ALL }.runs();
    assert!(outcome.failed > 100, "{outcome:?}");
}

/// How many refusals are waited for, each with this wait, and a tenth of a second apart but for the pauses.
fn waited_for(times: u32, wait: u64, counts: bool) -> usize {
    let patience = Duration::from_secs(100);
    let pause = super::FIRST_PAUSE;
    let retry = Retry { times, pause, patience, patience_with_limits: 2 * patience, cancel: None };
    let mut pauses = retry.pauses(fastrand::Rng::with_seed(1));
    let refusal = Limited { wait: Duration::from_secs(wait), counts };
    let mut elapsed = Duration::ZERO;
    let waits = std::iter::from_fn(|| {
        let pause = pauses.after(&refusal, elapsed)?;
        assert!(pause >= refusal.wait, "{pause:?}");
        elapsed += pause + Duration::from_millis(100);
        Some(pause)
    });
    waits.take(1000).count()
}

#[test]
fn a_limit_whose_end_is_told_is_no_failed_try() {
    assert_eq!(waited_for(4, 1, true), 4);
    assert!((5..20).contains(&waited_for(4, 1, false)));
    // One whose end is not told, or is over, is.
    assert_eq!(waited_for(4, 0, false), 4);
    assert_eq!(waited_for(0, 1, false), 0);
    // What is shared is waited for longer, and neither for ever.
    assert_eq!([50, 90, 101].map(|wait| waited_for(4, wait, true)), [1, 1, 0]);
    assert_eq!([50, 90, 201].map(|wait| waited_for(4, wait, false)), [3, 2, 0]);
}
