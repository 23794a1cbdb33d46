//! Resolves the paths in a manifest. They are relative to the manifest's folder and must stay inside the repository.

use std::path::{Path, PathBuf};

use super::file_kind::FileKind;
use super::{files, path_suggestion, script_entry};
use crate::diagnostic::{Diagnostic, SourceLocation};

/// Returns the file for `text`, a path in a manifest. Resolves symbolic links.
///
/// # Errors
/// Returns a problem if the file does not exist, is not a regular file or is outside `root`.
pub(crate) fn resolve(
    root: &Path,
    folder: &Path,
    text: &str,
    kind: &FileKind,
    location: &SourceLocation,
) -> Result<PathBuf, Box<Diagnostic>> {
    let label = kind.label;
    let failed = |message: String, hint: String| {
        Box::new(Diagnostic::error(location.clone(), message).with_hint(hint))
    };
    let path = find_existing(folder, text, kind).unwrap_or_else(|| folder.join(text));
    let path = dunce::canonicalize(path).map_err(|error| {
        let similar_path = path_suggestion::most_similar_file(root, folder, text, kind);
        let hint = similar_path.map(|path| format!("did you mean `{path}`?"));
        let hint = hint.unwrap_or_else(|| "write the path relative to the folder of the manifest".to_owned());
        failed(format!("could not read {label} `{text}`: {error}"), hint)
    })?;
    if !files::is_repository_file(&path, root) {
        let hint = "move the file into the repository".to_owned();
        return Err(failed(format!("{label} `{text}` is outside the repository"), hint));
    }
    if !path.is_file() {
        return Err(failed(
            format!("{label} `{text}` is not a file"),
            format!("replace `{text}` with the path of a file"),
        ));
    }
    Ok(path)
}

/// Returns the path that `text` refers to, or `None` if it does not exist. Accepts `\` as a separator on all systems, because
/// `gitbook new` writes it into manifests on Windows.
fn find_existing(folder: &Path, text: &str, kind: &FileKind) -> Option<PathBuf> {
    let exists = |text: &str| {
        if kind.completes_path {
            script_entry::complete(folder, text)
        } else {
            Some(folder.join(text)).filter(|path| path.exists())
        }
    };
    exists(text).or_else(|| exists(&text.replace('\\', "/")))
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use crate::diagnostic::{SourceLocation, display_path};
    use crate::integration::file_kind::{BUILT_SCRIPT, FileKind, SCRIPT_TO_BUNDLE};

    const ICON: FileKind = FileKind { label: "the icon", completes_path: false, extensions: &["png"] };

    /// Checks the result of resolving a path in a manifest in the folder `repo`: the file, or the problem and its hint.
    #[track_caller]
    fn check(files: &[&str], kind: &FileKind, text: &str, expected: Result<&str, (&str, &str)>) {
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
        let found = resolve(&root, &root, text, kind, &SourceLocation::file("m"));
        let found = found.map(|path| display_path(path.strip_prefix(&root).unwrap()));
        let found = found.map_err(|problem| (problem.message.clone(), problem.hint.unwrap_or_default()));
        let missing = std::fs::metadata("no such file").unwrap_err().to_string();
        let expected = expected.map(str::to_owned);
        let expected =
            expected.map_err(|(problem, hint)| (problem.replace("MISSING", &missing), hint.to_owned()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn paths_outside_the_repository_are_rejected() {
        let check_rejected = |text: &str| {
            let message = format!("the icon `{text}` is outside the repository");
            let hint = "move the file into the repository";
            check(&["icon.png"], &ICON, text, Err((&message, hint)));
        };
        check(&["icon.png"], &ICON, "./icon.png", Ok("icon.png"));
        check(&["icon.png"], &ICON, "../repo/icon.png", Ok("icon.png"));
        check_rejected("../secret.png");
        check_rejected("..\\secret.png");
        #[cfg(unix)]
        check_rejected("link.png");
        check(
            &["a/b"],
            &ICON,
            "a",
            Err(("the icon `a` is not a file", "replace `a` with the path of a file")),
        );
        check(
            &["a/b"],
            &ICON,
            ".",
            Err(("the icon `.` is not a file", "replace `.` with the path of a file")),
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_backslash_separates_folders_unless_it_is_part_of_a_file_name() {
        check(&["assets/icon.png"], &ICON, "assets\\icon.png", Ok("assets/icon.png"));
        check(&["assets/icon.png"], &ICON, ".\\assets\\icon.png", Ok("assets/icon.png"));
        check(&["a/b.png", "a\\b.png"], &ICON, "a\\b.png", Ok("a\\b.png"));
        check(&["src/index.tsx"], &SCRIPT_TO_BUNDLE, "src\\index.tsx", Ok("src/index.tsx"));
        check(&["src/index.tsx"], &SCRIPT_TO_BUNDLE, "src\\index", Ok("src/index.tsx"));
        check(&["dist/main.js"], &BUILT_SCRIPT, "dist\\main.js", Ok("dist/main.js"));
        let hint = "did you mean `./src/index.tsx`?";
        let message = "could not read the script `src\\indx.tsx`: MISSING";
        check(&["src/index.tsx"], &SCRIPT_TO_BUNDLE, "src\\indx.tsx", Err((message, hint)));
    }

    #[test]
    fn adds_an_extension_only_to_paths_of_scripts_to_bundle() {
        check(&["main.ts"], &SCRIPT_TO_BUNDLE, "./main", Ok("main.ts"));
        let problem = ("could not read the script `./main`: MISSING", "did you mean `./main.ts`?");
        check(&["main.ts"], &BUILT_SCRIPT, "./main", Err(problem));
        check(&["icon.png"], &ICON, "icon.png", Ok("icon.png"));
        let problem = ("could not read the icon `icon`: MISSING", "did you mean `./icon.png`?");
        check(&["icon.png"], &ICON, "icon", Err(problem));
        check(
            &["src/main.ts"],
            &SCRIPT_TO_BUNDLE,
            "src",
            Err(("the script `src` is not a file", "replace `src` with the path of a file")),
        );
    }
}
