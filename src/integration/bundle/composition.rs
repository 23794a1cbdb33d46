//! What a bundle is made of: which part of it is whose.

use std::collections::BTreeMap;
use std::path::Path;

/// What a script holds of one package, or of the repository's own source.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Part {
    /// The package; none for the repository's own source.
    pub package: Option<String>,
    /// About how many bytes of the script are of it.
    pub bytes: usize,
}

/// Divides a script's bytes among those whose modules are in it, the largest part first.
///
/// Modules are as long as they are before the whole is minified, when nobody can tell them apart any more. So the parts
/// are shares by these lengths: packages that shrink more than others are shown too large.
pub(super) fn parts<'a>(modules: impl Iterator<Item = (&'a Path, usize)>, script_bytes: usize) -> Vec<Part> {
    let mut lengths = BTreeMap::<_, usize>::new();
    // The bundler's own modules have no path. They are a few lines that hold the others together.
    for (path, length) in modules.filter(|(path, length)| path.is_absolute() && *length > 0) {
        *lengths.entry(package(path)).or_default() += length;
    }
    let total: usize = lengths.values().sum();
    let (mut up_to, mut given) = (0, 0);
    let mut parts: Vec<_> = lengths
        .into_iter()
        .map(|(package, length)| {
            up_to += length;
            let end = scaled(up_to, script_bytes, total);
            Part { package, bytes: end - std::mem::replace(&mut given, end) }
        })
        .collect();
    parts.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.package.cmp(&b.package)));
    parts
}

/// `length * script_bytes / total`, without an overflow: rounding running sums has the parts add up to the whole.
fn scaled(length: usize, script_bytes: usize, total: usize) -> usize {
    let product = length as u128 * script_bytes as u128;
    usize::try_from(product / total.max(1) as u128).unwrap_or(script_bytes)
}

/// The package that a module is of: the innermost, since packages hold others.
fn package(module: &Path) -> Option<String> {
    let folders: Vec<_> = module.parent()?.iter().map(|folder| folder.to_string_lossy()).collect();
    let modules = folders.iter().rposition(|folder| folder == "node_modules")?;
    let file = || module.file_name().unwrap_or_default().to_string_lossy();
    match &folders[modules + 1..] {
        // A package may be one file.
        [] => Some(file().into_owned()),
        [scope] if scope.starts_with('@') => Some(format!("{scope}/{}", file())),
        [scope, name, ..] if scope.starts_with('@') => Some(format!("{scope}/{name}")),
        [name, ..] => Some(name.clone().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{package, parts};

    /// The root of a file system, which on Windows has a letter.
    fn absolute(path: &str) -> PathBuf {
        Path::new(if cfg!(windows) { "C:\\" } else { "/" }).join(path)
    }

    fn of(modules: &[(&str, usize)], script_bytes: usize) -> Vec<(String, usize)> {
        let modules: Vec<_> = modules.iter().map(|(path, length)| (absolute(path), *length)).collect();
        let parts = parts(modules.iter().map(|(path, length)| (&**path, *length)), script_bytes);
        let name = |package: Option<String>| package.unwrap_or_else(|| "own".to_owned());
        parts.into_iter().map(|part| (name(part.package), part.bytes)).collect()
    }

    #[test]
    fn a_module_is_of_the_innermost_package() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(package(&absolute(path)).as_deref(), expected, "{path}");
        };
        check("r/src/index.ts", None);
        check("r/node_modules/lodash/a/b.js", Some("lodash"));
        check("r/node_modules/@acme/ui/a.js", Some("@acme/ui"));
        check("r/node_modules/a/node_modules/@b/c/d.js", Some("@b/c"));
        check("r/node_modules/.pnpm/a@1.0.0/node_modules/a/index.js", Some("a"));
        check("r/node_modules/one.js", Some("one.js"));
        check("r/node_modules/@acme/one.js", Some("@acme/one.js"));
        check("r/src/node_modules", None);
    }

    #[test]
    fn parts_add_up_to_the_script() {
        let modules = [("r/a.ts", 100), ("r/b.ts", 50), ("r/node_modules/x/i.js", 600), ("r/empty.ts", 0)];
        let owned = |(name, bytes): (&str, usize)| (name.to_owned(), bytes);
        assert_eq!(of(&modules, 75), [("x", 60), ("own", 15)].map(owned));
        for script_bytes in [0, 1, 7, 74, 749, 1 << 40] {
            let parts = of(&modules, script_bytes);
            assert_eq!(parts.iter().map(|(_, bytes)| bytes).sum::<usize>(), script_bytes);
        }
    }

    #[test]
    fn what_has_no_modules_has_no_parts() {
        assert_eq!(of(&[], 10), []);
        assert_eq!(parts([(Path::new("\0runtime.js"), 300)].into_iter(), 10), []);
        assert_eq!(of(&[("r/a.ts", 0)], 10), []);
    }
}
