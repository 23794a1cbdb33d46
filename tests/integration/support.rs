//! Starts the program with the environment of a CI job and collects the results.

mod barriers;
mod fault_injector;
mod finished;
mod gitlab;
mod log;
pub(crate) mod payloads;
mod repository;
mod secure;
mod servers;

pub(crate) use barriers::HoldingProxy;
pub(crate) use fault_injector::{Effect, Fault, FaultInjector, Response};
pub(crate) use finished::Finished;
pub(crate) use gitlab::{
    GITLAB_TOKEN, GitLab, Note, OTHER_USER_ID, OWN_USER_ID, gitlab_error, merge_request,
};
pub(crate) use log::replace_digits_after;
pub(crate) use repository::{Repository, png, repository, script};
pub(crate) use secure::{authority, proxy, secure_gitbook};
pub(crate) use servers::{RecordedRequests, Sandbox, api_error, gitbook, published, repeated_with};

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use fake_github::FakeGitHub;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The time limit of a run.
const MAX_RUN_TIME: Duration = Duration::from_secs(60);

/// The token for GitBook.
pub(crate) const TOKEN: &str = "gb_api_tOkEn+/0123456789";

/// The token for the forge, with the prefix of GitHub Actions.
pub(crate) const FORGE_TOKEN: &str = "ghs_fOrGe0123456789";

/// A Python script that runs a program on a pseudo terminal, copies the output and exits with the program's exit code.
const TERMINAL_SCRIPT: &str = "\
import os, pty, sys
size = 'stty cols 80 rows 24; exec \"$0\"'
status = pty.spawn(['/bin/sh', '-c', size] + sys.argv[1:])
sys.exit(os.WEXITSTATUS(status))
";

/// A run of the program that has not started. The environment contains only the paths of the output files and the added variables.
pub(crate) struct Deployment {
    files: TempDir,
    folder: Option<PathBuf>,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    github: bool,
    is_pid_1: bool,
    has_terminal: bool,
}

/// Returns a run with an empty environment.
pub(crate) fn deployment() -> Deployment {
    let files = tempfile::tempdir().unwrap();
    std::fs::create_dir(files.path().join("empty")).unwrap();
    Deployment {
        files,
        folder: None,
        variables: Vec::new(),
        arguments: Vec::new(),
        github: false,
        is_pid_1: false,
        has_terminal: false,
    }
}

impl Deployment {
    /// Sets an environment variable.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a command-line argument.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets the working directory.
    pub(crate) fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// Sets GitBook's endpoint and the token, and disables retries.
    pub(crate) fn with_endpoint(self, endpoint: &str) -> Self {
        self.variable("GITBOOK_ENDPOINT", endpoint)
            .variable("GITBOOK_TOKEN", TOKEN)
            .variable("GITBOOK_RETRIES", "0")
    }

    /// Publishes to production on any event.
    pub(crate) fn publish(self) -> Self {
        self.variable("GITBOOK_MODE", "publish")
    }

    /// Sets the generic variables for a push to a branch of a repository with the production branch `main`.
    pub(crate) fn on_push_to(self, branch: &str) -> Self {
        self.event("push", branch)
    }

    /// Sets the generic variables for an event on a branch.
    pub(crate) fn event(self, event: &str, branch: &str) -> Self {
        self.variable("GITBOOK_EVENT", event)
            .variable("GITBOOK_BRANCH", branch)
            .variable("GITBOOK_DEFAULT_BRANCH", "main")
            .variable("GITBOOK_REPOSITORY", "github.com/acme/integrations")
            .variable("GITBOOK_COMMIT", "0123abcd")
    }

    /// Sets the variables of GitHub Actions for a push to a branch.
    pub(crate) fn on_github(self, branch: &str, run: u64) -> Self {
        self.on_github_event("push", &payloads::push(branch, "0123abcd"), run)
    }

    /// Sets the variables of GitHub Actions for an event with its payload.
    pub(crate) fn on_github_event(mut self, name: &str, payload: &serde_json::Value, run: u64) -> Self {
        self.github = true;
        let event = self.files.path().join("event.json");
        std::fs::write(&event, payload.to_string()).unwrap();
        let run = run.to_string();
        [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", name),
            ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
            ("GITHUB_REPOSITORY", "acme/integrations"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_RUN_ID", &run),
        ]
        .into_iter()
        .fold(self, |run, (name, value)| run.variable(name, value))
    }

    /// Sets the address of the forge and a token of GitHub Actions.
    pub(crate) fn with_forge(self, forge: &FakeGitHub) -> Self {
        self.variable("GITHUB_API_URL", forge.url()).variable("GITHUB_TOKEN", FORGE_TOKEN)
    }

    /// Runs as the first process of a namespace, as in a container.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_pid_1(mut self) -> Self {
        self.is_pid_1 = true;
        self
    }

    /// Runs on a terminal with 80 columns. The log then contains the bytes that the terminal receives.
    #[cfg(unix)]
    pub(crate) fn on_a_terminal(mut self) -> Self {
        self.has_terminal = true;
        self
    }

    /// Runs the program and returns its results.
    pub(crate) async fn run(self) -> Finished {
        self.start().finish().await
    }

    /// Starts the program.
    #[expect(clippy::disallowed_methods, reason = "Windows programs need `SystemRoot` for connections")]
    pub(crate) fn start(self) -> Running {
        let folder = self.folder.clone().unwrap_or_else(|| self.files.path().join("empty"));
        let folder = dunce::canonicalize(folder).unwrap();
        let program = env!("CARGO_BIN_EXE_gitbook-deploy");
        let mut command = if self.is_pid_1 {
            let mut unshare = Command::new("/usr/bin/unshare");
            unshare.args(["--pid", "--fork", "--kill-child", program]);
            unshare
        } else if self.has_terminal {
            let mut python = Command::new("/usr/bin/env");
            python.args(["python3", "-c", TERMINAL_SCRIPT, program]);
            python
        } else {
            Command::new(program)
        };
        let log = std::fs::File::create(self.files.path().join("log")).unwrap();
        let child = command
            .args(&self.arguments)
            .env_clear()
            // On Windows, no program can open a connection without `SystemRoot`.
            .envs(std::env::var_os("SystemRoot").map(|folder| ("SystemRoot", folder)))
            .envs(self.output_files())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&folder)
            .stdin(Stdio::null())
            // The log is a file, so that tests can read it during the run.
            .stdout(if self.has_terminal { log.try_clone().unwrap().into() } else { Stdio::piped() })
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Running { child, folder, deployment: self }
    }

    fn output_files(&self) -> [(&'static str, PathBuf); 4] {
        let outputs = if self.github { "GITHUB_OUTPUT" } else { "GITBOOK_OUTPUT_FILE" };
        let files = [
            (outputs, "outputs"),
            ("GITBOOK_SUMMARY_FILE", "summary.md"),
            ("GITBOOK_REPORT_FILE", "r.json"),
            ("GITBOOK_CODE_QUALITY_FILE", "quality.json"),
        ];
        files.map(|(name, file)| (name, self.files.path().join(file)))
    }
}

/// A running program.
pub(crate) struct Running {
    child: Child,
    folder: PathBuf,
    deployment: Deployment,
}

impl Running {
    /// Sends a signal such as `INT` or `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id();
        // The shell's built-in `kill` exists on every system with a shell.
        let sent = Command::new("/bin/sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Returns the process ID of the program. If `unshare` has started the program, this is the ID of its child.
    fn id(&self) -> String {
        let id = self.child.id().unwrap().to_string();
        if !self.deployment.is_pid_1 {
            return id;
        }
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.trim().to_owned()
    }

    /// Returns true if the log already contains a text.
    #[cfg(unix)]
    pub(crate) fn has_logged(&self, text: &str) -> bool {
        self.written("log").is_some_and(|log| log.contains(text))
    }

    /// Returns the current content of an output file, or `None` if it does not exist.
    pub(crate) fn written(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.deployment.files.path().join(name)).ok()
    }

    /// Waits until the program exits, and returns the results. Panics after `MAX_RUN_TIME`.
    pub(crate) async fn finish(self) -> Finished {
        let Self { child, folder, deployment } = self;
        let output: Output = tokio::time::timeout(MAX_RUN_TIME, child.wait_with_output())
            .await
            .expect("the program exits in time")
            .unwrap();
        let read = |name: &str| std::fs::read_to_string(deployment.files.path().join(name)).ok();
        Finished {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: read("log").unwrap(),
            raw_outputs: read("outputs").unwrap_or_default(),
            summary: read("summary.md").unwrap_or_default(),
            report: read("r.json")
                .map_or(serde_json::Value::Null, |text| serde_json::from_str(&text).unwrap()),
            quality: read("quality.json").unwrap_or_default(),
            folder,
        }
    }
}

/// Waits until a condition is true. Panics after twenty seconds.
pub(crate) async fn wait_until(condition: &str, mut is_true: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_true().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("timed out after 20 s while waiting for this condition: {condition}");
}
