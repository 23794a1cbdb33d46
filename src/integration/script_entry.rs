//! Completes the path of a script by the rules of esbuild, which GitBook's CLI uses as its bundler.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The extensions that GitBook's CLI configures in esbuild, in order.
const EXTENSIONS: [&str; 6] = ["tsx", "ts", "jsx", "js", "css", "json"];

/// Pairs of a JavaScript extension and the extensions of its possible TypeScript sources.
const TYPESCRIPT_EXTENSIONS: [(&str, &[&str]); 4] =
    [("js", &["ts", "tsx"]), ("jsx", &["ts", "tsx"]), ("mjs", &["mts"]), ("cjs", &["cts"])];

/// Returns the entry file for `text`: the file itself, the file with an extension added, the TypeScript source of a `.js`
/// file, or the folder's `index`. Returns `None` if none of them exists.
pub(super) fn complete(folder: &Path, text: &str) -> Option<PathBuf> {
    // `components` omits `.` and a trailing slash.
    let path: PathBuf = folder.join(text).components().collect();
    // The path `.` means the folder. If the folder is `hello`, the path must not be completed to `../hello.ts`.
    let has_name = matches!(Path::new(text).components().next_back(), Some(Component::Normal(_)));
    let exact = Some(path.clone()).filter(|path| path.is_file());
    exact
        .or_else(|| with_any_extension(&path).filter(|_| has_name))
        .or_else(|| typescript_source(&path))
        .or_else(|| with_any_extension(&path.join("index")))
}

/// Appends each of the extensions to the path in turn, and returns the first path of an existing file.
fn with_any_extension(path: &Path) -> Option<PathBuf> {
    EXTENSIONS.iter().map(|extension| add_extension(path, extension)).find(|path| path.is_file())
}

/// Appends an extension. `main.js` becomes `main.js.ts`.
fn add_extension(path: &Path, extension: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(extension);
    name.into()
}

/// Returns the TypeScript file that a JavaScript path stands for, if the file exists.
fn typescript_source(path: &Path) -> Option<PathBuf> {
    let extension = path.extension()?;
    let (_, sources) = TYPESCRIPT_EXTENSIONS.iter().find(|(output, _)| extension == *output)?;
    sources.iter().map(|source| path.with_extension(source)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::complete;
    use crate::diagnostic::display_path;

    #[track_caller]
    fn check(files: &[&str], text: &str, expected: Option<&str>) {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("hello");
        std::fs::create_dir(&folder).unwrap();
        for file in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = complete(&folder, text).map(|path| display_path(path.strip_prefix(&folder).unwrap()));
        assert_eq!(found.as_deref(), expected, "{files:?} {text}");
    }

    #[test]
    fn an_existing_file_is_preferred_to_a_completed_path() {
        check(&["main", "main.ts"], "main", Some("main"));
        check(&["main.js", "main.ts"], "./main.js", Some("main.js"));
        check(&["main.js", "main.js.ts"], "main.js", Some("main.js"));
        check(&["src/main.ts"], "./src/../src/main.ts", Some("src/../src/main.ts"));
    }

    #[test]
    fn extensions_are_tried_in_the_bundlers_order() {
        let all = ["main.json", "main.css", "main.js", "main.jsx", "main.ts", "main.tsx"];
        for (count, name) in all.iter().enumerate() {
            check(&all[..=count], "./main", Some(name));
        }
        check(&["main.worker.ts"], "main.worker", Some("main.worker.ts"));
        check(&["main.js.ts", "main.ts"], "main.js", Some("main.js.ts"));
        check(&["main.ts"], "main/", Some("main.ts"));
        check(&["main.mjs", "main.mts", "main.cjs", "main.d"], "main", None);
        check(&["main.ts"], "mai", None);
    }

    #[test]
    fn a_javascript_path_is_completed_to_its_typescript_source() {
        check(&["main.ts", "main.tsx"], "main.js", Some("main.ts"));
        check(&["main.tsx"], "main.js", Some("main.tsx"));
        check(&["main.ts", "main.tsx"], "main.jsx", Some("main.ts"));
        check(&["main.mts"], "main.mjs", Some("main.mts"));
        check(&["main.cts"], "main.cjs", Some("main.cts"));
        check(&["main.ts"], "main.mjs", None);
        check(&["main.js"], "main.ts", None);
        check(&["main.mts"], "main.js", None);
    }

    #[test]
    fn a_folder_is_completed_to_its_index_file() {
        check(&["src/index.ts", "src/index.tsx"], "./src", Some("src/index.tsx"));
        check(&["src/index.js"], "./src/", Some("src/index.js"));
        check(&["index.ts"], ".", Some("index.ts"));
        check(&["src/index.ts", "src.js"], "src", Some("src.js"));
        check(&["src/index.mjs", "src/main.ts"], "src", None);
        // The manifest is in the folder `hello`, and `hello.ts` is beside this folder.
        check(&["../hello.ts"], ".", None);
    }
}
