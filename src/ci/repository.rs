//! The name of a repository, host and path, from the URL that it is cloned from or shown at.

use url::Url;

/// The repository at a URL such as `https://github.com/acme/hello.git` or `git@github.com:acme/hello.git`, as
/// `github.com/acme/hello`.
///
/// Nothing else of the URL is kept: its user and password may be a token.
pub(super) fn at(url: &str) -> Option<String> {
    let (host, path) = if url.contains("://") { of_url(url)? } else { of_scp(url)? };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

fn of_url(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.to_lowercase();
    // SSH's port is not the one that the forge is known by.
    let port = url.port().filter(|_| matches!(url.scheme(), "https" | "http"));
    let host = port.map_or(host.clone(), |port| format!("{host}:{port}"));
    Some((host, url.path().to_owned()))
}

/// Git's own short form for SSH.
fn of_scp(url: &str) -> Option<(String, String)> {
    let (host, path) = url.split_once(':')?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    // `C:\hello` and `./a:b` are files.
    let is_host = host.len() > 1 && !host.contains(['/', '\\']);
    (is_host && !path.contains(['@', '\\'])).then(|| (host.to_lowercase(), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn of_all_forms_host_and_path_are_left() {
        let check = |url: &str, expected: &str| {
            assert_eq!(at(url).unwrap_or_default(), expected, "{url}");
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
    fn what_has_no_host_has_no_name() {
        let nothing =
            ["", "hello", "/srv/git/hello.git", "./a:b", "C:\\hello", "C:/hello", "file:///srv/hello.git"];
        for url in
            nothing.into_iter().chain(["https://", "https://github.com/", "git@github.com:", "x:y@z:/a"])
        {
            assert_eq!(at(url), None, "{url}");
        }
    }
}
