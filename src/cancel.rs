//! Cancellation by SIGINT, SIGTERM or SIGHUP: the program starts no new work and gives requests in flight a grace period.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tracing::instrument::WithSubscriber as _;

/// The grace period for requests in flight. GitHub's runner kills the process 10 s after its first signal.
const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// The time between a signal and the forced exit. Without a forced exit, the process could hang forever if it writes its log to a
/// pipe that nobody reads.
const EXIT_DEADLINE: Duration = Duration::from_millis(7500);

/// A signal that stops the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal was closed.
    Hangup,
}

impl Signal {
    /// Returns the exit code that shells use: 128 plus the number of the signal.
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

/// A receiver of the signal that cancels the run.
#[derive(Clone, Debug)]
pub(crate) struct Cancel(watch::Receiver<Option<Signal>>);

impl Cancel {
    /// Installs handlers for signals. In a container, the main process (PID 1) ignores signals that it does not handle.
    #[must_use]
    pub(crate) fn on_signals() -> Self {
        let (sender, receiver) = watch::channel(None);
        let (thread_sender, mut received) = watch::channel(None);
        let (ready, installed) = std::sync::mpsc::channel();
        // A full log pipe may block all threads of the runtime, so signals need their own thread.
        let thread = std::thread::Builder::new().name("signals".to_owned());
        if thread.spawn(move || forward_signal_and_exit(&thread_sender, &ready)).is_ok() {
            // The handlers must be in place before any work starts.
            installed.recv().ok();
        }
        let task = async move {
            let Ok(Some(signal)) = received.wait_for(Option::is_some).await.map(|signal| *signal) else {
                return;
            };
            tracing::warn!("received {signal}: starting no new work");
            sender.send_replace(Some(signal));
            // Receivers can wait for the signal only while the sender exists.
            sender.closed().await;
        };
        // A spawned task does not inherit the log subscriber.
        tokio::spawn(task.with_current_subscriber());
        Self(receiver)
    }

    /// Returns a receiver that never receives a signal, for tests.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self(watch::channel(None).1)
    }

    /// Returns the received signal, if any.
    #[must_use]
    pub(crate) fn signal(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Runs work that may be dropped at any time.
    ///
    /// # Errors
    /// Returns the signal if it arrives before the work is finished.
    pub(crate) async fn run_until_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, Signal> {
        tokio::select! {
            biased;
            signal = self.wait_for_signal() => Err(signal),
            output = work => Ok(output),
        }
    }

    /// Runs work that should not be interrupted.
    ///
    /// # Errors
    /// Returns the signal if the work is not finished within the grace period.
    pub(crate) async fn run_with_grace<T>(&self, work: impl Future<Output = T>) -> Result<T, Signal> {
        self.run_with_grace_period(GRACE_PERIOD, work).await
    }

    /// Runs work like [`run_with_grace`](Self::run_with_grace), but with another grace period. If a signal arrived before this
    /// call, the grace period starts with the call.
    ///
    /// # Errors
    /// Returns the signal if the work is not finished within the grace period.
    pub(crate) async fn run_with_grace_period<T>(
        &self,
        period: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Signal> {
        let deadline = async {
            let signal = self.wait_for_signal().await;
            tokio::time::sleep(period).await;
            signal
        };
        tokio::select! {
            output = work => Ok(output),
            signal = deadline => Err(signal),
        }
    }

    async fn wait_for_signal(&self) -> Signal {
        let mut receiver = self.0.clone();
        let signal = receiver.wait_for(Option::is_some).await.ok().and_then(|signal| *signal);
        match signal {
            Some(signal) => signal,
            // The sender is gone, so no signal can arrive any more.
            None => std::future::pending().await,
        }
    }
}

/// Waits for the first signal, sends it to the receivers, and exits the process at the deadline.
#[expect(clippy::exit, reason = "a regular exit may wait forever for a reader of the log")]
fn forward_signal_and_exit(sender: &watch::Sender<Option<Signal>>, ready: &std::sync::mpsc::Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let next = next_signal();
        ready.send(()).ok();
        let signal = next.await;
        sender.send_replace(Some(signal));
        tokio::time::sleep(EXIT_DEADLINE).await;
        std::process::exit(signal.exit_code().into());
    });
}

/// Returns the next signal. Installs the handlers immediately, before the caller polls the future.
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
            // GitHub's runner sends SIGINT first and SIGTERM later. If both are pending, report SIGINT.
            biased;
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
            _ = hangup.recv() => Signal::Hangup,
        }
    }
}

/// Returns the next console event. GitHub's runner sends Ctrl-C first and Ctrl-Break later.
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
