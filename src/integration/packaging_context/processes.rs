//! Processes of this program that bundle scripts. One that crashes, or needs too much memory, ends one script's bundling only.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;

use super::processors;

/// The argument that makes the program bundle scripts for another one of its processes. It is no part of the interface.
pub(crate) const ARGUMENT: &str = "bundle-on-request";

/// One process for each script that is bundled at once. They are kept for the next scripts.
#[derive(Debug)]
pub(crate) struct Processes {
    program: Option<PathBuf>,
    idle: Mutex<Vec<Process>>,
    /// One more than there are processors: some of the time a script's modules wait for one another.
    places: Semaphore,
}

#[derive(Debug)]
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// The time limit for one script. The vendor's own scripts take 0.1 s. The bundler's time grows with the square of the depth of
/// nested expressions, so code with tens of thousands of them would take hours.
const MAX_TIME: Duration = Duration::from_secs(120);

/// Settings of the allocators that the program may be built with: memory comes in large pages, and is kept until the end. A third of
/// a script's time was the kernel's for memory otherwise.
const ALLOCATOR: [(&str, &str); 2] = [
    (
        "GLIBC_TUNABLES",
        "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1:glibc.malloc.top_pad=16777216:\
         glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=134217728",
    ),
    ("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1"),
];

/// The lines that a process wrote for a request.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) lines: Vec<String>,
    /// The reason why the last line is missing.
    pub(crate) end: Option<End>,
}

/// The end of a process before the end of its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// It exited, or was ended by a signal.
    Exit(ExitStatus),
    /// It took too long.
    Late,
}

impl Processes {
    /// Starts none yet. Without a program, there are none.
    pub(crate) fn new(program: Option<PathBuf>) -> Self {
        Self { program, idle: Mutex::default(), places: Semaphore::new(processors() + 1) }
    }

    /// Starts one before it is needed: that takes as long as reading the configuration.
    pub(crate) fn prepare(&self) {
        if let Ok(process) = self.start() {
            self.idle().push(process);
        }
    }

    /// Sends a request of one line to a process, and returns its lines up to the one for which `is_last`. Dropping the
    /// future ends the process. With `is_only`, the process gets no request before and none after.
    ///
    /// # Errors
    /// When no process can be started.
    pub(crate) async fn ask(
        &self,
        request: &str,
        is_last: impl Fn(&str) -> bool,
        is_only: bool,
    ) -> std::io::Result<Answer> {
        let _place = self.places.acquire().await;
        let idle = if is_only { None } else { self.idle().pop() };
        let mut process = idle.map_or_else(|| self.start(), Ok)?;
        match tokio::time::timeout(MAX_TIME, process.ask(request, is_last)).await {
            Ok(answer) => {
                let answer = answer?;
                if answer.end.is_none() && !is_only {
                    self.idle().push(process);
                }
                Ok(answer)
            }
            Err(_) => Ok(Answer { end: Some(End::Late), ..Answer::default() }),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> std::io::Result<Process> {
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let program = self.program.as_ref().ok_or_else(missing)?;
        let mut command = Command::new(program);
        // It needs nothing of the environment, least of all the tokens.
        command.arg(ARGUMENT).env_clear().envs(ALLOCATOR).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A signal from the terminal is for this process, which ends the others.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Process { child, input, output })
    }
}

impl Process {
    async fn ask(&mut self, request: &str, is_last: impl Fn(&str) -> bool) -> std::io::Result<Answer> {
        let mut answer = Answer::default();
        // A process that has crashed takes no input; its status tells.
        drop(self.input.write_all(format!("{request}\n").as_bytes()).await);
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).await.unwrap_or(0) == 0 {
                answer.end = Some(End::Exit(self.child.wait().await?));
                return Ok(answer);
            }
            let is_done = is_last(&line);
            answer.lines.push(line);
            if is_done {
                return Ok(answer);
            }
        }
    }
}
