//! Lists the files below a folder, except those that `.gitignore` files exclude.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use ignore::{DirEntry, WalkBuilder};

use super::root::git_root;
use crate::diagnostic::{Diagnostic, SourceLocation};

/// The name of a file that contains ignore rules.
const GITIGNORE: &str = ".gitignore";

/// The maximum size of a `.gitignore` in bytes. A folder with a larger one is not searched.
const MAX_GITIGNORE: u64 = 1024 * 1024;

/// A folder that cannot be searched, because the `.gitignore` at this path cannot be read safely.
#[derive(Debug)]
pub(super) struct UnreadableGitignore {
    path: PathBuf,
    /// The size of a file above the limit, or `None` for something other than a regular file.
    size: Option<u64>,
}

impl UnreadableGitignore {
    /// Returns the problem, with a path relative to the working directory.
    pub(super) fn problem(&self, working_directory: &Path) -> Diagnostic {
        let path = self.path.strip_prefix(working_directory).unwrap_or(&self.path).to_owned();
        let message = match self.size {
            None => format!("could not read `{GITIGNORE}`: it is not a regular file"),
            Some(size) => format!("`{GITIGNORE}` is {size} bytes; the limit is 1 MiB"),
        };
        let hint = "replace it with a regular file of at most 1 MiB".to_owned();
        Diagnostic::error(SourceLocation::file(path), message).with_hint(hint)
    }
}

/// Returns the entries below a folder without following links. Skips `node_modules`, `.git` and `.gitbook-sandbox`, the entries
/// that a `.gitignore` excludes, and the entries that `is_wanted` rejects. As in Git, a `.gitignore` above the repository has no
/// effect. Outside a repository, the `.gitignore` files of all parent folders apply.
///
/// # Errors
/// Returns an error if a `.gitignore` is larger than 1 MiB or not a regular file. For example, it may be a link to a device, from
/// which reading might never end.
pub(super) fn walk(
    folder: &Path,
    is_wanted: fn(&DirEntry) -> bool,
) -> Result<Vec<DirEntry>, UnreadableGitignore> {
    let true_folder = dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    if let Some(unreadable) = true_folder.ancestors().find_map(unreadable_gitignore) {
        return Err(unreadable);
    }
    let (sender, receiver) = channel();
    let entries = WalkBuilder::new(folder)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(git_root(folder).is_some())
        .filter_entry(move |entry| {
            // The sandbox writes to `.gitbook-sandbox` during a run, so parallel jobs on one machine could see different
            // files in it.
            let is_skipped =
                matches!(entry.file_name().to_str(), Some("node_modules" | ".git" | ".gitbook-sandbox"));
            if is_skipped || !is_wanted(entry) {
                return false;
            }
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let unreadable = Some(entry.path()).filter(|_| is_folder).and_then(unreadable_gitignore);
            // Sending cannot fail, because the receiver exists until the end of this function.
            unreadable.is_none_or(|unsearched| sender.send(unsearched).is_err())
        })
        .build()
        .filter_map(Result::ok)
        .collect();
    receiver.try_iter().next().map_or(Ok(entries), Err)
}

/// Returns the path of a folder's `.gitignore` if it cannot be read safely, because it is not a regular file or is larger than 1
/// MiB. A folder named `.gitignore` has no effect.
fn unreadable_gitignore(folder: &Path) -> Option<UnreadableGitignore> {
    let path = folder.join(GITIGNORE);
    let metadata = path.metadata().ok()?;
    let size = metadata.is_file().then_some(metadata.len());
    let is_readable = metadata.is_dir() || size.is_some_and(|size| size <= MAX_GITIGNORE);
    (!is_readable).then_some(UnreadableGitignore { path, size })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::walk;

    #[test]
    fn rejects_a_gitignore_that_is_not_a_file() {
        let check = |prepare: fn(&Path), expected: Result<&str, &str>| {
            let temp = tempfile::tempdir().unwrap();
            let base = dunce::canonicalize(temp.path()).unwrap();
            std::fs::create_dir_all(base.join("a/b")).unwrap();
            std::fs::write(base.join("rules"), "b\n").unwrap();
            prepare(&base);
            let found = walk(&base.join("a"), |_| true);
            let found = found.map(|entries| entries.len().to_string());
            let found = found.map_err(|folder| folder.problem(&base).to_string());
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned));
        };
        check(|_| (), Ok("2"));
        check(
            |base| symlink("/dev/zero", base.join("a/.gitignore")).unwrap(),
            Err("a/.gitignore: could not read `.gitignore`: it is not a regular file"),
        );
        check(
            |base| symlink("/dev/stdin", base.join("a/b/.gitignore")).unwrap(),
            Err("a/b/.gitignore: could not read `.gitignore`: it is not a regular file"),
        );
        check(
            |base| symlink("/dev/zero", base.join(".gitignore")).unwrap(),
            Err(".gitignore: could not read `.gitignore`: it is not a regular file"),
        );
        check(
            |base| std::fs::File::create(base.join("a/.gitignore")).unwrap().set_len(1 << 30).unwrap(),
            Err("a/.gitignore: `.gitignore` is 1073741824 bytes; the limit is 1 MiB"),
        );
        // A link to a missing target or to a folder has no effect. A link to a file has the effect of that file.
        check(|base| symlink("missing", base.join("a/.gitignore")).unwrap(), Ok("3"));
        check(|base| std::fs::create_dir(base.join("a/.gitignore")).unwrap(), Ok("3"));
        check(|base| symlink("../rules", base.join("a/.gitignore")).unwrap(), Ok("2"));
    }
}
