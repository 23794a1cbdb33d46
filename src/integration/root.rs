//! Finds the repository root, which must contain every file that a manifest refers to.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::symlinks::{self, ResolvedPath};

/// The maximum size of a `package.json` in bytes. Larger files are ignored.
const MAX_PACKAGE_JSON: u64 = 1024 * 1024;

/// The folders that help to find the repository root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkout<'a> {
    /// The working directory of the program.
    pub working_directory: &'a Path,
    /// The folder of the checkout, if the CI system reports it.
    pub workspace: Option<&'a Path>,
}

/// Returns the repository root for a manifest in `folder`.
///
/// The root is the nearest folder with `.git`. Without `.git`, these folders can be the root: the checkout, the working
/// directory, and workspace roots of package managers. If several of them contain the manifest, the root is the outermost one,
/// but never the root of the file system. If none of them contains the manifest, the root is the manifest's own folder.
///
/// If a symbolic link in the checkout leads out of the repository that contains it, that repository is the root. It does not
/// contain the manifest, so the manifest is rejected.
pub(crate) fn repository_root(folder: &Path, checkout: Checkout<'_>) -> PathBuf {
    let checkout_root = symlinks::checkout_root(checkout.working_directory, checkout.workspace);
    let Ok(ResolvedPath { first_link_folder, .. }) = symlinks::resolve(folder, &checkout_root) else {
        return checkout_root;
    };
    let folder = canonical(folder);
    let link_root = first_link_folder.map(|folder| root_without_links(&folder, checkout));
    link_root
        .filter(|root| !folder.starts_with(root))
        .unwrap_or_else(|| root_without_links(&folder, checkout))
}

/// Returns the root for a folder whose path contains no symbolic links.
fn root_without_links(folder: &Path, checkout: Checkout<'_>) -> PathBuf {
    if let Some(root) = git_root(folder) {
        return root;
    }
    let working_directory = canonical(checkout.working_directory);
    let workspace = checkout.workspace.map(|workspace| canonical(&working_directory.join(workspace)));
    let is_root = |ancestor: &&Path| {
        ancestor.parent().is_some()
            && (*ancestor == working_directory
                || Some(*ancestor) == workspace.as_deref()
                || is_package_workspace(ancestor))
    };
    folder.ancestors().filter(is_root).last().unwrap_or(folder).to_owned()
}

/// Returns the nearest folder that contains `.git`: `folder` or one of its ancestors.
pub(crate) fn git_root(folder: &Path) -> Option<PathBuf> {
    let folder = dunce::canonicalize(folder).ok()?;
    folder.ancestors().find(|ancestor| ancestor.join(".git").exists()).map(Path::to_owned)
}

fn canonical(folder: &Path) -> PathBuf {
    dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

/// Returns true if a folder is the root of a workspace of pnpm, npm, Yarn or Bun.
fn is_package_workspace(folder: &Path) -> bool {
    if folder.join("pnpm-workspace.yaml").is_file() {
        return true;
    }
    let Some(package) = read_package_json(folder) else { return false };
    // A `.yarnrc.yml` without a `package.json` is a user's configuration in the home folder.
    package.workspaces.is_some() || folder.join(".yarnrc.yml").is_file()
}

/// The field of a `package.json` that marks the root of an npm, Yarn or Bun workspace.
#[derive(Deserialize)]
struct PackageJson {
    workspaces: Option<IgnoredAny>,
}

fn read_package_json(folder: &Path) -> Option<PackageJson> {
    let path = folder.join("package.json");
    path.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= MAX_PACKAGE_JSON)?;
    let text = std::fs::read_to_string(path).ok()?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Checkout, repository_root};

    const WORKSPACES: &str = "package.json {\"workspaces\": [\"*/*\"]}";

    /// Checks the root of a manifest in `a/b/c`, which is also the working directory. Each element of `files` is a path,
    /// optionally followed by a space and the content of the file.
    #[track_caller]
    fn check(files: &[&str], workspace: Option<&str>, expected: &str) {
        let temp = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(temp.path()).unwrap();
        let folder = base.join("a/b/c");
        std::fs::create_dir_all(&folder).unwrap();
        for file in files {
            let (path, content) = file.split_once(' ').unwrap_or((file, ""));
            let path = base.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let workspace = workspace.map(|workspace| base.join(workspace));
        let checkout = Checkout { working_directory: &folder, workspace: workspace.as_deref() };
        let root = repository_root(&folder, checkout);
        assert_eq!(root.strip_prefix(&base).unwrap(), Path::new(expected), "{files:?}");
    }

    #[test]
    fn the_nearest_git_folder_is_the_root() {
        check(&[".git/HEAD", "a/.git/HEAD"], None, "a");
        // In a worktree or submodule, `.git` is a file.
        check(&["a/b/.git gitdir: /x"], None, "a/b");
        check(&[WORKSPACES, "a/b/.git/HEAD"], Some("a"), "a/b");
        check(&[".git/HEAD", "a/pnpm-workspace.yaml"], Some("a/b"), "");
    }

    #[test]
    fn a_workspace_of_a_package_manager_is_the_root() {
        check(&[WORKSPACES], None, "");
        check(&["a/package.json {\"workspaces\": {\"packages\": [\"b/*\"]}}"], None, "a");
        check(&["a/pnpm-workspace.yaml"], None, "a");
        check(&["a/package.json {\"workspaces\": [\"b/*\"]}", "a/bun.lock", "a/bunfig.toml"], None, "a");
        check(&["a/package.json {}", "a/.yarnrc.yml"], None, "a");
        check(&["a/package.json \u{feff}{\"workspaces\": []}"], None, "a");
        check(&["a/pnpm-workspace.yaml", WORKSPACES], None, "");
    }

    #[test]
    fn a_package_without_workspaces_is_not_a_root() {
        check(&["a/package.json {}", "a/package-lock.json {}"], None, "a/b/c");
        check(&["a/package.json {}", "a/bun.lock {}"], None, "a/b/c");
        check(&["a/package.json {\"workspaces\": null}"], None, "a/b/c");
        check(&["a/package.json {\"workspaces\": [", "a/package-lock.json"], None, "a/b/c");
        check(&["a/.yarnrc.yml"], None, "a/b/c");
        check(&["x/pnpm-workspace.yaml", "a/b/c/d/pnpm-workspace.yaml"], None, "a/b/c");
    }

    #[test]
    fn the_checkout_is_the_root_of_manifests_below_it() {
        check(&[], Some("a"), "a");
        check(&[], Some(""), "");
        check(&["a/pnpm-workspace.yaml"], Some(""), "");
        check(&["a/pnpm-workspace.yaml"], Some("a/b"), "a");
        for elsewhere in ["x", "a/b/cc", "a/b/c/d", "/"] {
            check(&[], Some(elsewhere), "a/b/c");
        }
    }

    #[test]
    fn the_working_directory_is_the_root_of_manifests_below_it() {
        let temp = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(temp.path()).unwrap();
        let folder = base.join("a/b");
        std::fs::create_dir_all(&folder).unwrap();
        let root = |working_directory: &Path| {
            repository_root(&folder, Checkout { working_directory, workspace: None })
        };
        assert_eq!(root(&base), base);
        assert_eq!(root(Path::new("/nowhere")), folder);
        assert_eq!(root(Path::new("/")), folder);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_another_repository_does_not_change_the_root() {
        use std::os::unix::fs::symlink;
        let temp = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(temp.path()).unwrap();
        for folder in ["co/.git", "co/a", "co/sub/.git", "other/.git", "other/b", "plain/a"] {
            std::fs::create_dir_all(base.join(folder)).unwrap();
        }
        for (target, link) in [
            ("other", "co/out"),
            ("other/b", "co/a/b"),
            ("co/a", "co/within"),
            ("co/a", "co/sub/up"),
            ("other", "co/sub/out"),
            ("co/out", "to_out"),
            ("co", "way"),
            ("other", "plain/out"),
        ] {
            symlink(base.join(target), base.join(link)).unwrap();
        }
        let check = |working_directory: &str, folder: &str, expected: &str| {
            let checkout = Checkout { working_directory: &base.join(working_directory), workspace: None };
            let root = repository_root(&base.join(folder), checkout);
            assert_eq!(root, base.join(expected), "{folder}");
        };
        for outside in ["co/out", "co/out/b", "co/a/b", "co/a/../out", "to_out", "way/out"] {
            check("co", outside, "co");
        }
        check("co/a", "co/out", "co");
        check("co/sub", "co/sub/up", "co/sub");
        check("co/sub", "co/out", "co");
        check("plain", "plain/out", "plain");
        // On these paths, no link leads out of the repository that contains the link.
        check("co", "co/within", "co");
        check("co", "way/a", "co");
        check("co", "other/b", "other");
        check("plain", "co/a", "co");
    }
}
