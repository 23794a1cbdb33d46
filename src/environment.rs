//! The environment of the process, read once by `main`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Variables with tokens of this program or of CI systems. The program redacts their values, and no manifest can use them. Of
/// these variables, the 1Password CLI receives only those with the prefix `OP_`.
const TOKEN_VARIABLES: [&str; 19] = [
    "BITBUCKET_STEP_OIDC_TOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "CI_DEPENDENCY_PROXY_PASSWORD",
    "CI_DEPLOY_PASSWORD",
    "CI_JOB_TOKEN",
    "CI_NETRC_PASSWORD",
    "CI_REGISTRY_PASSWORD",
    "DRONE_NETRC_PASSWORD",
    "FORGEJO_TOKEN",
    "GH_TOKEN",
    "GITBOOK_TOKEN",
    "GITEA_TOKEN",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "NODE_AUTH_TOKEN",
    "NPM_TOKEN",
    "OP_CONNECT_TOKEN",
    "OP_SERVICE_ACCOUNT_TOKEN",
    "SYSTEM_ACCESSTOKEN",
];

/// Name patterns (prefix and suffix) of other variables with tokens.
const TOKEN_PATTERNS: [(&str, &str); 4] =
    [("ACTIONS_", "_TOKEN"), ("CI_JOB_JWT", ""), ("CIRCLE_OIDC_TOKEN", ""), ("OP_SESSION_", "")];

/// The minimum length in bytes of a token that the program searches for in other variables. Shorter values are test data, not
/// tokens.
const MIN_TOKEN_LENGTH: usize = 8;

/// Returns true if a variable of this name contains a token of this program or of a CI system.
#[must_use]
pub(crate) fn is_token_variable(name: &str) -> bool {
    // On Windows, the names of variables are case-insensitive.
    let name = name.to_ascii_uppercase();
    TOKEN_VARIABLES.contains(&name.as_str())
        || TOKEN_PATTERNS.iter().any(|(start, end)| name.starts_with(start) && name.ends_with(end))
}

/// The variables and the current folder of the process.
///
/// An empty variable counts as unset, because CI systems pass unset inputs as empty strings.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    folder: PathBuf,
    program: Option<PathBuf>,
}

impl Environment {
    /// Creates an environment from variables and the current folder. Relative paths start at that folder.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>, folder: PathBuf) -> Self {
        let variables = variables
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        Self { variables, folder, program: None }
    }

    /// Sets the path of the running program. The program starts itself as a child process for work that may crash.
    #[must_use]
    pub fn with_program(self, program: Option<PathBuf>) -> Self {
        Self { program, ..self }
    }

    /// Returns the path of the running program, if it is known.
    #[must_use]
    pub fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// Returns the value of a variable, or `None` if it is unset, empty or not Unicode.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.to_str()
    }

    /// Returns true if a variable is set, but is not Unicode.
    #[must_use]
    pub fn is_not_unicode(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|value| value.to_str().is_none())
    }

    /// Returns the names of all set variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Returns all set variables, for a child process.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &OsString)> {
        self.variables.iter()
    }

    /// Returns the name of a token variable if the value of `variable` contains its token. For example, a clone URL may contain
    /// the token in `CI_JOB_TOKEN`. If `variable` is itself a token variable, returns its own name.
    pub(crate) fn token_variable_in(&self, variable: &str) -> Option<&str> {
        if let Some((name, _)) =
            self.variables.get_key_value(variable).filter(|(name, _)| is_token_variable(name))
        {
            return Some(name);
        }
        let value = self.get(variable)?;
        let contains_token = |name: &&str| {
            is_token_variable(name)
                && self
                    .get(name)
                    .is_some_and(|token| token.len() >= MIN_TOKEN_LENGTH && value.contains(token))
        };
        self.names().find(contains_token)
    }

    /// Returns the values of all variables with tokens.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &str> {
        self.variables
            .iter()
            .filter(|(name, _)| is_token_variable(name))
            .filter_map(|(_, value)| value.to_str())
    }

    /// Returns the current folder.
    #[must_use]
    pub fn current_folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
impl Environment {
    /// Creates an environment with these variables and the folder `/repo`.
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        Self::new(variables, PathBuf::from("/repo"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, is_token_variable};

    #[test]
    fn recognizes_tokens_by_their_names() {
        for name in [
            "GITBOOK_TOKEN",
            "gitbook_token",
            "ACTIONS_RUNTIME_TOKEN",
            "CI_JOB_JWT_V2",
            "CIRCLE_OIDC_TOKEN_V2",
            "OP_SESSION_acme",
        ] {
            assert!(is_token_variable(name), "{name}");
        }
        for name in ["TOKEN", "MY_GITBOOK_TOKEN", "GITBOOK_TOKEN_2", "ACTIONS_CACHE_URL", "OP_ACCOUNT"] {
            assert!(!is_token_variable(name), "{name}");
        }
    }

    #[test]
    fn finds_a_token_in_another_variable() {
        let url = "https://gitlab-ci-token:glcbt-12345@gitlab.com/acme/x.git";
        let environment = Environment::of(&[
            ("CI_JOB_TOKEN", "glcbt-12345"),
            ("CI_REPOSITORY_URL", url),
            ("COPY", "glcbt-12345"),
            ("OTHER", "glcbt-1234"),
            ("NPM_TOKEN", "glcbt"),
        ]);
        for name in ["CI_JOB_TOKEN", "CI_REPOSITORY_URL", "COPY"] {
            assert_eq!(environment.token_variable_in(name), Some("CI_JOB_TOKEN"), "{name}");
        }
        assert_eq!(
            [environment.token_variable_in("OTHER"), environment.token_variable_in("UNSET")],
            [None, None]
        );
    }

    #[test]
    fn treats_an_empty_variable_as_unset() {
        let environment = Environment::of(&[("A", ""), ("B", "b")]);
        assert_eq!(environment.get("A"), None);
        assert_eq!(environment.names().collect::<Vec<_>>(), ["B"]);
    }

    #[cfg(unix)]
    #[test]
    fn reports_a_variable_that_is_not_unicode_as_unreadable() {
        use std::os::unix::ffi::OsStringExt as _;
        let value = std::ffi::OsString::from_vec(vec![0xff]);
        let environment = Environment::new([("A".into(), value)], "/".into());
        assert_eq!(environment.get("A"), None);
        assert!(environment.is_not_unicode("A"));
    }
}
