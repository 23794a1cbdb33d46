//! Suggests a file for a misspelled path in a manifest.

use std::path::{Component, Path, PathBuf};

use super::file_kind::FileKind;
use super::walk::walk;
use crate::diagnostic::{display_path, most_similar_name};

/// The number of folder levels to search below the manifest.
const MAX_DEPTH: usize = 4;

/// Returns the file with the path most similar to the misspelled path `text`, as a path relative to the manifest. First searches
/// the folder in `text`, then the folders below the manifest's folder. Considers only files in the repository with an extension of
/// `kind`.
pub(super) fn most_similar_file(root: &Path, folder: &Path, text: &str, kind: &FileKind) -> Option<String> {
    let misspelled = PathBuf::from(text.replace('\\', "/"));
    most_similar_in_same_folder(root, folder, &misspelled, kind)
        .or_else(|| most_similar_below(folder, &misspelled, kind))
}

fn most_similar_in_same_folder(
    root: &Path,
    folder: &Path,
    misspelled: &Path,
    kind: &FileKind,
) -> Option<String> {
    let parent = dunce::canonicalize(folder.join(misspelled).parent()?).ok()?;
    let entries = std::fs::read_dir(parent).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let files = entries.filter(|path| path.starts_with(root) && is_candidate(path, kind));
    let names: Vec<_> = files.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
    let name = most_similar_name(misspelled.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(with_leading_dot(&misspelled.with_file_name(name)))
}

fn most_similar_below(folder: &Path, misspelled: &Path, kind: &FileKind) -> Option<String> {
    let entries = walk(folder, |entry| entry.depth() <= MAX_DEPTH).ok()?.into_iter();
    let files = entries.map(ignore::DirEntry::into_path).filter(|path| is_candidate(path, kind));
    let paths: Vec<_> =
        files.filter_map(|path| Some(display_path(path.strip_prefix(folder).ok()?))).collect();
    let paths = || paths.iter().map(String::as_str);
    let name = |path| Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path);
    let path_with_similar_path = || most_similar_name(&without_dot_components(misspelled), paths());
    let path_with_similar_name = || {
        let near = most_similar_name(misspelled.file_name()?.to_str()?, paths().map(name))?;
        paths().filter(|path| name(path) == near).min_by_key(|path| path.len())
    };
    path_with_similar_path().or_else(path_with_similar_name).map(|path| with_leading_dot(Path::new(path)))
}

fn is_candidate(path: &Path, kind: &FileKind) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| kind.extensions.contains(&extension)) && path.is_file()
}

/// Removes the components `.` from a path, and uses `/` as the separator.
fn without_dot_components(path: &Path) -> String {
    display_path(&path.components().filter(|component| *component != Component::CurDir).collect::<PathBuf>())
}

/// Adds `./` to a path, as is common in manifests.
fn with_leading_dot(path: &Path) -> String {
    let path = without_dot_components(path);
    if path.starts_with("../") { path } else { format!("./{path}") }
}

#[cfg(test)]
mod tests {
    use super::most_similar_file;
    use crate::integration::file_kind::{FileKind, SCRIPT_TO_BUNDLE};

    /// Checks the suggestion for a path in the manifest of the folder `repo/hello`.
    #[track_caller]
    fn check(files: &[&str], text: &str, expected: Option<&str>) {
        check_kind(files, &SCRIPT_TO_BUNDLE, text, expected);
    }

    #[track_caller]
    fn check_kind(files: &[&str], kind: &FileKind, text: &str, expected: Option<&str>) {
        let temp = tempfile::tempdir().unwrap();
        let base = dunce::canonicalize(temp.path()).unwrap();
        let (root, folder) = (base.join("repo"), base.join("repo/hello"));
        std::fs::create_dir_all(&folder).unwrap();
        for file in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        assert_eq!(most_similar_file(&root, &folder, text, kind).as_deref(), expected, "{files:?} {text}");
    }

    #[test]
    fn a_file_in_the_same_folder_comes_first() {
        check(&["src/index.tsx", "index.tsx"], "src/indx.ts", Some("./src/index.tsx"));
        check(&["src/index.tsx"], "./src/Index.tsx", Some("./src/index.tsx"));
        check(&["src/index.mjs"], "./src/index", Some("./src/index.mjs"));
        check(&["../shared/index.ts"], "../shared/idnex.ts", Some("../shared/index.ts"));
    }

    #[test]
    fn files_in_other_folders_are_found_by_path_or_name() {
        check(&["src/index.ts"], "./scr/index.ts", Some("./src/index.ts"));
        check(&["src/index.ts"], "index.ts", Some("./src/index.ts"));
        check(&["packages/app/worker/main.ts"], "main.ts", Some("./packages/app/worker/main.ts"));
        check(&["x/y/long/main.ts", "worker/dir/main.ts"], "main.ts", Some("./x/y/long/main.ts"));
    }

    #[test]
    fn a_file_of_another_kind_or_name_is_not_suggested() {
        let icon = FileKind { label: "the icon", completes_path: false, extensions: &["png"] };
        let files = ["icon.jpg", "assets/icon.png", "icon.ts"];
        check_kind(&files, &icon, "icon.png", Some("./assets/icon.png"));
        check(&["README.md", "package.json", "index.d"], "index.ts", None);
        check(&["server.ts"], "index.ts", None);
        check(&["node_modules/x/index.ts", "a/b/c/d/e/index.ts"], "index.ts", None);
        check(&[], "index.ts", None);
    }

    #[test]
    fn files_outside_the_repository_are_not_suggested() {
        check(&["../../index.ts"], "../../indx.ts", None);
        check(&["../../index.ts"], "../../../x/../index.tss", None);
    }
}
