//! Paths in a manifest: relative to its folder, and never out of the repository.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};

/// The folder that a manifest's paths must stay in: the nearest one above it that holds `.git`, else the
/// folder that the program was started in if the manifest is below it, else the manifest's own.
pub(crate) fn repository_root(folder: &Path, started_in: &Path) -> PathBuf {
    let folder = dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let started_in = dunce::canonicalize(started_in).unwrap_or_else(|_| started_in.to_owned());
    match git_root(&folder) {
        Some(root) => root,
        None if folder.starts_with(&started_in) => started_in,
        None => folder,
    }
}

/// The root of the Git repository that a folder is in.
pub(crate) fn git_root(folder: &Path) -> Option<PathBuf> {
    let folder = dunce::canonicalize(folder).ok()?;
    folder.ancestors().find(|ancestor| ancestor.join(".git").exists()).map(Path::to_owned)
}

/// The file that a manifest names, links followed. `what` names it in messages ("the icon").
///
/// An error when it does not exist, is not a file or lies outside `root`.
pub(crate) fn inside(
    root: &Path,
    folder: &Path,
    text: &str,
    what: &str,
    place: &Place,
) -> Result<PathBuf, Box<Diagnostic>> {
    let failed = |message: String, hint: &str| {
        Box::new(Diagnostic::error(place.clone(), message).hint(Some(hint.to_owned())))
    };
    let path = dunce::canonicalize(folder.join(text)).map_err(|error| {
        failed(
            format!("{what} `{text}` can't be read: {error}"),
            "paths in a manifest are relative to its folder",
        )
    })?;
    if !path.starts_with(root) {
        return Err(failed(
            format!("{what} `{text}` lies outside the repository"),
            "keep everything that an integration is made of in its repository",
        ));
    }
    if !path.is_file() {
        return Err(failed(format!("{what} `{text}` is not a file"), "name a file"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::{inside, repository_root};
    use crate::diagnostic::{Place, shown};

    #[test]
    fn the_root_is_where_git_is() {
        let temp = tempfile::tempdir().unwrap();
        let root = dunce::canonicalize(temp.path()).unwrap();
        let folder = root.join("a/b");
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(repository_root(&folder, &root), root);
        assert_eq!(repository_root(&folder, std::path::Path::new("/nowhere")), folder);
        std::fs::create_dir(root.join("a/.git")).unwrap();
        assert_eq!(repository_root(&folder, &root), root.join("a"));
    }

    #[test]
    fn nothing_outside_is_read() {
        let temp = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(temp.path()).unwrap();
        let root = base.join("repo");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(base.join("secret"), "x").unwrap();
        std::fs::write(root.join("icon.png"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(base.join("secret"), root.join("link")).unwrap();
        let check = |text: &str, expected: &str| {
            let result = inside(&root, &root, text, "the icon", &Place::file("m"));
            let message = result.map_or_else(|d| d.to_string(), |path| shown(&path));
            assert!(message.contains(expected), "{message}");
        };
        check("./icon.png", "repo/icon.png");
        check("../secret", "m: the icon `../secret` lies outside the repository");
        #[cfg(unix)]
        check("link", "m: the icon `link` lies outside the repository");
        check(".", "m: the icon `.` is not a file");
        check("none", "m: the icon `none` can't be read: ");
    }
}
