//! Protection against symbolic links in a checkout. A branch can contain a link to any file of the machine.

use std::io;
use std::path::{Component, Path, PathBuf};

/// Resolves the path of a file for writing. The file need not exist.
///
/// # Errors
/// Fails if the path contains a symbolic link inside `checkout`. Links outside are followed.
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
            let message = "the path contains a symbolic link of the repository";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        current = if is_link { dunce::canonicalize(&next).unwrap_or(next) } else { next };
    }
    Ok(current)
}

/// Returns the root of the checkout around a folder, or the folder itself if there is no checkout.
pub(crate) fn checkout_root(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::without_links;

    #[test]
    fn rejects_links_inside_the_checkout_only() {
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
