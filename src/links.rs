//! Symbolic links in a checkout, which may lead to any file of the machine.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The number of links that a path may lead through.
const MAX_LINKS: usize = 40;

/// Returns the path of a file without symbolic links, for writing. The file need not exist.
///
/// # Errors
/// A link within `checkout`: a branch may bring one of any name. Links of the machine itself are followed.
pub(crate) fn without_links(path: &Path, checkout: &Path) -> io::Result<PathBuf> {
    let Resolved { path, link_in } = resolve(path, checkout)?;
    if link_in.is_none() {
        return Ok(path);
    }
    let message = "it is a symbolic link of the repository, or below one";
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
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

/// A path without symbolic links.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The path.
    pub path: PathBuf,
    /// The folder of the first link that is within the checkout.
    pub link_in: Option<PathBuf>,
}

/// Follows the symbolic links of a path one by one. Its end need not exist.
///
/// # Errors
/// Too many links, which may lead in a circle.
pub(crate) fn resolve(path: &Path, checkout: &Path) -> io::Result<Resolved> {
    let checkout = canonical(checkout);
    let mut rest = reversed(&std::path::absolute(path)?);
    let mut found = Resolved { path: PathBuf::new(), link_in: None };
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part == Component::ParentDir.as_os_str() {
            found.path.pop();
            continue;
        }
        let next = found.path.join(part);
        let is_in_checkout = found.path.starts_with(&checkout);
        // A link of `/proc/self/fd` to a pipe leads to no path.
        let is_path = |target: &PathBuf| !next.exists() || found.path.join(target).exists();
        let target = next.read_link().ok().filter(|target| is_in_checkout || is_path(target));
        let Some(target) = target else {
            found.path = next;
            continue;
        };
        if is_in_checkout {
            found.link_in.get_or_insert_with(|| found.path.clone());
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it leads through too many symbolic links",
            ));
        }
        rest.extend(reversed(dunce::simplified(&target)));
    }
    Ok(found)
}

/// Returns the parts of a path, the last one first.
fn reversed(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}

fn canonical(folder: &Path) -> PathBuf {
    dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{checkout, without_links};

    #[test]
    fn links_of_the_checkout_lead_nowhere_and_others_do() {
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
            let found = without_links(&base.join(path), &base.join("way")).ok();
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
    fn a_pipe_of_the_process_is_written_to() {
        let (_reader, writer) = std::io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
        let expected = path.replace("self", &std::process::id().to_string());
        assert_eq!(without_links(Path::new(&path), Path::new("/repo")).unwrap(), Path::new(&expected));
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
