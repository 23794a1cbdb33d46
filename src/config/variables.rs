//! The table of variables, which is the source of `--help`, `docs/variables.md`, `action.yml` and `examples/docker/gitbook.env`.

use DefaultValue::{Described, Literal, Unset};

use crate::integration::ValueFormat;

/// Variables with a common purpose.
pub(crate) struct Group {
    pub heading: &'static str,
    pub variables: &'static [Variable],
}

/// One row of the table.
pub(crate) struct Variable {
    pub name: &'static str,
    pub default: DefaultValue,
    /// The meaning for users, in Markdown.
    pub meaning: &'static str,
}

/// The value that applies if a variable is unset.
pub(crate) enum DefaultValue {
    /// No default.
    Unset,
    /// A default that is a valid value of the variable.
    Literal(&'static str),
    /// A description of a default that depends on the run.
    Described(&'static str),
}

const fn variable(name: &'static str, default: DefaultValue, meaning: &'static str) -> Variable {
    Variable { name, default, meaning }
}

/// All variables, except those for manifest fields and those of CI systems.
pub(crate) const GROUPS: [Group; 7] = [
    Group {
        heading: "GitBook",
        variables: &[
            variable(
                "GITBOOK_TOKEN",
                Unset,
                "GitBook API token. Required by every mode that sends requests to GitBook.",
            ),
            variable(
                "GITBOOK_ENDPOINT",
                Literal("https://api.gitbook.com"),
                "URL of the GitBook API, or `sandbox` for the embedded server, which needs no account. `http` is accepted for loopback addresses only.",
            ),
            variable(
                "GITBOOK_SANDBOX_DIR",
                Literal(".gitbook-sandbox"),
                "Folder in which the sandbox stores published integrations.",
            ),
            variable("GITBOOK_TIMEOUT", Literal("60s"), "Limit for one API request, such as `60s`."),
            variable(
                "GITBOOK_RETRIES",
                Literal("4"),
                "Number of retries after a temporary failure, 0 to 20.",
            ),
        ],
    },
    Group {
        heading: "Integrations",
        variables: &[
            variable(
                "GITBOOK_INTEGRATIONS",
                Literal("."),
                "Manifests, folders or globs, separated by commas or line breaks. Entries that begin with `!` are exclusions. A folder without a manifest is searched for `**/gitbook-manifest.yaml`, except in `node_modules` and in paths listed in `.gitignore`.",
            ),
            variable(
                "GITBOOK_ENV",
                Unset,
                "Entries of `envs` for production, separated by commas. Each manifest uses the first entry that it has; a manifest with none of them is used unchanged. If unset, the entry `default` applies if it exists.",
            ),
            variable(
                "GITBOOK_BUNDLE",
                Literal("true"),
                "Bundle the scripts. `false` sends each `script` unchanged, for scripts that are already built.",
            ),
            variable(
                "GITBOOK_CONCURRENCY",
                Literal("4"),
                "Number of integrations deployed at the same time, 1 to 64.",
            ),
            variable(
                "GITBOOK_SHARD",
                Described("the parallel job of the CI system"),
                "Shard of the integrations that this job deploys, such as `2/8` for the second of eight shards. All shards have a similar amount of work. The default applies on GitLab, CircleCI, Buildkite and Bitbucket.",
            ),
        ],
    },
    Group {
        heading: "Mode",
        variables: &[
            variable(
                "GITBOOK_MODE",
                Literal("auto"),
                "`auto`, `publish`, `preview`, `delete`, `sweep`, `check` or `plan`. `auto` selects the mode by the CI event.",
            ),
            variable(
                "GITBOOK_PRODUCTION_BRANCH",
                Described("the repository's default branch"),
                "Branches that publish to production: names or globs, separated by commas. Entries that begin with `!` are exclusions.",
            ),
            variable(
                "GITBOOK_SKIP_UNCHANGED",
                Literal("true"),
                "Skip integrations that are already published with the same content. For production, this requires GitHub Deployments.",
            ),
            variable(
                "GITBOOK_DRY_RUN",
                Literal("false"),
                "Build, validate and report everything, but send no request that changes anything.",
            ),
        ],
    },
    Group {
        heading: "Previews",
        variables: &[
            variable(
                "GITBOOK_PREVIEW_ENV",
                Described("`GITBOOK_ENV`"),
                "Entries of `envs` for previews, as in `GITBOOK_ENV`.",
            ),
            variable(
                "GITBOOK_PREVIEW_NAME",
                Literal("{name}-{branch}"),
                "Template for the names of previews, with `{name}`, `{branch}`, `{pr}` and `{hash}`.",
            ),
            variable(
                "GITBOOK_PREVIEW_VISIBILITY",
                Literal("private"),
                "Visibility of previews: `private` or `unlisted`.",
            ),
        ],
    },
    Group {
        heading: "GitHub and GitLab",
        variables: &[
            variable(
                "GITHUB_TOKEN",
                Unset,
                "GitHub, Gitea or Forgejo token for the pull request comment, Deployments, sweeps and the check for newer commits. The GitHub Action uses the job's token by default.",
            ),
            variable(
                "GITLAB_TOKEN",
                Unset,
                "GitLab token for the merge request comment, sweeps and the check for newer commits: a project access token with the scope `api` and the role Reporter.",
            ),
            variable(
                "GITBOOK_COMMENT",
                Literal("true"),
                "Maintain one comment about previews on the pull or merge request. Needs `GITHUB_TOKEN` or `GITLAB_TOKEN`.",
            ),
            variable(
                "GITBOOK_DEPLOYMENTS",
                Literal("true"),
                "Record GitHub Deployments. Needs `GITHUB_TOKEN`. On GitLab, use the job's `environment` instead.",
            ),
        ],
    },
    Group {
        heading: "Reports",
        variables: &[
            variable(
                "GITBOOK_LOG_FORMAT",
                Literal("auto"),
                "`github`, `text`, `json` or `auto`. `auto` is `github` on GitHub Actions, `json` on other CI systems and `text` elsewhere.",
            ),
            variable(
                "RUST_LOG",
                Literal("info"),
                "Log filter in the syntax of tracing-subscriber, such as `debug`. `RUNNER_DEBUG=1` also enables `debug`.",
            ),
            variable(
                "GITBOOK_OUTPUT_FILE",
                Described("`GITHUB_OUTPUT`"),
                "File for the outputs, as dotenv lines. The file named by `GITHUB_OUTPUT` receives GitHub's format.",
            ),
            variable(
                "GITBOOK_SUMMARY_FILE",
                Described("`GITHUB_STEP_SUMMARY`"),
                "File for the summary, in Markdown.",
            ),
            variable(
                "GITBOOK_REPORT_FILE",
                Unset,
                "File for a report of the whole run, as one JSON document.",
            ),
            variable(
                "GITBOOK_CODE_QUALITY_FILE",
                Unset,
                "File for a code quality report, which GitLab shows in merge requests.",
            ),
        ],
    },
    Group {
        heading: "CI event",
        variables: &[
            variable(
                "GITBOOK_EVENT",
                Unset,
                "Event that replaces the detected event: `push`, `pull_request`, `closed`, `delete`, `tag`, `merge_queue`, `schedule`, `manual` or `release`.",
            ),
            variable("GITBOOK_BRANCH", Unset, "Branch of the event. For a pull request, its head branch."),
            variable("GITBOOK_PULL_REQUEST", Unset, "Number of the pull request."),
            variable("GITBOOK_COMMIT", Unset, "Head commit of the branch."),
            variable("GITBOOK_DEFAULT_BRANCH", Unset, "Default branch of the repository."),
            variable(
                "GITBOOK_REPOSITORY",
                Unset,
                "Repository with its host, such as `github.com/acme/integrations`. Each preview belongs to a repository.",
            ),
        ],
    },
];

/// A variable that sets a manifest field.
pub(crate) struct FieldVariable {
    pub name: &'static str,
    /// The field's key in the manifest.
    pub key: &'static str,
    pub format: ValueFormat,
}

const fn field(name: &'static str, key: &'static str, format: ValueFormat) -> FieldVariable {
    FieldVariable { name, key, format }
}

/// The description of the variables for manifest fields, in Markdown.
pub(crate) const FIELDS_PURPOSE: &str = "These variables replace a field of the manifest, or describe an integration without a manifest. All except `GITBOOK_ORGANIZATION` need exactly one selected integration.";

/// The variables for manifest fields.
pub(crate) const FIELDS: [FieldVariable; 19] = [
    field("GITBOOK_NAME", "name", ValueFormat::Text),
    field("GITBOOK_TITLE", "title", ValueFormat::Text),
    field("GITBOOK_DESCRIPTION", "description", ValueFormat::Text),
    field("GITBOOK_SUMMARY", "summary", ValueFormat::Text),
    field("GITBOOK_ICON", "icon", ValueFormat::Text),
    field("GITBOOK_SCRIPT", "script", ValueFormat::Text),
    field("GITBOOK_RUNTIME", "runtime", ValueFormat::Text),
    field("GITBOOK_TARGET", "target", ValueFormat::Text),
    field("GITBOOK_VISIBILITY", "visibility", ValueFormat::Text),
    field("GITBOOK_ORGANIZATION", "organization", ValueFormat::Text),
    field("GITBOOK_SCOPES", "scopes", ValueFormat::List),
    field("GITBOOK_CATEGORIES", "categories", ValueFormat::List),
    field("GITBOOK_PREVIEW_IMAGES", "previewImages", ValueFormat::List),
    field("GITBOOK_BLOCKS", "blocks", ValueFormat::Structure),
    field("GITBOOK_CONTENT_SOURCES", "contentSources", ValueFormat::Structure),
    field("GITBOOK_CONFIGURATIONS", "configurations", ValueFormat::Structure),
    field("GITBOOK_EXTERNAL_LINKS", "externalLinks", ValueFormat::Structure),
    field("GITBOOK_SECRETS", "secrets", ValueFormat::Structure),
    field("GITBOOK_CONTENT_SECURITY_POLICY", "contentSecurityPolicy", ValueFormat::Structure),
];

impl FieldVariable {
    /// Returns the meaning for users, in Markdown.
    pub(crate) fn meaning(&self) -> String {
        let format = match self.format {
            ValueFormat::Text => "text",
            ValueFormat::List => "a list, separated by commas or line breaks",
            ValueFormat::Structure => "YAML or JSON",
        };
        format!("Manifest field `{}`: {format}.", self.key)
    }
}

/// Returns the default value of a variable, or `None` if the table contains no literal value for the variable.
pub(super) fn literal_default(name: &str) -> Option<&'static str> {
    let mut variables = GROUPS.iter().flat_map(|group| group.variables);
    match variables.find(|variable| variable.name == name)?.default {
        Literal(text) => Some(text),
        Unset | Described(_) => None,
    }
}

/// Returns the names of all variables.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let variables = GROUPS.iter().flat_map(|group| group.variables).map(|variable| variable.name);
    variables.chain(FIELDS.iter().map(|field| field.name))
}
