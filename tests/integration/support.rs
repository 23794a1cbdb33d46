//! The door of these tests: `deployment()` starts the program as a CI system does and gives all that came out.

mod barriers;
mod faulty;
mod finished;
mod gitlab;
mod log;
pub(crate) mod payloads;
mod repository;
mod secure;
mod servers;

pub(crate) use barriers::Gated;
pub(crate) use faulty::{Effect, Fault, Faulty, Response};
pub(crate) use finished::Finished;
pub(crate) use gitlab::{GITLAB_TOKEN, GitLab, Note, THEM, US, gitlab_says, merge_request};
pub(crate) use log::replace_digits_after;
pub(crate) use repository::{Repository, png, repository, script};
pub(crate) use secure::{authority, proxy, secure_gitbook};
pub(crate) use servers::{Recorded, Sandbox, gitbook, published, repeated_with, said};

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use fake_github::FakeGitHub;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// No run of these tests takes as long.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// The token of these tests.
pub(crate) const TOKEN: &str = "gb_api_tOkEn+/0123456789";

/// The forge's token of these tests, of the kind that Actions has.
pub(crate) const FORGE_TOKEN: &str = "ghs_fOrGe0123456789";

/// Runs a program on a pseudo terminal, copies what it writes there, and ends as it does.
const TERMINAL: &str = "\
import os, pty, sys
size = 'stty cols 80 rows 24; exec \"$0\"'
status = pty.spawn(['/bin/sh', '-c', size] + sys.argv[1:])
sys.exit(os.WEXITSTATUS(status))
";

/// A run of the program, not started yet: no variable is set but those that say where its files go.
pub(crate) struct Deployment {
    files: TempDir,
    folder: Option<PathBuf>,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    github: bool,
    has_pid_1: bool,
    has_terminal: bool,
}

/// A run in an environment that holds nothing.
pub(crate) fn deployment() -> Deployment {
    let files = tempfile::tempdir().unwrap();
    std::fs::create_dir(files.path().join("empty")).unwrap();
    Deployment {
        files,
        folder: None,
        variables: Vec::new(),
        arguments: Vec::new(),
        github: false,
        has_pid_1: false,
        has_terminal: false,
    }
}

impl Deployment {
    /// Sets a variable. The last of one name counts.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Adds an argument.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Runs in a folder.
    pub(crate) fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// Talks to a server, with the token and without retries.
    pub(crate) fn against(self, endpoint: &str) -> Self {
        self.variable("GITBOOK_ENDPOINT", endpoint)
            .variable("GITBOOK_TOKEN", TOKEN)
            .variable("GITBOOK_RETRIES", "0")
    }

    /// Publishes to production, whatever happened.
    pub(crate) fn publish(self) -> Self {
        self.variable("GITBOOK_MODE", "publish")
    }

    /// A push to a branch of a repository whose production branch is `main`, by way of the generic variables.
    pub(crate) fn push_to(self, branch: &str) -> Self {
        self.event("push", branch)
    }

    /// An event of the generic variables on a branch.
    pub(crate) fn event(self, event: &str, branch: &str) -> Self {
        self.variable("GITBOOK_EVENT", event)
            .variable("GITBOOK_BRANCH", branch)
            .variable("GITBOOK_DEFAULT_BRANCH", "main")
            .variable("GITBOOK_REPOSITORY", "github.com/acme/integrations")
            .variable("GITBOOK_COMMIT", "0123abcd")
    }

    /// Runs as a step of GitHub Actions, on a push to a branch.
    pub(crate) fn on_github(self, branch: &str, run: u64) -> Self {
        self.on_github_event("push", &payloads::push(branch, "0123abcd"), run)
    }

    /// Runs as a step of GitHub Actions, on an event with its payload.
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

    /// Can talk to a forge, with the token that Actions has.
    pub(crate) fn with_forge(self, forge: &FakeGitHub) -> Self {
        self.variable("GITHUB_API_URL", forge.url()).variable("GITHUB_TOKEN", FORGE_TOKEN)
    }

    /// Runs as the first process of a container does, where util-linux can make a namespace for it.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_pid_1(mut self) -> Self {
        self.has_pid_1 = true;
        self
    }

    /// Writes to a terminal of 80 columns; what it shows is the log, as the bytes that the terminal is given.
    #[cfg(unix)]
    pub(crate) fn on_a_terminal(mut self) -> Self {
        self.has_terminal = true;
        self
    }

    /// Runs it to its end.
    pub(crate) async fn runs(self) -> Finished {
        self.starts().ends().await
    }

    /// Starts it.
    #[expect(
        clippy::disallowed_methods,
        reason = "Windows has a variable without which no program can connect"
    )]
    pub(crate) fn starts(self) -> Running {
        let folder = self.folder.clone().unwrap_or_else(|| self.files.path().join("empty"));
        let folder = dunce::canonicalize(folder).unwrap();
        let program = env!("CARGO_BIN_EXE_gitbook-deploy");
        let mut command = if self.has_pid_1 {
            let mut unshare = Command::new("/usr/bin/unshare");
            unshare.args(["--pid", "--fork", "--kill-child", program]);
            unshare
        } else if self.has_terminal {
            let mut python = Command::new("/usr/bin/env");
            python.args(["python3", "-c", TERMINAL, program]);
            python
        } else {
            Command::new(program)
        };
        let log = std::fs::File::create(self.files.path().join("log")).unwrap();
        let child = command
            .args(&self.arguments)
            .env_clear()
            // Without it, nothing can connect on Windows.
            .envs(std::env::var_os("SystemRoot").map(|folder| ("SystemRoot", folder)))
            .envs(self.sinks())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&folder)
            .stdin(Stdio::null())
            // A file can be read while it is written.
            .stdout(if self.has_terminal { log.try_clone().unwrap().into() } else { Stdio::piped() })
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Running { child, folder, deployment: self }
    }

    fn sinks(&self) -> [(&'static str, PathBuf); 4] {
        let outputs = if self.github { "GITHUB_OUTPUT" } else { "GITBOOK_OUTPUT_FILE" };
        let sinks = [
            (outputs, "outputs"),
            ("GITBOOK_SUMMARY_FILE", "summary.md"),
            ("GITBOOK_REPORT_FILE", "r.json"),
            ("GITBOOK_CODE_QUALITY_FILE", "quality.json"),
        ];
        sinks.map(|(name, file)| (name, self.files.path().join(file)))
    }
}

/// A run that was started.
pub(crate) struct Running {
    child: Child,
    folder: PathBuf,
    deployment: Deployment,
}

impl Running {
    /// Sends it a signal, `INT` or `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id();
        // The shell's own `kill`, which is wherever a shell is.
        let sent = Command::new("/bin/sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status().await;
        assert!(sent.unwrap().success());
    }

    /// The program's own id, also where another process has started it.
    fn id(&self) -> String {
        let id = self.child.id().unwrap().to_string();
        if !self.deployment.has_pid_1 {
            return id;
        }
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.trim().to_owned()
    }

    /// Whether it has said something by now.
    #[cfg(unix)]
    pub(crate) fn has_said(&self, text: &str) -> bool {
        self.written("log").is_some_and(|log| log.contains(text))
    }

    /// What it has written to one of its files by now.
    pub(crate) fn written(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.deployment.files.path().join(name)).ok()
    }

    /// Waits for its end.
    pub(crate) async fn ends(self) -> Finished {
        let Self { child, folder, deployment } = self;
        let output: Output =
            tokio::time::timeout(LONGEST_RUN, child.wait_with_output()).await.expect("it ends").unwrap();
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

/// Tries again and again until something holds, for at most twenty seconds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not after 20 s: {what}");
}
