//! Checks before each attempt that a run may still publish or delete.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::Mutex;

/// How long one answer of the forge serves the first attempts of all integrations of a run. 57 integrations take a few
/// seconds.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The reason for a run not to publish or delete any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// The branch has a newer commit.
    #[error("{reason}")]
    NewerCommit {
        /// The newer commit, abbreviated.
        commit: String,
        /// The whole reason.
        reason: String,
    },
    /// The branch or pull request of a preview was closed.
    #[error("{0}")]
    Closed(String),
    /// The branch or pull request of a preview that was to be deleted is open.
    #[error("{0}")]
    Open(String),
    /// The integration was changed meanwhile.
    #[error("{0}")]
    Changed(String),
    /// A check without which nothing is deleted has failed.
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
    /// The forge confirms that the run may go on.
    Confirmed,
    /// The run must stop.
    Stop(Stop),
    /// The forge cannot be asked.
    Unknown,
    /// The forge failed to answer, and may do so at the next attempt.
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

type Ask<'a> = Box<dyn Fn() -> BoxFuture<'a, Verdict> + Sync + 'a>;

/// A check that several integrations share.
pub(crate) struct Recheck<'a> {
    ask: Ask<'a>,
    /// The newest verdict, and the time when it was asked for; of one that the forge failed to give, when it failed.
    newest: Mutex<Option<(Instant, Verdict)>>,
}

impl std::fmt::Debug for Recheck<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recheck").field("newest", &self.newest).finish_non_exhaustive()
    }
}

impl<'a> Recheck<'a> {
    /// Creates a check that calls `ask`.
    pub(crate) fn new(ask: impl Fn() -> BoxFuture<'a, Verdict> + Sync + 'a) -> Self {
        Self { ask: Box::new(ask), newest: Mutex::default() }
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

    /// Returns whether there is a verdict for a first attempt already.
    pub(crate) async fn is_recent(&self) -> bool {
        self.newest.lock().await.as_ref().is_some_and(|(asked_at, _)| asked_at.elapsed() <= MAX_AGE)
    }

    /// Returns a verdict that was asked for at a moment or later, and is at most 10 s old. A run that must stop is not checked
    /// again. A forge that failed to answer is asked anew, since it may answer by now.
    pub(crate) async fn since(&self, moment: Instant) -> Verdict {
        let now = Instant::now();
        let moment = now.checked_sub(MAX_AGE).map_or(moment, |oldest| oldest.max(moment));
        // Others wait here for an answer that is on its way, and may share it.
        let mut newest = self.newest.lock().await;
        if let Some((at, verdict)) = &*newest {
            let holds = match verdict {
                Verdict::Stop(_) => true,
                Verdict::Unanswered => *at >= now,
                Verdict::Confirmed | Verdict::Unknown => *at >= moment,
            };
            if holds {
                return verdict.clone();
            }
        }
        let asked_at = Instant::now();
        let verdict = (self.ask)().await;
        let at = if verdict == Verdict::Unanswered { Instant::now() } else { asked_at };
        *newest = Some((at, verdict.clone()));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::{Recheck, Stop, Verdict};

    #[tokio::test]
    async fn one_answer_serves_first_attempts_and_none_that_follows_a_failure() {
        let asked = AtomicUsize::new(0);
        let recheck = Recheck::new(|| {
            asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Verdict::Confirmed })
        });
        let many = futures::future::join_all((0..57).map(|_| recheck.recent())).await;
        assert!(many.iter().all(|verdict| *verdict == Verdict::Confirmed));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let failed_at = Instant::now();
        // Those that fail at the same time share an answer.
        for _ in 0..4 {
            recheck.since(failed_at).await;
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        recheck.since(Instant::now()).await;
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_forge_that_failed_to_answer_is_asked_again_before_each_attempt() {
        let asked = AtomicUsize::new(0);
        let recheck = Recheck::new(|| {
            let is_down = asked.fetch_add(1, Ordering::Relaxed) < 2;
            Box::pin(async move {
                tokio::task::yield_now().await;
                if is_down { Verdict::Unanswered } else { Verdict::Confirmed }
            })
        });
        // Those that wait for an answer share it.
        let many = futures::future::join_all((0..57).map(|_| recheck.recent())).await;
        assert!(many.iter().all(|verdict| *verdict == Verdict::Unanswered));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(recheck.recent().await, Verdict::Unanswered);
        assert_eq!(recheck.recent().await, Verdict::Confirmed);
        assert_eq!((recheck.recent().await, asked.load(Ordering::Relaxed)), (Verdict::Confirmed, 3));
    }

    #[tokio::test]
    async fn a_run_that_must_stop_stays_stopped() {
        let stop = Verdict::Stop(Stop::Closed("branch `x` is closed".to_owned()));
        let verdicts = std::sync::Mutex::new(vec![Verdict::Confirmed, stop.clone()]);
        let recheck = Recheck::new(|| {
            let verdict = verdicts.lock().unwrap().pop().unwrap();
            Box::pin(async { verdict })
        });
        assert_eq!(recheck.recent().await, stop);
        assert_eq!(recheck.since(Instant::now()).await, stop);
    }
}
