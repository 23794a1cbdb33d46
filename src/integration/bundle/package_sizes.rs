//! Estimates the share of each package in a bundled script.

use std::collections::BTreeMap;
use std::path::Path;

/// The size of one package in a script.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct PackageSize {
    /// The name of the package; `None` for the repository's own files.
    pub package: Option<String>,
    /// The estimated number of bytes in the script.
    pub bytes: usize,
}

/// Divides the bytes of a script among its packages. Returns the largest package first.
///
/// Module lengths are known only before minification. The bytes are divided in proportion to these lengths, so the
/// estimate is too high for packages that minification shrinks more than others.
pub(super) fn package_sizes<'a>(
    modules: impl Iterator<Item = (&'a Path, usize)>,
    script_bytes: usize,
) -> Vec<PackageSize> {
    let mut lengths = BTreeMap::<_, usize>::new();
    // Leave out the bundler's helper modules, which have no path and only a few lines.
    for (path, length) in modules.filter(|(path, length)| path.is_absolute() && *length > 0) {
        *lengths.entry(package_of(path)).or_default() += length;
    }
    let total_length: usize = lengths.values().sum();
    let (mut length_so_far, mut bytes_so_far) = (0, 0);
    let mut sizes: Vec<_> = lengths
        .into_iter()
        .map(|(package, length)| {
            length_so_far += length;
            let end = scaled_length(length_so_far, script_bytes, total_length);
            PackageSize { package, bytes: end - std::mem::replace(&mut bytes_so_far, end) }
        })
        .collect();
    sizes.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.package.cmp(&b.package)));
    sizes
}

/// Returns `length * script_bytes / total_length` without overflow. The caller passes running totals as `length`, so that the
/// rounded sizes add up to `script_bytes`.
fn scaled_length(length: usize, script_bytes: usize, total_length: usize) -> usize {
    let product = length as u128 * script_bytes as u128;
    usize::try_from(product / total_length.max(1) as u128).unwrap_or(script_bytes)
}

/// Returns the name of the innermost package that contains a module.
fn package_of(module: &Path) -> Option<String> {
    let folders: Vec<_> = module.parent()?.iter().map(|folder| folder.to_string_lossy()).collect();
    let modules = folders.iter().rposition(|folder| folder == "node_modules")?;
    let file = || module.file_name().unwrap_or_default().to_string_lossy();
    match &folders[modules + 1..] {
        // A package can be a single file.
        [] => Some(file().into_owned()),
        [scope] if scope.starts_with('@') => Some(format!("{scope}/{}", file())),
        [scope, name, ..] if scope.starts_with('@') => Some(format!("{scope}/{name}")),
        [name, ..] => Some(name.clone().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{package_of, package_sizes};

    /// Returns an absolute path. Windows paths need a drive letter.
    fn absolute(path: &str) -> PathBuf {
        Path::new(if cfg!(windows) { "C:\\" } else { "/" }).join(path)
    }

    fn sizes_of(modules: &[(&str, usize)], script_bytes: usize) -> Vec<(String, usize)> {
        let modules: Vec<_> = modules.iter().map(|(path, length)| (absolute(path), *length)).collect();
        let sizes = package_sizes(modules.iter().map(|(path, length)| (&**path, *length)), script_bytes);
        let name = |package: Option<String>| package.unwrap_or_else(|| "own".to_owned());
        sizes.into_iter().map(|size| (name(size.package), size.bytes)).collect()
    }

    #[test]
    fn assigns_a_module_to_the_innermost_package() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(package_of(&absolute(path)).as_deref(), expected, "{path}");
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
    fn sizes_add_up_to_the_size_of_the_script() {
        let modules = [("r/a.ts", 100), ("r/b.ts", 50), ("r/node_modules/x/i.js", 600), ("r/empty.ts", 0)];
        let owned = |(name, bytes): (&str, usize)| (name.to_owned(), bytes);
        assert_eq!(sizes_of(&modules, 75), [("x", 60), ("own", 15)].map(owned));
        for script_bytes in [0, 1, 7, 74, 749, 1 << 40] {
            let sizes = sizes_of(&modules, script_bytes);
            assert_eq!(sizes.iter().map(|(_, bytes)| bytes).sum::<usize>(), script_bytes);
        }
    }

    #[test]
    fn returns_no_sizes_if_no_module_has_code() {
        assert_eq!(sizes_of(&[], 10), []);
        assert_eq!(package_sizes([(Path::new("\0runtime.js"), 300)].into_iter(), 10), []);
        assert_eq!(sizes_of(&[("r/a.ts", 0)], 10), []);
    }
}
