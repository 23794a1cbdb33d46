//! Reads the runner's variables that do not describe the event, such as the paths of the output files.

use std::path::PathBuf;

use crate::environment::Environment;

/// The runner of the CI system: its output files, folders and settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runner {
    /// True on GitHub Actions and compatible runners.
    pub is_github: bool,
    /// True on GitLab CI.
    pub is_gitlab: bool,
    /// True on any CI system.
    pub is_ci: bool,
    /// True if debug logging is enabled for the run.
    pub is_debug: bool,
    /// The file for the outputs of a GitHub Actions step.
    pub output_file: Option<PathBuf>,
    /// The file for the summary of a GitHub Actions step.
    pub summary_file: Option<PathBuf>,
    /// The checkout folder on GitHub Actions.
    pub workspace: Option<PathBuf>,
    /// The checkout folder on GitLab CI.
    pub project_dir: Option<PathBuf>,
    /// The configuration file of the GitLab pipeline.
    pub pipeline_config_path: Option<String>,
}

impl Runner {
    /// Reads the variables. Resolves relative paths of output files against the current folder.
    #[must_use]
    pub(crate) fn from_environment(environment: &Environment) -> Self {
        let is_true = |name: &str| environment.get(name) == Some("true");
        let path = |name: &str| environment.get(name).map(PathBuf::from);
        let file = |name: &str| path(name).map(|path| environment.current_folder().join(path));
        Self {
            is_github: is_true("GITHUB_ACTIONS"),
            is_gitlab: is_true("GITLAB_CI"),
            is_ci: environment.get("CI").is_some_and(|ci| !ci.eq_ignore_ascii_case("false")),
            is_debug: environment.get("RUNNER_DEBUG") == Some("1"),
            output_file: file("GITHUB_OUTPUT"),
            summary_file: file("GITHUB_STEP_SUMMARY"),
            workspace: path("GITHUB_WORKSPACE"),
            project_dir: path("CI_PROJECT_DIR"),
            pipeline_config_path: environment.get("CI_CONFIG_PATH").map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Runner;
    use crate::environment::Environment;

    fn check(variables: &[(&str, &str)], expected: Runner) {
        assert_eq!(Runner::from_environment(&Environment::of(variables)), expected, "{variables:?}");
    }

    #[test]
    fn reads_the_variables_of_a_github_runner() {
        let variables = [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_OUTPUT", "/runner/output"),
            ("GITHUB_STEP_SUMMARY", "summary.md"),
            ("GITHUB_WORKSPACE", "/work/hello"),
            ("RUNNER_DEBUG", "1"),
        ];
        let expected = Runner {
            is_github: true,
            is_ci: true,
            is_debug: true,
            output_file: Some("/runner/output".into()),
            summary_file: Some("/repo/summary.md".into()),
            workspace: Some("/work/hello".into()),
            ..Runner::default()
        };
        check(&variables, expected);
    }

    #[test]
    fn reads_the_variables_of_a_gitlab_runner() {
        let variables = [
            ("CI", "true"),
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_DIR", "/builds/hello"),
            ("CI_CONFIG_PATH", ".gitlab-ci.yml"),
        ];
        let expected = Runner {
            is_gitlab: true,
            is_ci: true,
            project_dir: Some("/builds/hello".into()),
            pipeline_config_path: Some(".gitlab-ci.yml".to_owned()),
            ..Runner::default()
        };
        check(&variables, expected);
    }

    #[test]
    fn ignores_false_and_missing_variables() {
        check(&[], Runner::default());
        let variables =
            [("CI", "False"), ("GITHUB_ACTIONS", "false"), ("GITLAB_CI", "1"), ("RUNNER_DEBUG", "0")];
        check(&variables, Runner::default());
        check(&[("CI", "woodpecker")], Runner { is_ci: true, ..Runner::default() });
    }
}
