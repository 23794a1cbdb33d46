//! Asks the forge before each request if the run is still allowed to publish or delete. For example, the branch must not have a
//! newer commit.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::Mutex;

/// The maximum age of a reused verdict. The first requests of a run with 57 integrations take a few seconds in total, so they can
/// share one verdict.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The reason why a run must not publish or delete an integration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// The branch has a newer commit.
    #[error("{reason}")]
    NewerCommit {
        /// The abbreviated ID of the newer commit.
        commit: String,
        /// The message for the user.
        reason: String,
    },
    /// The preview must not be published, because its branch or pull request is closed.
    #[error("{0}")]
    Closed(String),
    /// The preview must not be deleted, because its branch or pull request is open.
    #[error("{0}")]
    Open(String),
    /// Another run or person has changed the integration.
    #[error("{0}")]
    Changed(String),
    /// The preview must not be deleted, because the forge did not answer the check of its branch.
    #[error("{reason}")]
    Undecided {
        /// The failed check and its error.
        reason: String,
        /// The next step for the user.
        hint: String,
    },
}

/// The result of a check of the forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The forge confirms that the run may continue.
    Confirmed,
    /// The run must stop.
    Stop(Stop),
    /// The forge cannot answer in this run, for example because there is no token. The run continues without the check.
    NotChecked,
    /// The forge did not respond, but may respond before the next request.
    NoResponse,
}

impl Verdict {
    /// Converts [`Verdict::Stop`] to an error, and returns other verdicts unchanged.
    pub(super) fn error_if_stop(self) -> Result<Self, Stop> {
        match self {
            Self::Stop(stop) => Err(stop),
            verdict => Ok(verdict),
        }
    }
}

type ForgeCheck<'a> = Box<dyn Fn() -> BoxFuture<'a, Verdict> + Sync + 'a>;

/// A check of the forge that several integrations share.
pub(crate) struct Precondition<'a> {
    check_forge: ForgeCheck<'a>,
    /// The newest verdict, and the time directly before its request. For [`Verdict::NoResponse`], the time directly after the
    /// failed request.
    newest: Mutex<Option<(Instant, Verdict)>>,
}

impl std::fmt::Debug for Precondition<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Precondition").field("newest", &self.newest).finish_non_exhaustive()
    }
}

impl<'a> Precondition<'a> {
    /// Creates a check. It calls `check_forge` if there is no recent verdict.
    pub(crate) fn new(check_forge: impl Fn() -> BoxFuture<'a, Verdict> + Sync + 'a) -> Self {
        Self { check_forge: Box::new(check_forge), newest: Mutex::default() }
    }

    /// Creates a check that never stops the run.
    pub(crate) fn none() -> Self {
        Self::new(|| Box::pin(async { Verdict::NotChecked }))
    }

    /// Returns the newest verdict if it is at most 10 s old, and otherwise asks the forge. Call this before the first attempt of
    /// each request.
    pub(crate) async fn recent_verdict(&self) -> Verdict {
        let now = Instant::now();
        self.verdict_since(now.checked_sub(MAX_AGE).unwrap_or(now)).await
    }

    /// Returns true if there is a verdict that is at most 10 s old.
    pub(crate) async fn has_recent_verdict(&self) -> bool {
        self.newest.lock().await.as_ref().is_some_and(|(requested_at, _)| requested_at.elapsed() <= MAX_AGE)
    }

    /// Returns the newest verdict if it was requested at `moment` or later and is at most 10 s old. Otherwise asks the forge.
    /// [`Verdict::Stop`] never expires. [`Verdict::NoResponse`] is returned only to calls that waited for the same request.
    pub(crate) async fn verdict_since(&self, moment: Instant) -> Verdict {
        let now = Instant::now();
        let moment = now.checked_sub(MAX_AGE).map_or(moment, |oldest| oldest.max(moment));
        // Calls for other integrations wait here for the current request to the forge, and share its verdict.
        let mut newest = self.newest.lock().await;
        if let Some((at, verdict)) = &*newest {
            let is_valid = match verdict {
                Verdict::Stop(_) => true,
                Verdict::NoResponse => *at >= now,
                Verdict::Confirmed | Verdict::NotChecked => *at >= moment,
            };
            if is_valid {
                return verdict.clone();
            }
        }
        let requested_at = Instant::now();
        let verdict = (self.check_forge)().await;
        let at = if verdict == Verdict::NoResponse { Instant::now() } else { requested_at };
        *newest = Some((at, verdict.clone()));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::{Precondition, Stop, Verdict};

    #[tokio::test]
    async fn first_attempts_share_a_verdict_and_later_attempts_request_a_new_one() {
        let requests = AtomicUsize::new(0);
        let precondition = Precondition::new(|| {
            requests.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Verdict::Confirmed })
        });
        let many = futures::future::join_all((0..57).map(|_| precondition.recent_verdict())).await;
        assert!(many.iter().all(|verdict| *verdict == Verdict::Confirmed));
        assert_eq!(requests.load(Ordering::Relaxed), 1);
        let failed_at = Instant::now();
        // Requests that fail at the same time share a verdict before their next attempt.
        for _ in 0..4 {
            precondition.verdict_since(failed_at).await;
        }
        assert_eq!(requests.load(Ordering::Relaxed), 2);
        precondition.verdict_since(Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn each_attempt_asks_the_forge_again_after_a_missing_response() {
        let requests = AtomicUsize::new(0);
        let precondition = Precondition::new(|| {
            let is_down = requests.fetch_add(1, Ordering::Relaxed) < 2;
            Box::pin(async move {
                tokio::task::yield_now().await;
                if is_down { Verdict::NoResponse } else { Verdict::Confirmed }
            })
        });
        // Attempts that wait for the same request share its verdict.
        let many = futures::future::join_all((0..57).map(|_| precondition.recent_verdict())).await;
        assert!(many.iter().all(|verdict| *verdict == Verdict::NoResponse));
        assert_eq!(requests.load(Ordering::Relaxed), 1);
        assert_eq!(precondition.recent_verdict().await, Verdict::NoResponse);
        assert_eq!(precondition.recent_verdict().await, Verdict::Confirmed);
        assert_eq!(
            (precondition.recent_verdict().await, requests.load(Ordering::Relaxed)),
            (Verdict::Confirmed, 3)
        );
    }

    #[tokio::test]
    async fn a_stop_verdict_never_expires() {
        let stop = Verdict::Stop(Stop::Closed("branch `x` is closed".to_owned()));
        let verdicts = std::sync::Mutex::new(vec![Verdict::Confirmed, stop.clone()]);
        let precondition = Precondition::new(|| {
            let verdict = verdicts.lock().unwrap().pop().unwrap();
            Box::pin(async { verdict })
        });
        assert_eq!(precondition.recent_verdict().await, stop);
        assert_eq!(precondition.verdict_since(Instant::now()).await, stop);
    }
}
