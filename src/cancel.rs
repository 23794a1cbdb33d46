//! Cancellation: after SIGINT, SIGTERM or SIGHUP nothing new is started, and requests in flight get some time.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tracing::instrument::WithSubscriber as _;

/// How long requests in flight may go on. GitHub's runner kills the process 10 s after its first signal.
const GRACE: Duration = Duration::from_secs(5);

/// The time after a signal at which the process ends, whatever it still waits for: nobody may read its log.
const MAX_ENDING: Duration = Duration::from_millis(7500);

/// What asked the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP, of a terminal that is closed.
    Hangup,
}

impl Signal {
    /// 128 and the signal's number, as shells have it.
    #[must_use]
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        })
    }
}

/// Tells whether a signal came.
#[derive(Clone, Debug)]
pub(crate) struct Cancel(watch::Receiver<Option<Signal>>);

impl Cancel {
    /// Waits for signals from now on. Handlers are installed even as PID 1 of a container, where signals do
    /// nothing by default.
    #[must_use]
    pub(crate) fn on_signals() -> Self {
        let (sender, receiver) = watch::channel(None);
        let (first, mut came) = watch::channel(None);
        let (ready, installed) = std::sync::mpsc::channel();
        // The threads of the runtime may all wait for somebody to read the log.
        let thread = std::thread::Builder::new().name("signals".to_owned());
        if thread.spawn(move || wait_for_signal(&first, &ready)).is_ok() {
            // No signal is missed that comes from now on.
            installed.recv().ok();
        }
        let task = async move {
            let Ok(Some(signal)) = came.wait_for(Option::is_some).await.map(|signal| *signal) else { return };
            tracing::warn!("{signal}: nothing new is started");
            sender.send_replace(Some(signal));
            // The receivers must still see the value.
            sender.closed().await;
        };
        // A task has no log of its own.
        tokio::spawn(task.with_current_subscriber());
        Self(receiver)
    }

    /// For tests: no signal ever comes.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self(watch::channel(None).1)
    }

    /// The signal, if one came.
    #[must_use]
    pub(crate) fn signal(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Runs work that can be dropped at any time; an error when a signal came first.
    pub(crate) async fn or_at_once<T>(&self, work: impl Future<Output = T>) -> Result<T, Signal> {
        tokio::select! {
            biased;
            signal = self.requested() => Err(signal),
            done = work => Ok(done),
        }
    }

    /// Runs work that should not be dropped in the middle; an error when it took too long after a signal.
    pub(crate) async fn or_after_grace<T>(&self, work: impl Future<Output = T>) -> Result<T, Signal> {
        self.or_after(GRACE, work).await
    }

    /// The same with another time; after a signal it counts from now on.
    pub(crate) async fn or_after<T>(
        &self,
        grace: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Signal> {
        let grace = async {
            let signal = self.requested().await;
            tokio::time::sleep(grace).await;
            signal
        };
        tokio::select! {
            done = work => Ok(done),
            signal = grace => Err(signal),
        }
    }

    async fn requested(&self) -> Signal {
        let mut receiver = self.0.clone();
        let signal = receiver.wait_for(Option::is_some).await.ok().and_then(|signal| *signal);
        match signal {
            Some(signal) => signal,
            // Nobody is left to ask for it.
            None => std::future::pending().await,
        }
    }
}

/// Passes on the first signal, and ends the process some time after it.
#[expect(clippy::exit, reason = "whatever else would end it may wait for a reader for ever")]
fn wait_for_signal(first: &watch::Sender<Option<Signal>>, ready: &std::sync::mpsc::Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let next = next_signal();
        ready.send(()).ok();
        let signal = next.await;
        first.send_replace(Some(signal));
        tokio::time::sleep(MAX_ENDING).await;
        std::process::exit(signal.exit_code().into());
    });
}

/// The first signal from now on.
#[cfg(unix)]
fn next_signal() -> impl Future<Output = Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    async {
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            // Where both have come, SIGINT was the first: GitHub's runner sends SIGTERM after it.
            biased;
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
            _ = hangup.recv() => Signal::Hangup,
        }
    }
}

/// What comes nearest to them there: GitHub's runner sends Ctrl-C, and then Ctrl-Break.
#[cfg(windows)]
fn next_signal() -> impl Future<Output = Signal> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
    let signals = (ctrl_c(), ctrl_break(), ctrl_close());
    async {
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut close)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
            _ = close.recv() => Signal::Terminate,
        }
    }
}
