//! Reads files only at allowed paths. Links are resolved first, so that they cannot lead to other files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use same_file::Handle;

/// Git's own folder. It must not be read, because the configuration in it may contain the runner's token.
const GIT_FOLDER: &str = ".git";

/// The reason that a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The file is outside the repository, or in its `.git` folder.
    #[error("it is outside the repository")]
    Outside,
    /// The system could not read the file.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Returns true if a path without symbolic links is inside the repository at `root`, but not in `.git`.
pub(crate) fn is_repository_file(path: &Path, root: &Path) -> bool {
    path.strip_prefix(root).is_ok_and(|path| path.iter().all(|name| name != GIT_FOLDER))
}

/// Returns true if a path without symbolic links is a repository file (see [`is_repository_file`]), or is in a `node_modules`
/// folder outside the repository, such as in a parent folder.
pub(crate) fn is_repository_or_package_file(path: &Path, root: &Path) -> bool {
    is_repository_file(path, root)
        || !path.starts_with(root) && path.iter().any(|name| name == "node_modules")
}

/// Opens a file if `is_allowed` accepts its path with all links resolved.
///
/// # Errors
/// Returns [`FileError::Outside`] if `is_allowed` rejects the path, or if the file is replaced while it is opened.
pub(crate) fn open(path: &Path, is_allowed: impl FnOnce(&Path) -> bool) -> Result<File, FileError> {
    // Opening a pipe would block.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file").into());
    }
    let file = File::open(path)?;
    let path = dunce::canonicalize(path)?;
    let is_same = Handle::from_file(file.try_clone()?)? == Handle::from_path(&path)?;
    if is_same && is_allowed(&path) { Ok(file) } else { Err(FileError::Outside) }
}

/// Reads a file if `is_allowed` accepts its path with all links resolved.
///
/// # Errors
/// Returns the errors of [`open`].
pub(crate) fn read(path: &Path, is_allowed: impl FnOnce(&Path) -> bool) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    open(path, is_allowed)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a text file if `is_allowed` accepts its path with all links resolved.
///
/// # Errors
/// Returns the errors of [`open`], and [`io::ErrorKind::InvalidData`] for a file that is not UTF-8.
pub(crate) fn read_text(path: &Path, is_allowed: impl FnOnce(&Path) -> bool) -> Result<String, FileError> {
    let mut text = String::new();
    open(path, is_allowed)?.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FileError, is_repository_file, is_repository_or_package_file, read};

    #[test]
    fn content_is_inside_the_repository_but_not_in_the_git_folder() {
        let check = |path: &str, expected: [bool; 2]| {
            let [path, root] = [path, "/repository"].map(Path::new);
            assert_eq!(
                [is_repository_file(path, root), is_repository_or_package_file(path, root)],
                expected,
                "{}",
                path.display()
            );
        };
        check("/repository/a/b", [true, true]);
        check("/repository/node_modules/a", [true, true]);
        check("/repository/.github/a", [true, true]);
        check("/repository/.git/config", [false, false]);
        check("/repository/a/.git/node_modules/a", [false, false]);
        check("/node_modules/a", [false, true]);
        check("/home/a/.netrc", [false, false]);
        check("/repository-2/a", [false, false]);
    }

    #[cfg(unix)]
    #[test]
    fn reads_a_link_only_if_its_target_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(folder.path()).unwrap();
        let root = base.join("repository");
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::fs::write(base.join("secret"), "hush").unwrap();
        std::fs::write(root.join("own"), "own").unwrap();
        std::fs::write(root.join(".git/config"), "hush").unwrap();
        for (link, target) in
            [("a", base.join("secret")), ("b", root.join("own")), ("c", root.join(".git/config"))]
        {
            std::os::unix::fs::symlink(target, root.join(link)).unwrap();
        }
        let read = |name: &str| read(&root.join(name), |path| is_repository_file(path, &root));
        assert_eq!(read("own").unwrap(), b"own");
        assert_eq!(read("b").unwrap(), b"own");
        for outside in ["a", "c", ".git/config", "../secret"] {
            assert!(matches!(read(outside), Err(FileError::Outside)), "{outside}");
        }
        assert!(matches!(read("missing"), Err(FileError::Io(_))));
        assert!(matches!(read(".git"), Err(FileError::Io(_))));
    }
}
