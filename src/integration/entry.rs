//! Completes the path of a script as esbuild, the bundler of the vendor's CLI, completes an entry point.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The extensions that the CLI has esbuild try, in this order.
const EXTENSIONS: [&str; 6] = ["tsx", "ts", "jsx", "js", "css", "json"];

/// The extensions of TypeScript sources for those of their output.
const SOURCES: [(&str, &[&str]); 4] =
    [("js", &["ts", "tsx"]), ("jsx", &["ts", "tsx"]), ("mjs", &["mts"]), ("cjs", &["cts"])];

/// Returns the file that `text` stands for: the file of that name, one with a further extension, the TypeScript source
/// of a `.js`, or the folder's `index`; `None` when there is none of them.
pub(super) fn complete(folder: &Path, text: &str) -> Option<PathBuf> {
    // Neither `.` parts nor a slash at the end.
    let path: PathBuf = folder.join(text).components().collect();
    // `.` must not become the file `hello.ts` beside the folder `hello`.
    let has_name = matches!(Path::new(text).components().next_back(), Some(Component::Normal(_)));
    let named = Some(path.clone()).filter(|path| path.is_file());
    named
        .or_else(|| extended(&path).filter(|_| has_name))
        .or_else(|| source(&path))
        .or_else(|| extended(&path.join("index")))
}

/// Returns the file with one of the extensions added.
fn extended(path: &Path) -> Option<PathBuf> {
    EXTENSIONS.iter().map(|extension| with_added(path, extension)).find(|path| path.is_file())
}

/// Adds an extension to those that the name has.
fn with_added(path: &Path, extension: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(extension);
    name.into()
}

/// Returns the TypeScript source in place of the output that is named.
fn source(path: &Path) -> Option<PathBuf> {
    let extension = path.extension()?;
    let (_, sources) = SOURCES.iter().find(|(output, _)| extension == *output)?;
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
    fn a_file_of_that_very_name_wins() {
        check(&["main", "main.ts"], "main", Some("main"));
        check(&["main.js", "main.ts"], "./main.js", Some("main.js"));
        check(&["main.js", "main.js.ts"], "main.js", Some("main.js"));
        check(&["src/main.ts"], "./src/../src/main.ts", Some("src/../src/main.ts"));
    }

    #[test]
    fn an_extension_is_added_in_the_bundlers_order() {
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
    fn output_stands_for_its_source() {
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
    fn a_folder_stands_for_its_index() {
        check(&["src/index.ts", "src/index.tsx"], "./src", Some("src/index.tsx"));
        check(&["src/index.js"], "./src/", Some("src/index.js"));
        check(&["index.ts"], ".", Some("index.ts"));
        check(&["src/index.ts", "src.js"], "src", Some("src.js"));
        check(&["src/index.mjs", "src/main.ts"], "src", None);
        // A file beside the folder of the manifest, called as the folder is.
        check(&["../hello.ts"], ".", None);
    }
}
