//! Paths in a manifest: relative to its folder, and never out of the repository.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};

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
    use super::inside;
    use crate::diagnostic::{Place, shown};

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
