//! Bundles scripts in child processes, so that a crash or a lack of memory affects only one script.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;

use super::processor_count;

/// The internal argument that starts the program as a bundling process.
pub(crate) const BUNDLE_ARGUMENT: &str = "bundle-on-request";

/// A pool of bundling processes. Idle processes are reused for the next scripts.
#[derive(Debug)]
pub(crate) struct ProcessPool {
    program: Option<PathBuf>,
    idle: Mutex<Vec<Process>>,
    /// The permits that limit the number of scripts bundled at once. There is one permit for each processor and one more, because
    /// a processor is sometimes idle while the modules of a script wait for each other.
    permits: Semaphore,
}

/// A bundling process.
#[derive(Debug)]
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// The time limit for bundling one script. Scripts of GitBook's own integrations take 0.1 s. The time grows with the square of
/// the nesting depth, so a script with tens of thousands of nested expressions would take hours.
const MAX_BUNDLING_TIME: Duration = Duration::from_secs(120);

/// Environment variables for the two supported memory allocators, glibc and mimalloc. The variables allow large pages, and let
/// glibc return less memory to the kernel. Without them, the kernel's memory management takes a third of the bundling time.
const ALLOCATOR_VARIABLES: [(&str, &str); 2] = [
    (
        "GLIBC_TUNABLES",
        "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1:glibc.malloc.top_pad=16777216:\
         glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=134217728",
    ),
    ("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1"),
];

/// The lines that a process wrote in reply to a request.
#[derive(Debug, Default)]
pub(crate) struct ProcessReply {
    pub(crate) lines: Vec<String>,
    /// The reason that the reply is incomplete, or `None` for a complete reply.
    pub(crate) end: Option<ProcessEnd>,
}

/// The reason that a process ended before it completed its reply.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProcessEnd {
    /// The process exited or was killed by a signal.
    Exit(ExitStatus),
    /// The process exceeded the time limit.
    Timeout,
}

impl ProcessPool {
    /// Creates an empty pool. Without a program, every request fails.
    pub(crate) fn new(program: Option<PathBuf>) -> Self {
        Self { program, idle: Mutex::default(), permits: Semaphore::new(processor_count() + 1) }
    }

    /// Starts one process in advance, so that it is ready for the first script.
    pub(crate) fn prestart(&self) {
        if let Ok(process) = self.start() {
            self.lock_idle().push(process);
        }
    }

    /// Sends a one-line request to a process and returns the lines of its reply. The reply ends with the first line for which
    /// `is_last` returns true. Dropping the future kills the process. If `uses_new_process` is true, starts a new process for this
    /// request alone.
    ///
    /// # Errors
    /// Returns an error if no process can be started.
    pub(crate) async fn send_request(
        &self,
        request: &str,
        is_last: impl Fn(&str) -> bool,
        uses_new_process: bool,
    ) -> std::io::Result<ProcessReply> {
        let _permit = self.permits.acquire().await;
        let idle = if uses_new_process { None } else { self.lock_idle().pop() };
        let mut process = idle.map_or_else(|| self.start(), Ok)?;
        match tokio::time::timeout(MAX_BUNDLING_TIME, process.send_request(request, is_last)).await {
            Ok(reply) => {
                let reply = reply?;
                if reply.end.is_none() && !uses_new_process {
                    self.lock_idle().push(process);
                }
                Ok(reply)
            }
            Err(_) => Ok(ProcessReply { end: Some(ProcessEnd::Timeout), ..ProcessReply::default() }),
        }
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> std::io::Result<Process> {
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let program = self.program.as_ref().ok_or_else(missing)?;
        let mut command = Command::new(program);
        // A bundling process needs no other variables, and must not receive the tokens.
        command.arg(BUNDLE_ARGUMENT).env_clear().envs(ALLOCATOR_VARIABLES).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Only the main process should receive signals from the terminal. It ends its child processes itself.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Process { child, input, output })
    }
}

impl Process {
    async fn send_request(
        &mut self,
        request: &str,
        is_last: impl Fn(&str) -> bool,
    ) -> std::io::Result<ProcessReply> {
        let mut reply = ProcessReply::default();
        // Writing fails if the process has crashed. The loop below then reports the exit status of the process.
        drop(self.input.write_all(format!("{request}\n").as_bytes()).await);
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).await.unwrap_or(0) == 0 {
                reply.end = Some(ProcessEnd::Exit(self.child.wait().await?));
                return Ok(reply);
            }
            let is_done = is_last(&line);
            reply.lines.push(line);
            if is_done {
                return Ok(reply);
            }
        }
    }
}
