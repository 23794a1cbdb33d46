//! Symbolic links in a checkout, which may lead to any file of the machine.

use std::io;
use std::path::{Component, Path, PathBuf};

/// Returns the path of a file without symbolic links, for writing. The file need not exist.
///
/// # Errors
/// A link within `checkout`: a branch may bring one of any name. Links of the machine itself are followed.
pub(crate) fn without_links(path: &Path, checkout: &Path) -> io::Result<PathBuf> {
    let checkout = dunce::canonicalize(checkout).unwrap_or_else(|_| checkout.to_owned());
    let mut current = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        if component == Component::ParentDir {
            current.pop();
            continue;
        }
        let next = current.join(component);
        let is_link = next.symlink_metadata().is_ok_and(|there| there.is_symlink());
        if is_link && current.starts_with(&checkout) {
            let message = "it is a symbolic link of the repository, or below one";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        current = if is_link { dunce::canonicalize(&next).unwrap_or(next) } else { next };
    }
    Ok(current)
}

/// Returns the root of the checkout that a folder is in, or the folder itself.
pub(crate) fn checkout(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::without_links;

    #[test]
    fn links_of_the_checkout_lead_nowhere_and_others_do() {
        let folder = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(folder.path()).unwrap();
        let checkout = base.join("checkout");
        std::fs::create_dir_all(checkout.join("folder")).unwrap();
        std::fs::create_dir(base.join("elsewhere")).unwrap();
        std::fs::write(base.join("secret"), "").unwrap();
        symlink(base.join("secret"), checkout.join("file")).unwrap();
        symlink(base.join("missing"), checkout.join("dangling")).unwrap();
        symlink(base.join("elsewhere"), checkout.join("link")).unwrap();
        symlink(&checkout, base.join("way")).unwrap();
        let check = |path: &str, expected: Option<&str>| {
            let found = without_links(&base.join(path), &base.join("way")).ok();
            assert_eq!(found, expected.map(|path| base.join(path)), "{path}");
        };
        check("checkout/new", Some("checkout/new"));
        check("checkout/folder/new", Some("checkout/folder/new"));
        check("way/folder/../new", Some("checkout/new"));
        check("secret", Some("secret"));
        for path in
            ["checkout/file", "checkout/dangling", "checkout/link/new", "way/file", "way/folder/../link/a"]
        {
            check(path, None);
        }
    }
}
