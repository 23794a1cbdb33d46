//! The bundler's threads, of which there are none before something is bundled: a run that deletes, sweeps or sends what is
//! built already does without, and on a machine of many processors they take longer to start than all that it does.

use std::num::NonZero;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

/// The bundler calls itself for each nested expression: a chain of 20,000 calls, which generated scripts have and the vendor's
/// CLI takes, needs 16 MiB. It is room for addresses only; memory is what a script needs of it.
const STACK: usize = 64 * 1024 * 1024;

/// One for each processor, from the first work on.
#[derive(Debug)]
pub(crate) struct Threads {
    runtime: OnceLock<std::io::Result<Runtime>>,
    /// One script more than there are processors: some of the time a script's modules wait for one another.
    places: Semaphore,
}

impl Default for Threads {
    fn default() -> Self {
        Self { runtime: OnceLock::new(), places: Semaphore::new(processors() + 1) }
    }
}

impl Threads {
    /// Does some work there once there is a place. It goes on, whoever loses interest in it. The first work may want to be on
    /// one thread.
    ///
    /// # Errors
    /// When the system gives no threads, or the work has panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        is_alone: bool,
    ) -> std::io::Result<T> {
        // Nobody closes it.
        let _place = self.places.acquire().await;
        let runtime = self.runtime.get_or_init(|| start(if is_alone { 1 } else { processors() })).as_ref();
        let runtime = runtime.map_err(|error| std::io::Error::new(error.kind(), error.to_string()))?;
        Ok(runtime.spawn(work).await?)
    }
}

/// Does some work on a thread with a stack as large as the bundler's.
///
/// # Errors
/// When the system gives no thread, or the work has panicked.
pub(crate) fn with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| std::io::Error::other("the work has panicked"))
    })
}

/// Returns the number of processors for this process.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn start(threads: usize) -> std::io::Result<Runtime> {
    // The bundler has these, too. A process has them once, so that a second run in it finds them there.
    drop(rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build_global());
    Builder::new_multi_thread().worker_threads(threads).thread_stack_size(STACK).enable_all().build()
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(Ok(runtime)) = self.runtime.take() else { return };
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
        assert!(threads.runtime.get().is_none());
        let elsewhere: ThreadId = threads.run(async { current().id() }, false).await.unwrap();
        assert_ne!(elsewhere, current().id());
    }

    #[tokio::test]
    async fn what_is_at_work_is_not_stopped() {
        let threads = Threads::default();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (done, result) = tokio::sync::oneshot::channel();
        let mut work = Box::pin(threads.run(async { done.send(receiver.await.unwrap()).unwrap() }, false));
        assert!(futures::poll!(&mut work).is_pending());
        drop(work);
        drop(threads);
        sender.send(7).unwrap();
        assert_eq!(result.await.unwrap(), 7);
    }
}
