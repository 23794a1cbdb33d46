//! Walks through folders as Git does.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use ignore::{DirEntry, WalkBuilder};

use super::root::git_root;
use crate::diagnostic::{Diagnostic, Place};

/// The name of the files that are read on the way.
const GITIGNORE: &str = ".gitignore";

/// A larger `.gitignore` is not read.
const MAX_GITIGNORE: u64 = 1024 * 1024;

/// A folder that cannot be searched because of the `.gitignore` at this path.
#[derive(Debug)]
pub(super) struct Unsearched(PathBuf);

impl Unsearched {
    /// Returns the problem, with a path relative to `started_in`.
    pub(super) fn problem(&self, started_in: &Path) -> Diagnostic {
        let path = self.0.strip_prefix(started_in).unwrap_or(&self.0).to_owned();
        let message = format!("`{GITIGNORE}` is not read: it is not a file, or larger than 1 MiB");
        Diagnostic::error(Place::file(path), message)
            .hint("replace it with a file; Git does not follow a link of this name".to_owned())
    }
}

/// Returns the files and folders that no `.gitignore` covers and that are wanted, without following links.
///
/// As in Git, a `.gitignore` above the repository does not count; where there is no repository, nothing bounds it.
///
/// # Errors
/// A `.gitignore` that is not a file: a link to a device would be read without end.
pub(super) fn walk(folder: &Path, is_wanted: fn(&DirEntry) -> bool) -> Result<Vec<DirEntry>, Unsearched> {
    let true_folder = dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    if let Some(unreadable) = true_folder.ancestors().find_map(unreadable) {
        return Err(Unsearched(unreadable));
    }
    let (sender, receiver) = channel();
    let entries = WalkBuilder::new(folder)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(git_root(folder).is_some())
        .filter_entry(move |entry| {
            // The last is where the sandbox keeps things: two shares on one machine would not see the same files.
            let is_foreign =
                matches!(entry.file_name().to_str(), Some("node_modules" | ".git" | ".gitbook-sandbox"));
            if is_foreign || !is_wanted(entry) {
                return false;
            }
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let unreadable = Some(entry.path()).filter(|_| is_folder).and_then(unreadable);
            // Nobody receives it only if the walk is over.
            unreadable.is_none_or(|path| sender.send(path).is_err())
        })
        .build()
        .filter_map(Result::ok)
        .collect();
    receiver.try_iter().next().map_or(Ok(entries), |path| Err(Unsearched(path)))
}

/// Returns the path of a folder's `.gitignore` if it is neither a file of a usual size nor a folder, which has no effect.
fn unreadable(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(GITIGNORE);
    let is_readable = |found: Metadata| found.is_dir() || found.is_file() && found.len() <= MAX_GITIGNORE;
    let is_unreadable = path.metadata().is_ok_and(|found| !is_readable(found));
    is_unreadable.then_some(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::walk;

    #[test]
    fn a_gitignore_that_is_not_a_file_ends_the_search() {
        let check = |prepare: fn(&Path), expected: Result<&str, &str>| {
            let temp = tempfile::tempdir().unwrap();
            let base = dunce::canonicalize(temp.path()).unwrap();
            std::fs::create_dir_all(base.join("a/b")).unwrap();
            std::fs::write(base.join("rules"), "b\n").unwrap();
            prepare(&base);
            let found = walk(&base.join("a"), |_| true);
            let found = found.map(|entries| entries.len().to_string());
            let found = found.map_err(|unsearched| unsearched.problem(&base).to_string());
            let problem =
                |path| format!("{path}: `.gitignore` is not read: it is not a file, or larger than 1 MiB");
            assert_eq!(found, expected.map(str::to_owned).map_err(problem));
        };
        check(|_| (), Ok("2"));
        check(|base| symlink("/dev/zero", base.join("a/.gitignore")).unwrap(), Err("a/.gitignore"));
        check(|base| symlink("/dev/stdin", base.join("a/b/.gitignore")).unwrap(), Err("a/b/.gitignore"));
        check(|base| symlink("/dev/zero", base.join(".gitignore")).unwrap(), Err(".gitignore"));
        check(
            |base| std::fs::File::create(base.join("a/.gitignore")).unwrap().set_len(1 << 30).unwrap(),
            Err("a/.gitignore"),
        );
        // It has no effect, or that of a file.
        check(|base| symlink("missing", base.join("a/.gitignore")).unwrap(), Ok("3"));
        check(|base| std::fs::create_dir(base.join("a/.gitignore")).unwrap(), Ok("3"));
        check(|base| symlink("../rules", base.join("a/.gitignore")).unwrap(), Ok("2"));
    }
}
