//! Detects the forge of the repository and the root URL of the forge's API.

use url::Url;

use super::Ci;
use crate::environment::Environment;
use crate::http::is_loopback;
use crate::repository::ForgeKind;

/// Returns the forge of the repository and the root URL of the forge's API. On GitHub Actions and GitLab CI, the runner provides
/// the URL. Elsewhere, the URL comes from a variable or from the host of a known forge. The function never guesses the URL,
/// because requests to this URL contain the token.
pub(super) fn detect_forge(ci: &Ci, environment: &Environment) -> (ForgeKind, Option<Url>) {
    // The runner's API URL is valid for the repository of the run, but not for a repository from `GITBOOK_REPOSITORY`.
    let system_variable = ci.detected_by.filter(|_| environment.get("GITBOOK_REPOSITORY").is_none());
    let host = ci.repository.as_deref().and_then(|name| Some(name.split_once('/')?.0)).unwrap_or_default();
    let kind = detect_kind(system_variable, host, environment);
    let is_known_host = match kind {
        ForgeKind::GitHub => host == "github.com",
        ForgeKind::GitLab => system_variable == Some("GITLAB_CI") || is_gitlab_host(host),
    };
    let is_runner_of_forge = match kind {
        ForgeKind::GitHub => system_variable == Some("GITHUB_ACTIONS"),
        ForgeKind::GitLab => system_variable == Some("GITLAB_CI"),
    };
    let root = match (environment.get(kind.api_variable()), kind) {
        (Some(root), _) => parse_web_url(root)
            .filter(|root| is_runner_of_forge || is_api_of_host(root, host) || is_loopback(root)),
        (None, _) if !is_known_host || host.is_empty() => None,
        (None, ForgeKind::GitHub) => parse_web_url("https://api.github.com"),
        (None, ForgeKind::GitLab) => parse_web_url(&format!("https://{host}/api/v4")),
    };
    (kind, root.filter(|_| !host.is_empty()))
}

fn detect_kind(system_variable: Option<&str>, host: &str, environment: &Environment) -> ForgeKind {
    let has_token = |kind: ForgeKind| environment.get(kind.token_variable()).is_some();
    let has_matching_api = |kind: ForgeKind| {
        environment
            .get(kind.api_variable())
            .and_then(parse_web_url)
            .is_some_and(|root| is_api_of_host(&root, host))
    };
    match system_variable {
        Some("GITHUB_ACTIONS") => ForgeKind::GitHub,
        Some("GITLAB_CI") => ForgeKind::GitLab,
        _ if host == "github.com" || has_matching_api(ForgeKind::GitHub) => ForgeKind::GitHub,
        _ if is_gitlab_host(host) || has_matching_api(ForgeKind::GitLab) => ForgeKind::GitLab,
        // If the API is unknown, the kind only selects the term in messages: "pull request" or "merge request".
        _ if has_token(ForgeKind::GitLab) && !has_token(ForgeKind::GitHub) => ForgeKind::GitLab,
        _ => ForgeKind::GitHub,
    }
}

/// Returns true if a host is `gitlab.com` or begins with `gitlab.`.
fn is_gitlab_host(host: &str) -> bool {
    host.split('.').next() == Some("gitlab")
}

fn parse_web_url(root: &str) -> Option<Url> {
    Url::parse(root).ok().filter(|url| matches!(url.scheme(), "https" | "http"))
}

/// Returns true if the host of the API is the host of the repository, with or without the prefix `api.`.
fn is_api_of_host(root: &Url, host: &str) -> bool {
    let host = host.split(':').next().unwrap_or(host);
    root.host_str().is_some_and(|api| api == host || api.strip_prefix("api.") == Some(host))
}

#[cfg(test)]
mod tests {
    use crate::ci::detect;
    use crate::ci::test_support::Variables;
    use crate::environment::Environment;
    use crate::repository::ForgeKind::{GitHub, GitLab};

    fn check(kind: crate::repository::ForgeKind, variable_sets: &[Variables<'_>], expected: Option<&str>) {
        let ci = detect(&Environment::of(&variable_sets.concat())).unwrap();
        assert_eq!(
            (ci.forge, ci.api_root.as_ref().map(url::Url::as_str)),
            (kind, expected),
            "{variable_sets:?}"
        );
    }

    const ON_GITHUB: Variables<'_> = &[("GITBOOK_REPOSITORY", "github.com/acme/x")];
    const ON_GITLAB: Variables<'_> = &[("GITBOOK_REPOSITORY", "gitlab.com/acme/x")];
    const ON_OTHER_HOST: Variables<'_> = &[("GITBOOK_REPOSITORY", "git.example.com:3000/acme/x")];
    const GITHUB_API: Variables<'_> = &[("GITHUB_API_URL", "https://api.github.com")];
    const GITEA_API: Variables<'_> = &[("GITHUB_API_URL", "https://git.example.com:3000/api/v1")];
    const GITLAB_API: Variables<'_> = &[("CI_API_V4_URL", "https://git.example.com:3000/code/api/v4")];

    #[test]
    fn detects_the_forge_by_the_host_of_the_repository() {
        check(GitHub, &[], None);
        check(GitHub, &[ON_GITHUB], Some("https://api.github.com/"));
        check(GitHub, &[ON_GITHUB, GITHUB_API], Some("https://api.github.com/"));
        check(GitHub, &[ON_GITHUB, GITLAB_API], Some("https://api.github.com/"));
        check(GitHub, &[ON_OTHER_HOST, GITEA_API], Some("https://git.example.com:3000/api/v1"));
        check(GitHub, &[ON_GITHUB, &[("GITHUB_API_URL", "ftp://github.com")]], None);
        check(GitHub, &[ON_GITHUB, &[("GITHUB_API_URL", "?")]], None);
        check(GitLab, &[ON_GITLAB], Some("https://gitlab.com/api/v4"));
        check(GitLab, &[ON_GITLAB, GITHUB_API], Some("https://gitlab.com/api/v4"));
        check(GitLab, &[ON_GITLAB, GITLAB_API], None);
        let own = &[("GITBOOK_REPOSITORY", "gitlab.example.com/acme/docs/x")][..];
        check(GitLab, &[own], Some("https://gitlab.example.com/api/v4"));
        check(GitLab, &[ON_OTHER_HOST, GITLAB_API], Some("https://git.example.com:3000/code/api/v4"));
    }

    #[test]
    fn a_token_alone_does_not_determine_the_api() {
        let token = &[("GITLAB_TOKEN", "t")][..];
        check(GitLab, &[ON_OTHER_HOST, token], None);
        check(GitHub, &[ON_OTHER_HOST, token, &[("GITHUB_TOKEN", "t")]], None);
        for host in ["bitbucket.org/acme/x", "notgitlab.com/acme/x", "example.com/gitlab.com/x"] {
            check(GitLab, &[&[("GITBOOK_REPOSITORY", host)], token], None);
        }
        check(GitHub, &[ON_GITHUB, token], Some("https://api.github.com/"));
        check(GitHub, &[ON_OTHER_HOST, &[("CI_API_V4_URL", "https://gitlab.com/api/v4")]], None);
    }

    #[test]
    fn detects_the_forge_on_other_ci_systems() {
        let on_drone = |name| [("DRONE", "true"), ("DRONE_REPO_LINK", name)];
        check(GitHub, &[&on_drone("https://git.example.com/acme/x"), GITHUB_API], None);
        check(GitHub, &[&on_drone("https://github.com/acme/x"), GITHUB_API], Some("https://api.github.com/"));
        check(GitHub, &[&on_drone("https://github.com/acme/x")], Some("https://api.github.com/"));
        check(GitLab, &[&on_drone("https://gitlab.com/acme/x")], Some("https://gitlab.com/api/v4"));
    }

    #[test]
    fn uses_the_api_of_the_runner_only_for_its_own_repository() {
        let github: Variables<'_> = &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", "https://api.example.com/v1"),
            ("GITHUB_EVENT_NAME", "schedule"),
            ("GITHUB_REPOSITORY", "acme/x"),
            ("GITHUB_SERVER_URL", "https://git.example.com"),
        ];
        check(GitHub, &[github], Some("https://api.example.com/v1"));
        // A token for another forge does not change the forge.
        check(GitHub, &[github, &[("GITLAB_TOKEN", "t")]], Some("https://api.example.com/v1"));
        let gitlab: Variables<'_> =
            &[("GITLAB_CI", "true"), ("CI_SERVER_HOST", "git.example.com"), ("CI_PROJECT_PATH", "acme/x")];
        let root: Variables<'_> = &[("CI_API_V4_URL", "https://internal.example.com/api/v4")];
        check(GitLab, &[gitlab, root], Some("https://internal.example.com/api/v4"));
        check(GitLab, &[gitlab], Some("https://git.example.com/api/v4"));
        // A mirror names its original repository in `GITBOOK_REPOSITORY`.
        check(GitHub, &[gitlab, root, ON_GITHUB], Some("https://api.github.com/"));
        check(GitLab, &[gitlab, root, ON_GITLAB], None);
    }
}
