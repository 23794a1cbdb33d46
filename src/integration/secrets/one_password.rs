//! Asks the 1Password CLI for secrets.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use crate::environment::{Environment, is_token};

/// The time after which the log tells what is waited for.
const SILENCE: Duration = Duration::from_secs(3);

/// The bytes that are read of what it writes.
const MAX_OUTPUT: u64 = 1024 * 1024;

/// The 1Password CLI.
pub(super) struct OnePassword<'a> {
    pub(super) environment: &'a Environment,
    /// The time that one call may take.
    pub(super) limit: Duration,
}

/// The reason why there is no secret.
#[derive(Debug, Default)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// The output of the failed call. It may contain the secret, so it is redacted.
    pub(super) output: Option<SecretString>,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self { reason, output: None }
    }
}

/// What a call wrote.
struct Output {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl OnePassword<'_> {
    /// Reads the secret of a reference (`op://vault/item/field`).
    ///
    /// # Errors
    /// A failure of the CLI, no answer in time, or an answer that is no text.
    pub(super) async fn read(&self, reference: &str) -> Result<SecretString, Failure> {
        let late =
            || format!("no answer within {} (`GITBOOK_TIMEOUT`)", humantime::format_duration(self.limit));
        let output = tokio::time::timeout(self.limit, self.call(reference)).await.map_err(|_| late())??;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let reason = said.lines().next().map_or_else(|| output.status.to_string(), str::to_owned);
            let output = String::from_utf8(output.stdout).ok().map(|text| text.trim().into());
            return Err(Failure { reason, output });
        }
        let text = String::from_utf8(output.stdout).map_err(|_| "its answer is not Unicode".to_owned())?;
        match text.trim() {
            "" => Err("its answer is empty".to_owned().into()),
            text => Ok(text.to_owned().into()),
        }
    }

    async fn call(&self, reference: &str) -> Result<Output, String> {
        let mut child = self.start(reference)?;
        let mut group = Group { leader: child.id() };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            // Those that it leaves behind hold its output open.
            let ended = async {
                let status = child.wait().await;
                group.end();
                status
            };
            tokio::join!(ended, read(stdout), read(stderr))
        };
        tokio::pin!(work);
        let (status, stdout, stderr) = match tokio::time::timeout(SILENCE, &mut work).await {
            Ok(done) => done,
            Err(_) => {
                tracing::info!("waiting for `op read {reference}`");
                work.await
            }
        };
        Ok(Output { status: status.map_err(|error| error.to_string())?, stdout, stderr })
    }

    /// Starts it, with the environment but without our own tokens.
    fn start(&self, reference: &str) -> Result<Child, String> {
        let is_passed = |name: &str| !is_token(name) || name.starts_with("OP_");
        let mut command = Command::new("op");
        command.args(["read", reference]);
        command.env_clear().envs(self.environment.iter().filter(|(name, _)| is_passed(name)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "`op` is not on `PATH`".to_owned(),
            _ => error.to_string(),
        })
    }
}

async fn read(output: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        drop(output.take(MAX_OUTPUT).read_to_end(&mut bytes).await);
    }
    bytes
}

/// A process and those that it has started, which end with this at the latest.
struct Group {
    /// The number of the process, until all are ended.
    leader: Option<u32>,
}

impl Group {
    #[cfg(unix)]
    fn end(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let leader = self.leader.take().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(leader) = leader {
            // All may have ended by themselves.
            kill_process_group(leader, Signal::KILL).ok();
        }
    }

    #[cfg(not(unix))]
    fn end(&mut self) {
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}
