//! Symbolic links in a checkout, which may lead to any file of the machine.

use std::io;
use std::path::{Component, Path, PathBuf};

/// Returns the path of a file without symbolic links, for writing. The file need not exist.
///
/// # Errors
/// A link within `checkout`: a branch may bring one of any name. Links of the machine itself are followed.
pub(crate) fn without_links(path: &Path, checkout: &Path) -> io::Result<PathBuf> {
    let checkout = canonical(checkout);
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
///
/// It is the outermost folder with `.git`, since a submodule has its own, or the CI system's `workspace` if that is further
/// out or there is no `.git`. The root of the file system does not count.
pub(crate) fn checkout(folder: &Path, workspace: Option<&Path>) -> PathBuf {
    let folder = canonical(folder);
    let workspace = workspace.map(|workspace| canonical(&folder.join(workspace)));
    let is_root = |ancestor: &&Path| {
        ancestor.parent().is_some()
            && (ancestor.join(".git").exists() || Some(*ancestor) == workspace.as_deref())
    };
    folder.ancestors().filter(is_root).last().unwrap_or(&folder).to_owned()
}

fn canonical(folder: &Path) -> PathBuf {
    dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::{checkout, without_links};

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

    #[test]
    fn a_checkout_is_the_outermost_folder_that_git_or_the_ci_system_knows() {
        let check = |files: &[&str], workspace: Option<&str>, expected: &str| {
            let temp = tempfile::tempdir().unwrap();
            let base = dunce::canonicalize(temp.path()).unwrap();
            let folder = base.join("a/b/c");
            std::fs::create_dir_all(&folder).unwrap();
            files.iter().for_each(|file| std::fs::write(base.join(file), "").unwrap());
            let workspace = workspace.map(|workspace| base.join(workspace));
            let found = checkout(&folder, workspace.as_deref());
            assert_eq!(found, base.join(expected), "{files:?} {workspace:?}");
        };
        check(&[], None, "a/b/c");
        check(&["a/b/.git"], None, "a/b");
        check(&["a/.git", "a/b/c/.git"], None, "a");
        check(&[], Some("a"), "a");
        check(&["a/.git"], Some("a/b"), "a");
        check(&["a/b/.git"], Some("a"), "a");
        check(&[], Some("a/b/c/d"), "a/b/c");
        check(&[], Some("x"), "a/b/c");
        check(&[], Some("/"), "a/b/c");
    }
}
