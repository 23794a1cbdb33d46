//! The bundler's threads, of which there are none before something is bundled: a run that deletes, sweeps or finds
//! everything unchanged by the manifest alone does without, and on a machine of many processors they take longer to start
//! than all that it does.

use std::sync::OnceLock;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// One for each processor, from the first work on.
#[derive(Debug, Default)]
pub(crate) struct Threads(OnceLock<std::io::Result<Runtime>>);

impl Threads {
    /// Begins some work there.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<JoinHandle<T>, &std::io::Error> {
        let runtime = self.0.get_or_init(Runtime::new);
        runtime.as_ref().map(|runtime| runtime.spawn(work))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(Ok(runtime)) = self.0.take() else { return };
        if runtime.metrics().num_alive_tasks() == 0 {
            runtime.shutdown_background();
        } else {
            // After a signal. The bundler panics where it is stopped in the middle: it goes on unseen until the process ends.
            std::mem::forget(runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{ThreadId, current};

    use super::Threads;

    #[tokio::test]
    async fn work_is_done_elsewhere_and_nothing_is_started_before() {
        let threads = Threads::default();
        assert!(threads.0.get().is_none());
        let elsewhere: ThreadId = threads.spawn(async { current().id() }).unwrap().await.unwrap();
        assert_ne!(elsewhere, current().id());
    }

    #[tokio::test]
    async fn what_is_at_work_is_not_stopped() {
        let threads = Threads::default();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (done, result) = tokio::sync::oneshot::channel();
        drop(threads.spawn(async { done.send(receiver.await.unwrap()).unwrap() }).unwrap());
        drop(threads);
        sender.send(7).unwrap();
        assert_eq!(result.await.unwrap(), 7);
    }
}
