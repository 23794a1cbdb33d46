//! Every way to fail, with its hint and its exit code.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use crate::cancel::Signal;
use crate::ci::CiError;
use crate::deploy::SweepError;
use crate::diagnostic::Diagnostic;
use crate::gitbook::ApiError;
use crate::plan::Refusal;

/// Why the program failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An argument other than `--help` and `--version`.
    #[error("unknown argument `{0}`")]
    Argument(String),
    /// Bad values of variables; each was reported.
    #[error("{0}, nothing was sent")]
    Configuration(ProblemCounts),
    /// The CI system's event is not understood.
    #[error("what happened can't be told")]
    Ci(#[source] CiError),
    /// The plan is to go no further.
    #[error("{0}")]
    Refused(Refusal),
    /// Problems in manifests, images, secrets and scripts; each was reported.
    #[error("{0}, nothing was sent")]
    Sources(ProblemCounts),
    /// Previews need the repository to be known.
    #[error("the repository is not known, and previews are known by it")]
    NoRepository,
    /// Which branches are gone can't be found out.
    #[error("a sweep needs the forge to say which branches are gone, and it can't be asked")]
    NoForge,
    /// There is nothing to say where previews may be.
    #[error("no manifest names an organization to sweep")]
    NoOrganization,
    /// Nothing was swept up.
    #[error("the sweep failed")]
    Sweep(#[source] SweepError),
    /// The sandbox does not start.
    #[error("the sandbox in `{}` can't start", folder.display())]
    Sandbox {
        /// Where it keeps what was published.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The API client does not start.
    #[error("GitBook can't be talked to")]
    Client(#[source] ApiError),
    /// At least one integration failed; each was reported.
    #[error("{failed} of {} failed", count(*total, "integration"))]
    Deployment {
        /// How many failed.
        failed: usize,
        /// Of how many.
        total: usize,
    },
    /// A signal ended it.
    #[error("cancelled by {0}")]
    Cancelled(Signal),
}

impl Error {
    /// What to do about it; `None` where the problems that were reported say it.
    #[must_use]
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Argument(_) => {
                Some("everything is set by environment variables; `--help` lists them".to_owned())
            }
            Self::Ci(error) => Some(error.hint()),
            Self::Refused(refusal) => Some(refusal.hint().to_owned()),
            Self::NoRepository => {
                Some("set `GITBOOK_REPOSITORY`, for example to `github.com/acme/integrations`".to_owned())
            }
            Self::NoForge => {
                Some("pass its token as `GITHUB_TOKEN`, of GitLab as `GITLAB_TOKEN`; without one, delete a branch's preview with `GITBOOK_MODE=delete` and `GITBOOK_BRANCH`".to_owned())
            }
            Self::NoOrganization => Some("set `GITBOOK_ORGANIZATION` to its id or subdomain".to_owned()),
            Self::Sweep(error) => Some(error.hint()),
            Self::Sandbox { .. } => {
                Some("name a folder that can be written with `GITBOOK_SANDBOX_DIR`".to_owned())
            }
            Self::Client(error) => Some(error.hint()),
            Self::Cancelled(_) => {
                Some("what was done until then is in the outputs; running again is safe".to_owned())
            }
            Self::Configuration(_) | Self::Sources(_) | Self::Deployment { .. } => None,
        }
    }

    /// The exit code: 1 the deployment failed, 2 it was not configured correctly, 130 or 143 cancelled.
    #[must_use]
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Client(_) | Self::Deployment { .. } | Self::NoForge | Self::Sweep(_) => 1,
            Self::Argument(_)
            | Self::Configuration(_)
            | Self::Ci(_)
            | Self::Refused(_)
            | Self::Sources(_)
            | Self::NoRepository
            | Self::NoOrganization
            | Self::Sandbox { .. } => 2,
            Self::Cancelled(signal) => signal.exit_code(),
        }
    }
}

/// How many problems there are, and in how many places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProblemCounts {
    errors: usize,
    warnings: usize,
    files: usize,
    variables: usize,
}

impl ProblemCounts {
    /// Counts problems.
    #[must_use]
    pub(crate) fn of(problems: &[Diagnostic]) -> Self {
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        let places: BTreeSet<_> =
            problems.iter().filter_map(|problem| Some(&problem.place.as_ref()?.origin)).collect();
        let files = places.iter().filter(|origin| origin.is_file()).count();
        Self { errors, warnings: problems.len() - errors, files, variables: places.len() - files }
    }

    /// Whether none of them stops the deployment.
    #[must_use]
    pub(crate) fn has_no_errors(&self) -> bool {
        self.errors == 0
    }
}

impl fmt::Display for ProblemCounts {
    /// `3 errors and 1 warning in 2 files and 1 variable`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = |(number, what): (usize, &str)| (number > 0).then(|| count(number, what));
        let all =
            |parts: [(usize, &str); 2]| parts.into_iter().filter_map(some).collect::<Vec<_>>().join(" and ");
        f.write_str(&all([(self.errors, "error"), (self.warnings, "warning")]))?;
        match all([(self.files, "file"), (self.variables, "variable")]) {
            places if places.is_empty() => Ok(()),
            places => write!(f, " in {places}"),
        }
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
