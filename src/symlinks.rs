//! Protection against symbolic links in a checkout. A branch can contain a link to any file on the machine.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The maximum number of symbolic links in a path.
const MAX_LINKS: usize = 40;

/// Resolves the path of a file that the program will write. The file need not exist.
///
/// # Errors
/// Fails if the path contains a symbolic link inside `checkout`, or too many links. Links outside `checkout` are
/// followed.
pub(crate) fn resolve_without_checkout_links(path: &Path, checkout: &Path) -> io::Result<PathBuf> {
    let ResolvedPath { path, first_link_folder } = resolve(path, checkout)?;
    if first_link_folder.is_none() {
        return Ok(path);
    }
    let message = "the path contains a symbolic link in the repository";
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// Returns the root of the checkout around a folder, or the folder itself if there is no checkout.
///
/// The root is the outermost folder that contains `.git` or is the CI system's `workspace`, among the folder and its parents. It
/// is not the innermost one, because submodules contain `.git` as well. The root of the file system does not count.
pub(crate) fn checkout_root(folder: &Path, workspace: Option<&Path>) -> PathBuf {
    let folder = canonical(folder);
    let workspace = workspace.map(|workspace| canonical(&folder.join(workspace)));
    let is_root = |ancestor: &&Path| {
        ancestor.parent().is_some()
            && (ancestor.join(".git").exists() || Some(*ancestor) == workspace.as_deref())
    };
    folder.ancestors().filter(is_root).last().unwrap_or(&folder).to_owned()
}

/// A path without symbolic links.
#[derive(Debug)]
pub(crate) struct ResolvedPath {
    /// The path after all symbolic links have been followed.
    pub path: PathBuf,
    /// The folder that contains the first symbolic link inside the checkout, if there is one.
    pub first_link_folder: Option<PathBuf>,
}

/// Follows the symbolic links of a path one by one. The path need not exist.
///
/// # Errors
/// Fails after 40 links, because they may be circular.
pub(crate) fn resolve(path: &Path, checkout: &Path) -> io::Result<ResolvedPath> {
    let checkout = canonical(checkout);
    let mut remaining = reversed_components(&std::path::absolute(path)?);
    let mut resolved = ResolvedPath { path: PathBuf::new(), first_link_folder: None };
    let mut links = 0;
    while let Some(component) = remaining.pop() {
        if component == Component::ParentDir.as_os_str() {
            resolved.path.pop();
            continue;
        }
        let next = resolved.path.join(component);
        let is_in_checkout = resolved.path.starts_with(&checkout);
        // The target of a link to a pipe in `/proc/self/fd` is not a path.
        let is_path = |target: &PathBuf| !next.exists() || resolved.path.join(target).exists();
        let target = next.read_link().ok().filter(|target| is_in_checkout || is_path(target));
        let Some(target) = target else {
            resolved.path = next;
            continue;
        };
        if is_in_checkout {
            resolved.first_link_folder.get_or_insert_with(|| resolved.path.clone());
        }
        links += 1;
        if links > MAX_LINKS {
            let message = "the path contains too many symbolic links";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        remaining.extend(reversed_components(dunce::simplified(&target)));
    }
    Ok(resolved)
}

/// Returns the components of a path in reverse order.
fn reversed_components(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|component| component.as_os_str().to_owned()).collect()
}

fn canonical(folder: &Path) -> PathBuf {
    dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{checkout_root, resolve_without_checkout_links};

    #[test]
    fn rejects_links_inside_the_checkout_only() {
        let folder = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(folder.path()).unwrap();
        let checkout = base.join("checkout");
        std::fs::create_dir_all(checkout.join("folder")).unwrap();
        std::fs::create_dir(base.join("elsewhere")).unwrap();
        std::fs::write(base.join("secret"), "").unwrap();
        for (target, link) in [
            ("secret", "checkout/file"),
            ("missing", "checkout/dangling"),
            ("elsewhere", "checkout/link"),
            ("checkout", "way"),
            ("checkout/file", "to_file"),
            ("checkout/dangling", "to_dangling"),
            ("checkout/link", "to_link"),
            ("way/link/new", "to_new"),
            ("checkout/folder", "to_folder"),
            ("missing", "to_missing"),
            ("circle", "circle"),
        ] {
            symlink(base.join(target), base.join(link)).unwrap();
        }
        symlink(format!("{}../secret", "./".repeat(2000)), checkout.join("long")).unwrap();
        symlink("to_folder/../new", base.join("relative")).unwrap();
        let check = |path: &str, expected: Option<&str>| {
            let found = resolve_without_checkout_links(&base.join(path), &base.join("way")).ok();
            assert_eq!(found, expected.map(|path| base.join(path)), "{path}");
        };
        check("checkout/new", Some("checkout/new"));
        check("checkout/folder/new", Some("checkout/folder/new"));
        check("way/folder/../new", Some("checkout/new"));
        check("secret", Some("secret"));
        check("to_folder/new", Some("checkout/folder/new"));
        check("relative", Some("checkout/new"));
        check("to_missing", Some("missing"));
        for path in [
            "checkout/file",
            "checkout/dangling",
            "checkout/link/new",
            "checkout/long",
            "way/file",
            "way/folder/../link/a",
            "to_file",
            "to_dangling",
            "to_link/new",
            "to_new",
            "circle",
        ] {
            check(path, None);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn resolves_a_pipe_of_the_process() {
        let (_reader, writer) = std::io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
        let expected = path.replace("self", &std::process::id().to_string());
        assert_eq!(
            resolve_without_checkout_links(Path::new(&path), Path::new("/repo")).unwrap(),
            Path::new(&expected)
        );
    }

    #[test]
    fn the_checkout_root_is_the_outermost_git_folder_or_workspace() {
        let check = |files: &[&str], workspace: Option<&str>, expected: &str| {
            let temp = tempfile::tempdir().unwrap();
            let base = dunce::canonicalize(temp.path()).unwrap();
            let folder = base.join("a/b/c");
            std::fs::create_dir_all(&folder).unwrap();
            files.iter().for_each(|file| std::fs::write(base.join(file), "").unwrap());
            let workspace = workspace.map(|workspace| base.join(workspace));
            let found = checkout_root(&folder, workspace.as_deref());
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
