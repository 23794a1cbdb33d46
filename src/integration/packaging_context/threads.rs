//! Threads for the bundler. The first script to bundle starts them, because starting threads takes longer than a whole run
//! without bundling.

use std::num::NonZero;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

/// The size of each thread's stack in bytes. The bundler recurses into nested expressions: a chain of 20,000 calls, which
/// occurs in generated scripts and works with GitBook's CLI, needs 16 MiB. Unused stack takes address space but no memory.
const STACK_SIZE: usize = 64 * 1024 * 1024;

/// A runtime with one thread for each processor.
#[derive(Debug)]
pub(crate) struct Threads {
    runtime: OnceLock<std::io::Result<Runtime>>,
    /// The permits that limit the number of scripts bundled at once. There is one permit for each processor and one more, because
    /// a processor is sometimes idle while the modules of a script wait for each other.
    permits: Semaphore,
}

impl Default for Threads {
    fn default() -> Self {
        Self { runtime: OnceLock::new(), permits: Semaphore::new(processor_count() + 1) }
    }
}

impl Threads {
    /// Runs `work` on the threads. Dropping the future does not stop the work. If `is_single_threaded` is true and the runtime has not
    /// started yet, starts it with a single thread.
    ///
    /// # Errors
    /// Returns an error if the threads cannot be started or the work panics.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        is_single_threaded: bool,
    ) -> std::io::Result<T> {
        // Acquiring a permit fails only for a closed semaphore. Nothing closes this semaphore.
        let _permit = self.permits.acquire().await;
        let runtime = self
            .runtime
            .get_or_init(|| start_runtime(if is_single_threaded { 1 } else { processor_count() }))
            .as_ref();
        let runtime = runtime.map_err(|error| std::io::Error::new(error.kind(), error.to_string()))?;
        Ok(runtime.spawn(work).await?)
    }
}

/// Runs `work` on a new thread with the stack size of the bundler's threads.
///
/// # Errors
/// Returns an error if the thread cannot be started or the work panics.
pub(crate) fn run_with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| std::io::Error::other("the thread panicked"))
    })
}

/// Returns the number of processors available to this process.
pub(crate) fn processor_count() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn start_runtime(threads: usize) -> std::io::Result<Runtime> {
    // The bundler also uses rayon's global thread pool. Building it fails if an earlier run in the same process has already
    // built it.
    drop(rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_SIZE).build_global());
    Builder::new_multi_thread().worker_threads(threads).thread_stack_size(STACK_SIZE).enable_all().build()
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(Ok(runtime)) = self.runtime.take() else { return };
        if runtime.metrics().num_alive_tasks() == 0 {
            runtime.shutdown_background();
        } else {
            // The bundler panics if its threads stop while it works. If a signal interrupts the work, the threads therefore run
            // until the process ends.
            std::mem::forget(runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{ThreadId, current};

    use super::Threads;

    #[tokio::test]
    async fn work_runs_on_threads_that_start_on_demand() {
        let threads = Threads::default();
        assert!(threads.runtime.get().is_none());
        let worker: ThreadId = threads.run(async { current().id() }, false).await.unwrap();
        assert_ne!(worker, current().id());
    }

    #[tokio::test]
    async fn dropping_the_future_does_not_stop_the_work() {
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
