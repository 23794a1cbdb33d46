//! Bundles scripts in child processes, so that a crash or lack of memory affects only one script.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;

use super::processors;

/// The internal argument that starts the program as a bundling process.
pub(crate) const BUNDLE_ARGUMENT: &str = "bundle-on-request";

/// A pool of bundling processes. Idle processes are reused for the next scripts.
#[derive(Debug)]
pub(crate) struct Processes {
    program: Option<PathBuf>,
    idle: Mutex<Vec<Process>>,
    /// The limit for bundling at the same time. There is one more permit than processors, because the modules of a script
    /// sometimes wait for one another.
    permits: Semaphore,
}

#[derive(Debug)]
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// The time limit for one script. The vendor's own scripts take 0.1 s. The time grows with the square of the nesting depth,
/// so a script with tens of thousands of nested expressions would take hours.
const MAX_TIME: Duration = Duration::from_secs(120);

/// Settings for both supported memory allocators. They use large pages and return no memory before the process ends. Without
/// these settings, the kernel's memory management takes a third of the bundling time.
const ALLOCATOR_VARIABLES: [(&str, &str); 2] = [
    (
        "GLIBC_TUNABLES",
        "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1:glibc.malloc.top_pad=16777216:\
         glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=134217728",
    ),
    ("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1"),
];

/// The lines that a process wrote for a request.
#[derive(Debug, Default)]
pub(crate) struct ProcessReply {
    pub(crate) lines: Vec<String>,
    /// The reason that the last line is missing, if it is.
    pub(crate) end: Option<ProcessEnd>,
}

/// The reason that a process ended before its reply was complete.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProcessEnd {
    /// The process exited or was killed by a signal.
    Exit(ExitStatus),
    /// The process exceeded the time limit.
    Timeout,
}

impl Processes {
    /// Creates an empty pool. Without a program, every request fails.
    pub(crate) fn new(program: Option<PathBuf>) -> Self {
        Self { program, idle: Mutex::default(), permits: Semaphore::new(processors() + 1) }
    }

    /// Starts one process in advance, so that it starts up while other work is done.
    pub(crate) fn prepare(&self) {
        if let Ok(process) = self.start() {
            self.idle().push(process);
        }
    }

    /// Sends a one-line request to a process and returns its lines up to the first for which `is_last` returns true. Dropping
    /// the future kills the process. If `is_only` is true, starts a new process for this request alone.
    ///
    /// # Errors
    /// Returns an error if no process can be started.
    pub(crate) async fn ask(
        &self,
        request: &str,
        is_last: impl Fn(&str) -> bool,
        is_only: bool,
    ) -> std::io::Result<ProcessReply> {
        let _permit = self.permits.acquire().await;
        let idle = if is_only { None } else { self.idle().pop() };
        let mut process = idle.map_or_else(|| self.start(), Ok)?;
        match tokio::time::timeout(MAX_TIME, process.ask(request, is_last)).await {
            Ok(reply) => {
                let reply = reply?;
                if reply.end.is_none() && !is_only {
                    self.idle().push(process);
                }
                Ok(reply)
            }
            Err(_) => Ok(ProcessReply { end: Some(ProcessEnd::Timeout), ..ProcessReply::default() }),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> std::io::Result<Process> {
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let program = self.program.as_ref().ok_or_else(missing)?;
        let mut command = Command::new(program);
        // The process needs no variables, and must not see the tokens.
        command.arg(BUNDLE_ARGUMENT).env_clear().envs(ALLOCATOR_VARIABLES).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Only the main process should receive signals from the terminal. It ends the child processes itself.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Process { child, input, output })
    }
}

impl Process {
    async fn ask(&mut self, request: &str, is_last: impl Fn(&str) -> bool) -> std::io::Result<ProcessReply> {
        let mut reply = ProcessReply::default();
        // Writing fails if the process has crashed. Its exit status is read below.
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
