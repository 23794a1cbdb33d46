//! Converts a repository URL to a repository name, which consists of the host and the path.

use url::Url;

/// Returns the name of a repository: `github.com/acme/hello` for URLs such as `https://github.com/acme/hello.git` and
/// `git@github.com:acme/hello.git`.
///
/// The name excludes the user name and password in the URL, because they may contain a token.
pub(super) fn repository_name(url: &str) -> Option<String> {
    let (host, path) = if url.contains("://") { parse_url(url)? } else { parse_ssh_address(url)? };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

fn parse_url(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.to_lowercase();
    // An SSH port is not part of the repository's name.
    let port = url.port().filter(|_| matches!(url.scheme(), "https" | "http"));
    let host = port.map_or(host.clone(), |port| format!("{host}:{port}"));
    Some((host, url.path().to_owned()))
}

/// Parses Git's short form for SSH, `user@host:path`.
fn parse_ssh_address(url: &str) -> Option<(String, String)> {
    let (host, path) = url.split_once(':')?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    // `C:\hello` and `./a:b` are local paths, not SSH addresses.
    let is_host = host.len() > 1 && !host.contains(['/', '\\']);
    (is_host && !path.contains(['@', '\\'])).then(|| (host.to_lowercase(), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::repository_name;

    #[test]
    fn returns_the_host_and_path_of_every_kind_of_url() {
        let check = |url: &str, expected: &str| {
            assert_eq!(repository_name(url).unwrap_or_default(), expected, "{url}");
        };
        for url in [
            "https://github.com/acme/hello",
            "https://github.com/acme/hello.git",
            "https://GitHub.com/acme/hello/",
            "https://x-access-token:s3cret@github.com/acme/hello.git",
            "https://s3cret@github.com/acme/hello.git?token=s3cret#s3cret",
            "git://github.com/acme/hello.git",
            "ssh://git@github.com:22/acme/hello.git",
            "git@github.com:acme/hello.git",
            "github.com:acme/hello",
            "git@github.com:/acme/hello.git",
        ] {
            check(url, "github.com/acme/hello");
        }
        check("http://git.example.com:3000/acme/hello.git", "git.example.com:3000/acme/hello");
        check("ssh://git@git.example.com:7999/acme/hello.git", "git.example.com/acme/hello");
        check("https://acme@dev.azure.com/acme/site/_git/hello", "dev.azure.com/acme/site/_git/hello");
        check("https://gitlab.com/acme/group/hello.git", "gitlab.com/acme/group/hello");
    }

    #[test]
    fn rejects_urls_without_a_host_or_path() {
        let without_host =
            ["", "hello", "/srv/git/hello.git", "./a:b", "C:\\hello", "C:/hello", "file:///srv/hello.git"];
        for url in
            without_host.into_iter().chain(["https://", "https://github.com/", "git@github.com:", "x:y@z:/a"])
        {
            assert_eq!(repository_name(url), None, "{url}");
        }
    }
}
