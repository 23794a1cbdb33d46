//! Paths in a manifest: relative to its folder, and never out of the repository.

use std::path::{Path, PathBuf};

use super::{entry, files, nearby};
use crate::diagnostic::{Diagnostic, SourceLocation};

/// The kind of file that a manifest names.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The file in messages, such as "the icon".
    pub what: &'static str,
    /// True if the path is completed as the vendor's bundler completes an entry point.
    pub completes: bool,
    /// The extensions of files that a hint may suggest.
    pub extensions: &'static [&'static str],
}

/// A script that is bundled.
pub(crate) const ENTRY: Kind = Kind { what: "the script", completes: true, extensions: &SCRIPTS };
/// A script that is sent as it is.
pub(crate) const BUILT_SCRIPT: Kind = Kind { what: "the script", completes: false, extensions: &SCRIPTS };

const SCRIPTS: [&str; 8] = ["ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "cts"];

/// Returns the file that a manifest names, links followed.
///
/// # Errors
/// When it does not exist, is not a file or lies outside `root`.
pub(crate) fn inside(
    root: &Path,
    folder: &Path,
    text: &str,
    kind: &Kind,
    place: &SourceLocation,
) -> Result<PathBuf, Box<Diagnostic>> {
    let what = kind.what;
    let failed =
        |message: String, hint: String| Box::new(Diagnostic::error(place.clone(), message).hint(hint));
    let path = find(folder, text, kind).unwrap_or_else(|| folder.join(text));
    let path = dunce::canonicalize(path).map_err(|error| {
        let nearest = nearby::nearest_file(root, folder, text, kind);
        let hint = nearest.map(|path| format!("did you mean `{path}`?"));
        let hint = hint.unwrap_or_else(|| "paths in a manifest are relative to its folder".to_owned());
        failed(format!("{what} `{text}` can't be read: {error}"), hint)
    })?;
    if !files::is_content(&path, root) {
        let hint = "keep everything that an integration is made of in its repository".to_owned();
        return Err(failed(format!("{what} `{text}` lies outside the repository"), hint));
    }
    if !path.is_file() {
        return Err(failed(format!("{what} `{text}` is not a file"), "name a file".to_owned()));
    }
    Ok(path)
}

/// Returns the path that a text stands for; `None` when nothing is there. `gitbook new` writes `\` on Windows, which is
/// a character like any other elsewhere.
fn find(folder: &Path, text: &str, kind: &Kind) -> Option<PathBuf> {
    let exists = |text: &str| {
        if kind.completes {
            entry::complete(folder, text)
        } else {
            Some(folder.join(text)).filter(|path| path.exists())
        }
    };
    exists(text).or_else(|| exists(&text.replace('\\', "/")))
}

#[cfg(test)]
mod tests {
    use super::{BUILT_SCRIPT, ENTRY, Kind, inside};
    use crate::diagnostic::{SourceLocation, display_path};

    const ICON: Kind = Kind { what: "the icon", completes: false, extensions: &["png"] };

    /// Checks the file that a path of a manifest in the folder `repo` stands for, or the problem with it and its hint.
    #[track_caller]
    fn check(files: &[&str], kind: &Kind, text: &str, expected: Result<&str, (&str, &str)>) {
        let temp = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(temp.path()).unwrap();
        let root = base.join("repo");
        for file in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(base.join("repo/../secret.png"), root.join("link.png")).unwrap();
        std::fs::write(base.join("secret.png"), "x").unwrap();
        let found = inside(&root, &root, text, kind, &SourceLocation::file("m"));
        let found = found.map(|path| display_path(path.strip_prefix(&root).unwrap()));
        let found = found.map_err(|problem| (problem.message.clone(), problem.hint.unwrap_or_default()));
        let missing = std::fs::metadata("no such file").unwrap_err().to_string();
        let expected = expected.map(str::to_owned);
        let expected = expected.map_err(|(why, hint)| (why.replace("MISSING", &missing), hint.to_owned()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn nothing_outside_is_read() {
        let refused = |text: &str| {
            let message = format!("the icon `{text}` lies outside the repository");
            let hint = "keep everything that an integration is made of in its repository";
            check(&["icon.png"], &ICON, text, Err((&message, hint)));
        };
        check(&["icon.png"], &ICON, "./icon.png", Ok("icon.png"));
        check(&["icon.png"], &ICON, "../repo/icon.png", Ok("icon.png"));
        refused("../secret.png");
        refused("..\\secret.png");
        #[cfg(unix)]
        refused("link.png");
        check(&["a/b"], &ICON, "a", Err(("the icon `a` is not a file", "name a file")));
        check(&["a/b"], &ICON, ".", Err(("the icon `.` is not a file", "name a file")));
    }

    #[cfg(unix)]
    #[test]
    fn a_backslash_separates_folders_unless_a_file_has_it() {
        check(&["assets/icon.png"], &ICON, "assets\\icon.png", Ok("assets/icon.png"));
        check(&["assets/icon.png"], &ICON, ".\\assets\\icon.png", Ok("assets/icon.png"));
        check(&["a/b.png", "a\\b.png"], &ICON, "a\\b.png", Ok("a\\b.png"));
        check(&["src/index.tsx"], &ENTRY, "src\\index.tsx", Ok("src/index.tsx"));
        check(&["src/index.tsx"], &ENTRY, "src\\index", Ok("src/index.tsx"));
        check(&["dist/main.js"], &BUILT_SCRIPT, "dist\\main.js", Ok("dist/main.js"));
        let hint = "did you mean `./src/index.tsx`?";
        let message = "the script `src\\indx.tsx` can't be read: MISSING";
        check(&["src/index.tsx"], &ENTRY, "src\\indx.tsx", Err((message, hint)));
    }

    #[test]
    fn only_a_script_that_is_bundled_is_completed() {
        check(&["main.ts"], &ENTRY, "./main", Ok("main.ts"));
        let problem = ("the script `./main` can't be read: MISSING", "did you mean `./main.ts`?");
        check(&["main.ts"], &BUILT_SCRIPT, "./main", Err(problem));
        check(&["icon.png"], &ICON, "icon.png", Ok("icon.png"));
        let problem = ("the icon `icon` can't be read: MISSING", "did you mean `./icon.png`?");
        check(&["icon.png"], &ICON, "icon", Err(problem));
        check(&["src/main.ts"], &ENTRY, "src", Err(("the script `src` is not a file", "name a file")));
    }
}
