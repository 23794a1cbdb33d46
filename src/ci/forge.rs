//! Which forge the repository is on, and where its API is.

use url::Url;

use super::Ci;
use crate::environment::Environment;
use crate::http::is_loopback;

/// The forges, by the API that they speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ForgeKind {
    /// GitHub, GitHub Enterprise, Gitea and Forgejo.
    #[default]
    GitHub,
    /// GitLab.
    GitLab,
}

impl ForgeKind {
    /// The variable that its token is passed in.
    #[must_use]
    pub(crate) fn token_variable(self) -> &'static str {
        match self {
            Self::GitHub => "GITHUB_TOKEN",
            Self::GitLab => "GITLAB_TOKEN",
        }
    }

    /// The variable that says where its API is.
    #[must_use]
    pub(crate) fn api_variable(self) -> &'static str {
        match self {
            Self::GitHub => "GITHUB_API_URL",
            Self::GitLab => "CI_API_V4_URL",
        }
    }

    /// A pull request, as its people call it.
    #[must_use]
    pub(crate) fn pull_request(self, number: u64) -> String {
        match self {
            Self::GitHub => format!("pull request #{number}"),
            Self::GitLab => format!("merge request !{number}"),
        }
    }
}

/// The forge of a repository, and its API's root: as the forge's own runner tells it; elsewhere as a variable says, or
/// that of a forge which is known by its host. A token must be sent nowhere by guess, and a mirror not be asked for what
/// its original has.
pub(super) fn of(ci: &Ci, environment: &Environment) -> (ForgeKind, Option<Url>) {
    // The runner's root and its own repository belong together, however they are called.
    let own = ci.detected_by.filter(|_| environment.get("GITBOOK_REPOSITORY").is_none());
    let host = ci.repository.as_deref().and_then(|name| Some(name.split_once('/')?.0)).unwrap_or_default();
    let kind = kind(own, host, environment);
    let is_known = match kind {
        ForgeKind::GitHub => host == "github.com",
        ForgeKind::GitLab => own == Some("GITLAB_CI") || is_gitlabs(host),
    };
    let is_runners = match kind {
        ForgeKind::GitHub => own == Some("GITHUB_ACTIONS"),
        ForgeKind::GitLab => own == Some("GITLAB_CI"),
    };
    let root = match (environment.get(kind.api_variable()), kind) {
        (Some(root), _) => http(root).filter(|root| is_runners || is_of(root, host) || is_loopback(root)),
        (None, _) if !is_known || host.is_empty() => None,
        (None, ForgeKind::GitHub) => http("https://api.github.com"),
        (None, ForgeKind::GitLab) => http(&format!("https://{host}/api/v4")),
    };
    (kind, root.filter(|_| !host.is_empty()))
}

fn kind(own: Option<&str>, host: &str, environment: &Environment) -> ForgeKind {
    let has = |kind: ForgeKind| environment.get(kind.token_variable()).is_some();
    let api_is_here = |kind: ForgeKind| {
        environment.get(kind.api_variable()).and_then(http).is_some_and(|root| is_of(&root, host))
    };
    match own {
        Some("GITHUB_ACTIONS") => ForgeKind::GitHub,
        Some("GITLAB_CI") => ForgeKind::GitLab,
        _ if host == "github.com" || api_is_here(ForgeKind::GitHub) => ForgeKind::GitHub,
        _ if is_gitlabs(host) || api_is_here(ForgeKind::GitLab) => ForgeKind::GitLab,
        // Whose words are spoken where it can't be asked.
        _ if has(ForgeKind::GitLab) && !has(ForgeKind::GitHub) => ForgeKind::GitLab,
        _ => ForgeKind::GitHub,
    }
}

/// Whether a host is GitLab's own, or called so by those who run it.
fn is_gitlabs(host: &str) -> bool {
    host.split('.').next() == Some("gitlab")
}

fn http(root: &str) -> Option<Url> {
    Url::parse(root).ok().filter(|url| matches!(url.scheme(), "https" | "http"))
}

/// Whether an API is where the repositories of a host are.
fn is_of(root: &Url, host: &str) -> bool {
    let host = host.split(':').next().unwrap_or(host);
    root.host_str().is_some_and(|api| api == host || api.strip_prefix("api.") == Some(host))
}

#[cfg(test)]
mod tests {
    use super::ForgeKind::{GitHub, GitLab};
    use crate::ci::detect;
    use crate::environment::Environment;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn check(kind: super::ForgeKind, parts: &[Variables<'_>], expected: Option<&str>) {
        let ci = detect(&Environment::of(&parts.concat())).unwrap();
        assert_eq!((ci.forge, ci.api.as_ref().map(url::Url::as_str)), (kind, expected), "{parts:?}");
    }

    const ON_GITHUB: Variables<'_> = &[("GITBOOK_REPOSITORY", "github.com/acme/x")];
    const ON_GITLAB: Variables<'_> = &[("GITBOOK_REPOSITORY", "gitlab.com/acme/x")];
    const ELSEWHERE: Variables<'_> = &[("GITBOOK_REPOSITORY", "git.example.com:3000/acme/x")];
    const GITHUB: Variables<'_> = &[("GITHUB_API_URL", "https://api.github.com")];
    const GITEA: Variables<'_> = &[("GITHUB_API_URL", "https://git.example.com:3000/api/v1")];
    const GITLAB: Variables<'_> = &[("CI_API_V4_URL", "https://git.example.com:3000/code/api/v4")];

    #[test]
    fn the_forge_is_where_the_repository_is() {
        check(GitHub, &[], None);
        check(GitHub, &[ON_GITHUB], Some("https://api.github.com/"));
        check(GitHub, &[ON_GITHUB, GITHUB], Some("https://api.github.com/"));
        check(GitHub, &[ON_GITHUB, GITLAB], Some("https://api.github.com/"));
        check(GitHub, &[ELSEWHERE, GITEA], Some("https://git.example.com:3000/api/v1"));
        check(GitHub, &[ON_GITHUB, &[("GITHUB_API_URL", "ftp://github.com")]], None);
        check(GitHub, &[ON_GITHUB, &[("GITHUB_API_URL", "?")]], None);
        check(GitLab, &[ON_GITLAB], Some("https://gitlab.com/api/v4"));
        check(GitLab, &[ON_GITLAB, GITHUB], Some("https://gitlab.com/api/v4"));
        check(GitLab, &[ON_GITLAB, GITLAB], None);
        let own = &[("GITBOOK_REPOSITORY", "gitlab.example.com/acme/docs/x")][..];
        check(GitLab, &[own], Some("https://gitlab.example.com/api/v4"));
        check(GitLab, &[ELSEWHERE, GITLAB], Some("https://git.example.com:3000/code/api/v4"));
    }

    /// A token alone says nothing of where it may be sent.
    #[test]
    fn no_token_goes_to_a_host_by_guess() {
        let token = &[("GITLAB_TOKEN", "t")][..];
        check(GitLab, &[ELSEWHERE, token], None);
        check(GitHub, &[ELSEWHERE, token, &[("GITHUB_TOKEN", "t")]], None);
        for host in ["bitbucket.org/acme/x", "notgitlab.com/acme/x", "example.com/gitlab.com/x"] {
            check(GitLab, &[&[("GITBOOK_REPOSITORY", host)], token], None);
        }
        check(GitHub, &[ON_GITHUB, token], Some("https://api.github.com/"));
        check(GitHub, &[ELSEWHERE, &[("CI_API_V4_URL", "https://gitlab.com/api/v4")]], None);
    }

    #[test]
    fn another_systems_repository_is_on_another_forge() {
        let of_drone = |name| [("DRONE", "true"), ("DRONE_REPO_LINK", name)];
        check(GitHub, &[&of_drone("https://git.example.com/acme/x"), GITHUB], None);
        check(GitHub, &[&of_drone("https://github.com/acme/x"), GITHUB], Some("https://api.github.com/"));
        check(GitHub, &[&of_drone("https://github.com/acme/x")], Some("https://api.github.com/"));
        check(GitLab, &[&of_drone("https://gitlab.com/acme/x")], Some("https://gitlab.com/api/v4"));
    }

    #[test]
    fn a_runners_root_goes_with_its_own_repository() {
        let github: Variables<'_> = &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", "https://api.example.com/v1"),
            ("GITHUB_EVENT_NAME", "schedule"),
            ("GITHUB_REPOSITORY", "acme/x"),
            ("GITHUB_SERVER_URL", "https://git.example.com"),
        ];
        check(GitHub, &[github], Some("https://api.example.com/v1"));
        // A token for another forge makes it no other.
        check(GitHub, &[github, &[("GITLAB_TOKEN", "t")]], Some("https://api.example.com/v1"));
        let gitlab: Variables<'_> =
            &[("GITLAB_CI", "true"), ("CI_SERVER_HOST", "git.example.com"), ("CI_PROJECT_PATH", "acme/x")];
        let root: Variables<'_> = &[("CI_API_V4_URL", "https://internal.example.com/api/v4")];
        check(GitLab, &[gitlab, root], Some("https://internal.example.com/api/v4"));
        check(GitLab, &[gitlab], Some("https://git.example.com/api/v4"));
        // A mirror's original.
        check(GitHub, &[gitlab, root, ON_GITHUB], Some("https://api.github.com/"));
        check(GitLab, &[gitlab, root, ON_GITLAB], None);
    }
}
