//! The errors of a run, with their hints and exit codes.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use crate::cancel::Signal;
use crate::ci::CiError;
use crate::deploy::SweepError;
use crate::diagnostic::{Diagnostic, display_path};
use crate::gitbook::GitBookError;
use crate::plan::Refusal;

/// The error that made a run fail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An argument other than `--help` and `--version`.
    #[error("unknown argument `{0}`")]
    Argument(String),
    /// Invalid variables. Each problem is reported separately.
    #[error("invalid configuration: {0}; nothing was published or deleted")]
    Configuration(ProblemCounts),
    /// A CI event that could not be detected.
    #[error("could not detect the CI event")]
    Ci(#[source] CiError),
    /// A run that the decision refuses, with the reason.
    #[error("{0}")]
    Refused(Refusal),
    /// Invalid manifests, images, secrets or scripts. Each problem is reported separately.
    #[error("invalid integrations: {0}; nothing was published or deleted")]
    InvalidIntegrations(ProblemCounts),
    /// A run for previews without a known repository. The ownership marker of each preview contains the repository.
    #[error("cannot manage previews: the repository is unknown")]
    NoRepository,
    /// A sweep without a client for the forge.
    #[error("cannot sweep: the branches cannot be listed: {reason}")]
    NoForge {
        /// The reason why there is no client.
        reason: String,
        hint: String,
    },
    /// A sweep without an organization to search.
    #[error("cannot sweep: no manifest names an organization")]
    OrganizationNotFound,
    /// A sweep that failed before it deleted anything.
    #[error("sweep failed")]
    Sweep(#[source] SweepError),
    /// A sandbox that did not start.
    #[error("could not start the sandbox in `{}`", display_path(folder))]
    Sandbox {
        /// The folder of the sandbox.
        folder: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// An API client that cannot be created.
    #[error("could not create the GitBook client")]
    Client(#[source] GitBookError),
    /// Integrations that failed. Each failure is reported separately.
    #[error("{failed} of {} failed", pluralize(*total, "integration"))]
    Deployment {
        /// The number of failed integrations.
        failed: usize,
        /// The number of all integrations.
        total: usize,
    },
    /// A run that was stopped by a signal.
    #[error("cancelled by {0}")]
    Cancelled(Signal),
}

impl Error {
    /// Returns a hint for the user, or `None` if the problems were reported with their own hints.
    #[must_use]
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Argument(_) => {
                Some("use environment variables instead; `gitbook-deploy --help` lists them".to_owned())
            }
            Self::Ci(error) => Some(error.hint()),
            Self::Refused(refusal) => Some(refusal.hint().to_owned()),
            Self::NoRepository => {
                Some("set `GITBOOK_REPOSITORY`, for example to `github.com/acme/integrations`".to_owned())
            }
            Self::NoForge { hint, .. } => Some(hint.clone()),
            Self::OrganizationNotFound => {
                Some("set `GITBOOK_ORGANIZATION` to the ID or subdomain of the organization".to_owned())
            }
            Self::Sweep(error) => Some(error.hint()),
            Self::Sandbox { .. } => Some("set `GITBOOK_SANDBOX_DIR` to a writable folder".to_owned()),
            Self::Client(error) => Some(error.hint()),
            Self::Cancelled(_) => {
                Some("re-run the job; publishing and deleting are safe to repeat".to_owned())
            }
            Self::Configuration(_) | Self::InvalidIntegrations(_) | Self::Deployment { .. } => None,
        }
    }

    /// Returns the exit code: 1 for a failed deployment or sweep, 2 for an invalid configuration, 129, 130 or 143 for a signal.
    #[must_use]
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Client(_) | Self::Deployment { .. } | Self::NoForge { .. } | Self::Sweep(_) => 1,
            Self::Argument(_)
            | Self::Configuration(_)
            | Self::Ci(_)
            | Self::Refused(_)
            | Self::InvalidIntegrations(_)
            | Self::NoRepository
            | Self::OrganizationNotFound
            | Self::Sandbox { .. } => 2,
            Self::Cancelled(signal) => signal.exit_code(),
        }
    }
}

/// The number of problems of each severity, and the number of files and variables that have problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProblemCounts {
    errors: usize,
    warnings: usize,
    files: usize,
    variables: usize,
}

impl ProblemCounts {
    /// Counts problems by severity, and counts the files and variables that contain them.
    #[must_use]
    pub(crate) fn of(problems: &[Diagnostic]) -> Self {
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        let origins: BTreeSet<_> =
            problems.iter().filter_map(|problem| Some(&problem.location.as_ref()?.origin)).collect();
        let files = origins.iter().filter(|origin| origin.is_file()).count();
        Self { errors, warnings: problems.len() - errors, files, variables: origins.len() - files }
    }

    /// Returns true if all problems are warnings.
    #[must_use]
    pub(crate) fn has_no_errors(&self) -> bool {
        self.errors == 0
    }
}

impl fmt::Display for ProblemCounts {
    /// Writes text such as `3 errors and 1 warning in 2 files and 1 variable`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unless_zero = |(number, noun): (usize, &str)| (number > 0).then(|| pluralize(number, noun));
        let list = |counts: [(usize, &str); 2]| {
            counts.into_iter().filter_map(unless_zero).collect::<Vec<_>>().join(" and ")
        };
        f.write_str(&list([(self.errors, "error"), (self.warnings, "warning")]))?;
        match list([(self.files, "file"), (self.variables, "variable")]) {
            origins if origins.is_empty() => Ok(()),
            origins => write!(f, " in {origins}"),
        }
    }
}

/// Returns a number with a noun, such as `1 error` or `2 errors`.
pub(crate) fn pluralize(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Returns the causes of an error in one line, or `None` if the error has no cause.
pub(crate) fn causes(error: &dyn std::error::Error) -> Option<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    (!causes.is_empty()).then(|| causes.join(": "))
}
