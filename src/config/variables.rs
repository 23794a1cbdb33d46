//! The variables that exist: their table for `--help`, and their texts by way of envy.

use crate::diagnostic::{Diagnostic, SourceLocation, nearest};
use crate::environment::Environment;
use crate::integration::{Override, ValueFormat};

/// One row of the table.
#[derive(Debug)]
struct Variable {
    /// Its name.
    name: &'static str,
    /// What holds when it is unset; empty for nothing.
    default: &'static str,
    /// What it is for.
    meaning: &'static str,
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, meaning }
}

/// Every variable that is read, but for those that give manifest fields and those of the CI systems themselves.
const VARIABLES: &[Variable] = &[
    variable("GITBOOK_TOKEN", "", "API token; needed by every mode that talks to GitBook"),
    variable(
        "GITBOOK_ENDPOINT",
        "https://api.gitbook.com",
        "API root; `sandbox` starts the embedded one. Plain `http` is refused unless the host is loopback",
    ),
    variable("GITBOOK_SANDBOX_DIR", ".gitbook-sandbox", "where the sandbox keeps what was published"),
    variable("GITBOOK_MODE", "auto", "`auto`, `publish`, `preview`, `delete`, `sweep`, `check`, `plan`"),
    variable(
        "GITBOOK_INTEGRATIONS",
        ".",
        "manifests or folders, or globs of them, one a line or comma separated. A folder without a manifest is searched for `**/gitbook-manifest.yaml`, honouring `.gitignore`, never in `node_modules`. With `!` in front, what is not to be deployed of what the others select",
    ),
    variable(
        "GITBOOK_ENV",
        "",
        "entry of the manifest's `envs` used in production; unset, an entry `default` is used where there is one",
    ),
    variable("GITBOOK_PREVIEW_ENV", "GITBOOK_ENV", "entry used for previews"),
    variable(
        "GITBOOK_PRODUCTION_BRANCH",
        "the repository's default branch",
        "branch names or globs, comma separated; `!` excludes",
    ),
    variable("GITBOOK_PREVIEW_NAME", "{name}-{branch}", "template; `{name}`, `{branch}`, `{pr}`, `{hash}`"),
    variable("GITBOOK_PREVIEW_VISIBILITY", "private", "visibility of previews: `private` or `unlisted`"),
    variable(
        "GITBOOK_DRY_RUN",
        "false",
        "build, validate and report everything; send nothing that changes anything",
    ),
    variable("GITBOOK_BUNDLE", "true", "`false`: `script` is already built, send it as it is"),
    variable(
        "GITBOOK_SKIP_UNCHANGED",
        "true",
        "do not publish what is already there; for production, the newest GitHub Deployment tells",
    ),
    variable("GITBOOK_CONCURRENCY", "4", "integrations deployed at once, 1 to 64"),
    variable(
        "GITBOOK_SHARD",
        "the CI system's own",
        "`2/8`: this machine's share of the integrations, by how much work they are; where GitLab, CircleCI, Buildkite or Bitbucket run a job several times at once, each has its own",
    ),
    variable("GITBOOK_TIMEOUT", "60s", "for one API request"),
    variable("GITBOOK_RETRIES", "4", "further tries after a failure worth retrying, 0 to 20"),
    variable(
        "GITBOOK_LOG_FORMAT",
        "auto",
        "`github`, `text`, `json`; `auto` is `github` on GitHub Actions, else `json` under CI, else `text`",
    ),
    variable(
        "RUST_LOG",
        "info",
        "what is logged, in the filter syntax of tracing-subscriber; `RUNNER_DEBUG=1` means `debug`",
    ),
    variable(
        "GITBOOK_OUTPUT_FILE",
        "GITHUB_OUTPUT",
        "where outputs go; elsewhere than on GitHub written as dotenv lines",
    ),
    variable("GITBOOK_SUMMARY_FILE", "GITHUB_STEP_SUMMARY", "Markdown summary"),
    variable("GITBOOK_REPORT_FILE", "", "the whole result as one JSON document"),
    variable(
        "GITBOOK_CODE_QUALITY_FILE",
        "",
        "problems as a report of code quality, which GitLab shows in merge requests",
    ),
    variable(
        "GITBOOK_COMMENT",
        "true",
        "keep one comment on the pull or merge request about its previews; needs `GITHUB_TOKEN` or `GITLAB_TOKEN`",
    ),
    variable(
        "GITBOOK_DEPLOYMENTS",
        "true",
        "record GitHub Deployments; needs `GITHUB_TOKEN` (on GitLab the job's `environment` does that)",
    ),
    variable(
        "GITHUB_TOKEN",
        "",
        "token of the forge, for the comment, deployments, sweeps, and to ask whether a branch has moved on or is gone",
    ),
    variable(
        "GITLAB_TOKEN",
        "",
        "the same for repositories on GitLab: a project access token with the scope `api` and the role Reporter",
    ),
    variable(
        "GITBOOK_EVENT",
        "",
        "what happened, where it is not detected: `push`, `pull_request`, `closed`, `delete`, `tag`, `merge_queue`, `schedule`, `manual`, `release`",
    ),
    variable("GITBOOK_BRANCH", "", "the branch it happened to; the head branch of a pull request"),
    variable("GITBOOK_PULL_REQUEST", "", "the number of the pull request"),
    variable("GITBOOK_COMMIT", "", "the head commit"),
    variable("GITBOOK_DEFAULT_BRANCH", "", "the repository's default branch"),
    variable(
        "GITBOOK_REPOSITORY",
        "",
        "the repository, such as `github.com/acme/integrations`; previews are known by it",
    ),
];

/// The manifest fields that variables give: name behind `GITBOOK_`, key, form.
const FIELDS: [(&str, &str, ValueFormat); 19] = [
    ("NAME", "name", ValueFormat::Text),
    ("TITLE", "title", ValueFormat::Text),
    ("DESCRIPTION", "description", ValueFormat::Text),
    ("SUMMARY", "summary", ValueFormat::Text),
    ("ICON", "icon", ValueFormat::Text),
    ("SCRIPT", "script", ValueFormat::Text),
    ("RUNTIME", "runtime", ValueFormat::Text),
    ("TARGET", "target", ValueFormat::Text),
    ("VISIBILITY", "visibility", ValueFormat::Text),
    ("ORGANIZATION", "organization", ValueFormat::Text),
    ("SCOPES", "scopes", ValueFormat::List),
    ("CATEGORIES", "categories", ValueFormat::List),
    ("PREVIEW_IMAGES", "previewImages", ValueFormat::List),
    ("BLOCKS", "blocks", ValueFormat::Structure),
    ("CONTENT_SOURCES", "contentSources", ValueFormat::Structure),
    ("CONFIGURATIONS", "configurations", ValueFormat::Structure),
    ("EXTERNAL_LINKS", "externalLinks", ValueFormat::Structure),
    ("SECRETS", "secrets", ValueFormat::Structure),
    ("CONTENT_SECURITY_POLICY", "contentSecurityPolicy", ValueFormat::Structure),
];

/// The texts of the variables that `Config` reads.
#[derive(serde::Deserialize)]
pub(super) struct RawVariables {
    pub(super) token: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) sandbox_dir: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) integrations: Option<String>,
    pub(super) env: Option<String>,
    pub(super) preview_env: Option<String>,
    pub(super) production_branch: Option<String>,
    pub(super) preview_name: Option<String>,
    pub(super) preview_visibility: Option<String>,
    pub(super) dry_run: Option<String>,
    pub(super) bundle: Option<String>,
    pub(super) skip_unchanged: Option<String>,
    pub(super) concurrency: Option<String>,
    pub(super) shard: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) retries: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) deployments: Option<String>,
}

/// Reads the texts. envy is given only what is Unicode and not empty, and only texts to read, since its own
/// errors name the field instead of the variable and show the value; and known names only, since it takes
/// `GITBOOK_GITBOOK_MODE` and `GITBOOK_mode` for `GITBOOK_MODE`.
pub(super) fn read(environment: &Environment) -> Result<RawVariables, Vec<Diagnostic>> {
    let unreadable: Vec<_> = known()
        .filter(|name| environment.is_unreadable(name))
        .map(|name| {
            Diagnostic::error(SourceLocation::variable(name), "not Unicode")
                .hint("accepted: UTF-8 text".to_owned())
        })
        .collect();
    if !unreadable.is_empty() {
        return Err(unreadable);
    }
    let texts = known().filter_map(|name| {
        let text = environment.get(&name)?.to_owned();
        Some((name, text))
    });
    envy::prefixed("GITBOOK_")
        .from_iter(texts)
        .map_err(|error| vec![Diagnostic::error(None, format!("the environment can't be read: {error}"))])
}

/// The manifest fields that the environment gives, in the order of their names.
pub(super) fn overrides(environment: &Environment) -> Vec<Override> {
    let given = |(name, key, form): &(&str, &'static str, ValueFormat)| {
        let variable = format!("GITBOOK_{name}");
        let value = environment.get(&variable)?.to_owned();
        Some(Override { key, variable, format: *form, value })
    };
    let mut overrides: Vec<_> = FIELDS.iter().filter_map(given).collect();
    overrides.sort_by(|a, b| a.variable.cmp(&b.variable));
    overrides
}

/// A warning for each variable that is not known but close to one that is.
pub(super) fn misspelt(environment: &Environment) -> Vec<Diagnostic> {
    let known: Vec<_> = known().collect();
    let ours =
        environment.names().filter(|name| name.starts_with("GITBOOK_") && !known.iter().any(|k| k == name));
    ours.filter_map(|name| {
        // The prefix is alike in all of them and must not count.
        let near =
            nearest(name.strip_prefix("GITBOOK_")?, known.iter().filter_map(|k| k.strip_prefix("GITBOOK_")))?;
        let message = "not a variable known here, so it does nothing";
        Some(
            Diagnostic::warning(SourceLocation::variable(name), message)
                .hint(format!("did you mean `GITBOOK_{near}`?")),
        )
    })
    .collect()
}

fn known() -> impl Iterator<Item = String> {
    let fields = FIELDS.iter().map(|(name, ..)| format!("GITBOOK_{name}"));
    VARIABLES.iter().map(|variable| variable.name.to_owned()).chain(fields)
}

/// What `--help` prints.
#[must_use]
pub(crate) fn help() -> String {
    let mut text = format!(
        "gitbook-deploy {}\n{}\n\nConfigured by environment variables only; an empty one counts as unset.\n\n",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_DESCRIPTION"),
    );
    for Variable { name, default, meaning } in VARIABLES {
        let default = if default.is_empty() { String::new() } else { format!(" [default: {default}]") };
        text.push_str(&format!("  {name}{default}\n      {meaning}\n"));
    }
    text.push_str("\nThese give a manifest field, or with no manifest at all are the manifest:\n\n");
    for (name, key, form) in FIELDS {
        let form = match form {
            ValueFormat::Text => "text",
            ValueFormat::List => "a list, one a line or comma separated",
            ValueFormat::Structure => "YAML or JSON",
        };
        text.push_str(&format!("  GITBOOK_{name}\n      `{key}`, {form}\n"));
    }
    text.push_str("\nExit codes: 0 done, or nothing to do; 1 the deployment failed; 2 not configured correctly;\n130 and 143 cancelled.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::{help, known, misspelt};
    use crate::environment::Environment;

    #[test]
    fn every_variable_is_explained() {
        let help = help();
        for variable in known() {
            let explained = format!("\n  {variable}");
            let behind = help.split(&explained).find(|rest| rest.starts_with(['\n', ' ']));
            assert!(behind.is_some(), "{variable}: {help}");
        }
        assert!(help.contains("  GITBOOK_RETRIES [default: 4]\n      further tries"), "{help}");
        assert!(help.contains("  GITBOOK_SCOPES\n      `scopes`, a list, one a line"), "{help}");
    }

    #[test]
    fn a_misspelt_variable_is_told_with_the_one_meant() {
        let check = |name: &str, expected: Option<&str>| {
            let found = misspelt(&Environment::of(&[(name, "x")]));
            let hint = found.first().map(|d| d.hint.clone().unwrap());
            assert_eq!(
                hint.as_deref(),
                expected.map(|n| format!("did you mean `{n}`?")).as_deref(),
                "{name}"
            );
        };
        check("GITBOOK_TOKNE", Some("GITBOOK_TOKEN"));
        check("GITBOOK_INTEGRATION", Some("GITBOOK_INTEGRATIONS"));
        check("GITBOOK_TITEL", Some("GITBOOK_TITLE"));
        check("GITBOOK_TOKEN", None);
        check("GITBOOK_SOMETHING_ELSE", None);
        check("OTHER_TOKEN", None);
    }
}
