//! Reads secrets with the 1Password CLI.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use crate::environment::{Environment, is_token_variable};

/// The time after which the log reports that a call is still running.
const SLOW_CALL: Duration = Duration::from_secs(3);

/// The maximum number of bytes read from each output stream.
const MAX_OUTPUT: u64 = 1024 * 1024;

/// The 1Password CLI.
pub(super) struct OnePassword<'a> {
    pub(super) environment: &'a Environment,
    /// The time limit for one call.
    pub(super) timeout: Duration,
}

/// The cause of a failed call of the CLI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnePasswordCause {
    /// A CLI that is not on `PATH`.
    NotInstalled,
    /// A CLI that exceeded the time limit.
    Timeout,
    /// An empty secret, or one that is not UTF-8.
    InvalidOutput,
    /// Any other failure, such as a missing sign-in or a misspelled reference.
    Failed,
}

impl OnePasswordCause {
    /// Returns a hint for a failed `op read`.
    pub(super) fn hint(self, reference: &str) -> String {
        match self {
            Self::NotInstalled => "install the 1Password CLI `op`".to_owned(),
            Self::Timeout => "raise `GITBOOK_TIMEOUT`".to_owned(),
            Self::InvalidOutput => "check the field in 1Password".to_owned(),
            Self::Failed => {
                format!("sign in to 1Password or set `OP_SERVICE_ACCOUNT_TOKEN`, and check `{reference}`")
            }
        }
    }
}

/// A failed call of the CLI.
#[derive(Debug)]
pub(super) struct OnePasswordError {
    pub(super) cause: OnePasswordCause,
    pub(super) reason: String,
    /// The output, which may contain a secret.
    pub(super) output: Option<SecretString>,
}

impl OnePasswordError {
    fn new(cause: OnePasswordCause, reason: impl Into<String>) -> Self {
        Self { cause, reason: reason.into(), output: None }
    }
}

/// The exit status and output of one call of the CLI.
struct CommandOutput {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl OnePassword<'_> {
    /// Reads the secret for a reference (`op://vault/item/field`).
    ///
    /// # Errors
    /// Returns an error if the CLI fails, exceeds the time limit, prints nothing, or prints bytes that are not UTF-8.
    pub(super) async fn read(&self, reference: &str) -> Result<SecretString, OnePasswordError> {
        let timed_out = |_| {
            let limit = humantime::format_duration(self.timeout);
            OnePasswordError::new(
                OnePasswordCause::Timeout,
                format!("no response within {limit} (`GITBOOK_TIMEOUT`)"),
            )
        };
        let invalid = |reason: &str| OnePasswordError::new(OnePasswordCause::InvalidOutput, reason);
        let output = tokio::time::timeout(self.timeout, self.call(reference)).await.map_err(timed_out)??;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            let reason = message.lines().next().map_or_else(|| output.status.to_string(), str::to_owned);
            let output = String::from_utf8(output.stdout).ok().map(|text| text.trim().into());
            return Err(OnePasswordError { cause: OnePasswordCause::Failed, reason, output });
        }
        let text = String::from_utf8(output.stdout).map_err(|_| invalid("the output is not UTF-8"))?;
        match text.trim() {
            "" => Err(invalid("the output is empty")),
            text => Ok(text.to_owned().into()),
        }
    }

    async fn call(&self, reference: &str) -> Result<CommandOutput, OnePasswordError> {
        let mut child = self.start(reference)?;
        let mut group = ProcessGroup { leader: child.id() };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            // Kill child processes that outlive the CLI, because they would keep the output streams open.
            let exited = async {
                let status = child.wait().await;
                group.kill();
                status
            };
            tokio::join!(exited, read_output(stdout), read_output(stderr))
        };
        tokio::pin!(work);
        let (status, stdout, stderr) = match tokio::time::timeout(SLOW_CALL, &mut work).await {
            Ok(done) => done,
            Err(_) => {
                tracing::info!("waiting for `op read {reference}`");
                work.await
            }
        };
        let status =
            status.map_err(|error| OnePasswordError::new(OnePasswordCause::Failed, error.to_string()))?;
        Ok(CommandOutput { status, stdout, stderr })
    }

    /// Starts the CLI with all variables except tokens. The tokens of 1Password (`OP_…`) are passed, too.
    fn start(&self, reference: &str) -> Result<Child, OnePasswordError> {
        let is_passed = |name: &str| !is_token_variable(name) || name.starts_with("OP_");
        let mut command = Command::new("op");
        command.args(["read", reference]);
        command.env_clear().envs(self.environment.iter().filter(|(name, _)| is_passed(name)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                OnePasswordError::new(OnePasswordCause::NotInstalled, "`op` is not on `PATH`")
            }
            _ => OnePasswordError::new(OnePasswordCause::Failed, error.to_string()),
        })
    }
}

async fn read_output(output: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        drop(output.take(MAX_OUTPUT).read_to_end(&mut bytes).await);
    }
    bytes
}

/// A process group. On Unix, dropping this value kills all processes of the group.
struct ProcessGroup {
    /// The process id of the group's leader, or `None` after the group was killed.
    leader: Option<u32>,
}

impl ProcessGroup {
    #[cfg(unix)]
    fn kill(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let leader = self.leader.take().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(leader) = leader {
            // Killing the group fails if all of its processes have already exited.
            kill_process_group(leader, Signal::KILL).ok();
        }
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {
        self.leader = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}
