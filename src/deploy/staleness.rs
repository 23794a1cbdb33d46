//! Checks before each attempt that the run is still allowed to publish or delete.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::Mutex;

/// The maximum age of a verdict for the first attempts of all integrations. 57 integrations take a few seconds.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The reason for a run to stop publishing or deleting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// The branch has a newer commit.
    #[error("{reason}")]
    NewerCommit {
        /// The abbreviated ID of the newer commit.
        commit: String,
        /// The full reason.
        reason: String,
    },
    /// The branch or pull request of a preview was closed.
    #[error("{0}")]
    Closed(String),
    /// The branch or pull request of a preview to delete is open.
    #[error("{0}")]
    Open(String),
    /// Another run or person has changed the integration.
    #[error("{0}")]
    Changed(String),
    /// A check that is required before deleting has failed.
    #[error("{reason}")]
    Undecided {
        /// The reason.
        reason: String,
        /// The remedy.
        hint: String,
    },
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The forge confirms that the run may continue.
    Confirmed,
    /// The run must stop.
    Stop(Stop),
    /// The forge cannot be checked.
    Unknown,
    /// The forge failed to respond. It may respond at the next attempt.
    Unanswered,
}

impl Verdict {
    /// Returns an error if the run must stop.
    pub(super) fn check(self) -> Result<Self, Stop> {
        match self {
            Self::Stop(stop) => Err(stop),
            verdict => Ok(verdict),
        }
    }
}

type CheckForge<'a> = Box<dyn Fn() -> BoxFuture<'a, Verdict> + Sync + 'a>;

/// A check of the forge that several integrations share.
pub(crate) struct StalenessCheck<'a> {
    check_forge: CheckForge<'a>,
    /// The newest verdict and the time of its request, or the time of the failure for [`Verdict::Unanswered`].
    newest: Mutex<Option<(Instant, Verdict)>>,
}

impl std::fmt::Debug for StalenessCheck<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StalenessCheck").field("newest", &self.newest).finish_non_exhaustive()
    }
}

impl<'a> StalenessCheck<'a> {
    /// Creates a check that calls `check_forge`.
    pub(crate) fn new(check_forge: impl Fn() -> BoxFuture<'a, Verdict> + Sync + 'a) -> Self {
        Self { check_forge: Box::new(check_forge), newest: Mutex::default() }
    }

    /// Creates a check that stops nothing.
    pub(crate) fn none() -> Self {
        Self::new(|| Box::pin(async { Verdict::Unknown }))
    }

    /// Returns a verdict for a first attempt. It is at most 10 s old.
    pub(crate) async fn recent(&self) -> Verdict {
        let now = Instant::now();
        self.since(now.checked_sub(MAX_AGE).unwrap_or(now)).await
    }

    /// Returns whether a verdict for a first attempt is available.
    pub(crate) async fn is_recent(&self) -> bool {
        self.newest.lock().await.as_ref().is_some_and(|(requested_at, _)| requested_at.elapsed() <= MAX_AGE)
    }

    /// Returns a verdict that was requested at `moment` or later, and is at most 10 s old. A verdict to stop remains valid.
    /// After a failure, the forge is checked again, because it may respond now.
    pub(crate) async fn since(&self, moment: Instant) -> Verdict {
        let now = Instant::now();
        let moment = now.checked_sub(MAX_AGE).map_or(moment, |oldest| oldest.max(moment));
        // Other integrations wait here for the current request and share its verdict.
        let mut newest = self.newest.lock().await;
        if let Some((at, verdict)) = &*newest {
            let is_valid = match verdict {
                Verdict::Stop(_) => true,
                Verdict::Unanswered => *at >= now,
                Verdict::Confirmed | Verdict::Unknown => *at >= moment,
            };
            if is_valid {
                return verdict.clone();
            }
        }
        let requested_at = Instant::now();
        let verdict = (self.check_forge)().await;
        let at = if verdict == Verdict::Unanswered { Instant::now() } else { requested_at };
        *newest = Some((at, verdict.clone()));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::{StalenessCheck, Stop, Verdict};

    #[tokio::test]
    async fn first_attempts_share_a_verdict_and_later_ones_request_another() {
        let requests = AtomicUsize::new(0);
        let staleness = StalenessCheck::new(|| {
            requests.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Verdict::Confirmed })
        });
        let many = futures::future::join_all((0..57).map(|_| staleness.recent())).await;
        assert!(many.iter().all(|verdict| *verdict == Verdict::Confirmed));
        assert_eq!(requests.load(Ordering::Relaxed), 1);
        let failed_at = Instant::now();
        // Attempts that fail at the same time share a verdict.
        for _ in 0..4 {
            staleness.since(failed_at).await;
        }
        assert_eq!(requests.load(Ordering::Relaxed), 2);
        staleness.since(Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn each_attempt_checks_again_after_a_failure_of_the_forge() {
        let requests = AtomicUsize::new(0);
        let staleness = StalenessCheck::new(|| {
            let is_down = requests.fetch_add(1, Ordering::Relaxed) < 2;
            Box::pin(async move {
                tokio::task::yield_now().await;
                if is_down { Verdict::Unanswered } else { Verdict::Confirmed }
            })
        });
        // Attempts that wait for the same request share its verdict.
        let many = futures::future::join_all((0..57).map(|_| staleness.recent())).await;
        assert!(many.iter().all(|verdict| *verdict == Verdict::Unanswered));
        assert_eq!(requests.load(Ordering::Relaxed), 1);
        assert_eq!(staleness.recent().await, Verdict::Unanswered);
        assert_eq!(staleness.recent().await, Verdict::Confirmed);
        assert_eq!((staleness.recent().await, requests.load(Ordering::Relaxed)), (Verdict::Confirmed, 3));
    }

    #[tokio::test]
    async fn a_verdict_to_stop_remains_valid() {
        let stop = Verdict::Stop(Stop::Closed("branch `x` is closed".to_owned()));
        let verdicts = std::sync::Mutex::new(vec![Verdict::Confirmed, stop.clone()]);
        let staleness = StalenessCheck::new(|| {
            let verdict = verdicts.lock().unwrap().pop().unwrap();
            Box::pin(async { verdict })
        });
        assert_eq!(staleness.recent().await, stop);
        assert_eq!(staleness.since(Instant::now()).await, stop);
    }
}
