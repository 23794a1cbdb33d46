//! Finds and reads the `tsconfig.json` for a source file. Follows the rules of esbuild, the bundler in `@gitbook/cli`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oxc_resolver::{ExtendsField, ResolveOptions, Resolver, TsConfig};

use super::devices::SpecialFileCheck;
use crate::diagnostic::{Diagnostic, SourceLocation, display_path};
use crate::integration::files;

/// The file names that esbuild searches for in each folder, in this order.
const FILE_NAMES: [&str; 2] = ["tsconfig.json", "jsconfig.json"];

/// The package that provides the JSX functions for a GitBook integration by default.
const DEFAULT_JSX_IMPORT_SOURCE: &str = "@gitbook/runtime";

/// The compiler options that affect a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CompilerOptions {
    jsx: Option<String>,
    jsx_factory: Option<String>,
    jsx_fragment_factory: Option<String>,
    jsx_import_source: Option<String>,
    target: Option<String>,
    use_define_for_class_fields: Option<bool>,
    keep_unused_imports: Option<bool>,
    base_url: Option<PathBuf>,
    paths: Option<Paths>,
}

/// The option `paths`: patterns of import specifiers with their targets, relative to `base`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Paths {
    base: PathBuf,
    targets: Vec<(String, Vec<String>)>,
}

/// The functions that the compiled code calls to create JSX elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Jsx {
    /// Functions that are in scope in the file.
    Classic { factory: String, fragment: String },
    /// Functions that are imported from a package.
    Automatic { import_source: String, is_development: bool },
}

impl CompilerOptions {
    /// Returns the functions that the compiled code calls to create JSX elements. Uses the defaults for unset options.
    pub(super) fn jsx(&self) -> Jsx {
        let or_default =
            |option: &Option<String>, default: &str| option.clone().unwrap_or_else(|| default.to_owned());
        match self.jsx.as_deref() {
            Some("react") => Jsx::Classic {
                factory: or_default(&self.jsx_factory, "React.createElement"),
                fragment: or_default(&self.jsx_fragment_factory, "React.Fragment"),
            },
            other => Jsx::Automatic {
                import_source: or_default(&self.jsx_import_source, DEFAULT_JSX_IMPORT_SOURCE),
                is_development: other == Some("react-jsxdev"),
            },
        }
    }

    /// Returns true if class fields are defined rather than assigned. By default, TypeScript defines class fields if the target
    /// is ES2022 or later.
    pub(super) fn defines_class_fields(&self) -> bool {
        self.use_define_for_class_fields.unwrap_or_else(|| {
            let target = self.target.as_deref().unwrap_or_default().to_ascii_lowercase();
            let year = target.strip_prefix("es").and_then(|year| year.parse::<u32>().ok());
            target == "esnext" || year.is_some_and(|year| year >= 2022)
        })
    }

    /// Returns true if the compiler keeps imports that a file does not use.
    pub(super) fn keeps_unused_imports(&self) -> bool {
        self.keep_unused_imports.unwrap_or(false)
    }

    /// Maps an import specifier with the options `paths` and `baseUrl`. Returns the possible paths in order of preference.
    pub(super) fn candidate_paths(&self, specifier: &str) -> Vec<PathBuf> {
        let mapped = self.paths.iter().flat_map(|paths| paths.candidate_paths(specifier));
        mapped.chain(self.base_url.iter().map(|base| base.join(specifier))).collect()
    }

    fn from_file(file: &TsConfig, folder: &Path) -> Self {
        let options = &file.compiler_options;
        let base_url = options.base_url.as_ref().map(|base| folder.join(base));
        let targets = |targets: &Vec<PathBuf>| {
            targets.iter().map(|target| target.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let paths = options.paths.as_ref().map(|paths| Paths {
            base: base_url.clone().unwrap_or_else(|| folder.to_owned()),
            targets: paths.iter().map(|(pattern, to)| (pattern.clone(), targets(to))).collect(),
        });
        let keeps_unused_values =
            options.imports_not_used_as_values.as_deref().map(|value| value != "remove");
        Self {
            jsx: options.jsx.clone(),
            jsx_factory: options.jsx_factory.clone(),
            jsx_fragment_factory: options.jsx_fragment_factory.clone(),
            jsx_import_source: options.jsx_import_source.clone(),
            target: options.target.clone(),
            use_define_for_class_fields: options.use_define_for_class_fields,
            // esbuild 0.17 ignores `verbatimModuleSyntax` for unused imports.
            keep_unused_imports: options.preserve_value_imports.or(keeps_unused_values),
            base_url,
            paths,
        }
    }

    /// Fills unset options with the options in `base`, which come from a file that this file extends.
    fn with_base(self, base: Self) -> Self {
        Self {
            jsx: self.jsx.or(base.jsx),
            jsx_factory: self.jsx_factory.or(base.jsx_factory),
            jsx_fragment_factory: self.jsx_fragment_factory.or(base.jsx_fragment_factory),
            jsx_import_source: self.jsx_import_source.or(base.jsx_import_source),
            target: self.target.or(base.target),
            use_define_for_class_fields: self
                .use_define_for_class_fields
                .or(base.use_define_for_class_fields),
            keep_unused_imports: self.keep_unused_imports.or(base.keep_unused_imports),
            base_url: self.base_url.or(base.base_url),
            paths: self.paths.or(base.paths),
        }
    }
}

#[cfg(test)]
impl CompilerOptions {
    /// Returns options for which class fields are defined rather than assigned.
    pub(super) fn with_defined_fields() -> Self {
        Self { use_define_for_class_fields: Some(true), ..Self::default() }
    }
}

impl Paths {
    /// Returns the target paths of the best matching pattern: an exact match if there is one, otherwise the pattern
    /// with the longest prefix before `*`.
    fn candidate_paths(&self, specifier: &str) -> Vec<PathBuf> {
        let exact = self.targets.iter().find(|(pattern, _)| pattern == specifier);
        if let Some((_, targets)) = exact {
            return targets.iter().map(|target| self.base.join(target)).collect();
        }
        let matching = self.targets.iter().filter_map(|(pattern, targets)| {
            let (prefix, suffix) = pattern.split_once('*')?;
            let matched = specifier.strip_prefix(prefix)?.strip_suffix(suffix)?;
            Some((prefix.len(), matched, targets))
        });
        // If several prefixes are equally long, `max_by_key` returns the last pattern. After `rev`, that is the first pattern.
        let best = matching.rev().max_by_key(|(length, ..)| *length);
        let (_, matched, targets) = match best {
            Some(best) => best,
            None => return Vec::new(),
        };
        targets.iter().map(|target| self.base.join(target.replacen('*', matched, 1))).collect()
    }
}

/// A reader for the `tsconfig.json` files of one repository. It caches the options of each folder.
#[derive(Debug)]
pub(super) struct TsconfigFiles {
    root: PathBuf,
    by_folder: Mutex<HashMap<PathBuf, Arc<CompilerOptions>>>,
    problems: Mutex<Vec<Diagnostic>>,
    resolver: Resolver,
    devices: SpecialFileCheck,
}

impl TsconfigFiles {
    /// Creates the reader for the repository at `root`. Files are read on demand.
    pub(super) fn new(root: &Path) -> Self {
        let to_strings = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let resolver = Resolver::new(ResolveOptions {
            extensions: to_strings(&[".json"]),
            main_fields: to_strings(&["tsconfig"]),
            main_files: to_strings(&["tsconfig"]),
            condition_names: to_strings(&["node", "require"]),
            ..ResolveOptions::default()
        });
        let (root, devices) = (root.to_owned(), SpecialFileCheck::default());
        Self { root, by_folder: Mutex::default(), problems: Mutex::default(), resolver, devices }
    }

    /// Returns the compiler options for a file from the nearest `tsconfig.json` in the repository. Files in packages get
    /// the default options.
    pub(super) fn options(&self, file: &Path) -> Arc<CompilerOptions> {
        let folder = file.parent().unwrap_or(file);
        if !folder.starts_with(&self.root) || folder.iter().any(|component| component == "node_modules") {
            return Arc::default();
        }
        // Hold the lock while reading a `tsconfig.json`, so that its problems are reported only once.
        let mut by_folder = self.by_folder.lock().unwrap_or_else(PoisonError::into_inner);
        let folders = folder.ancestors().take_while(|folder| folder.starts_with(&self.root));
        let mut visited = Vec::new();
        let known = folders.into_iter().find_map(|folder| {
            visited.push(folder.to_owned());
            let known = by_folder.get(folder).map(Arc::clone);
            known.or_else(|| {
                let path =
                    FILE_NAMES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file())?;
                Some(Arc::new(self.read_with_bases(&path, &mut Vec::new())))
            })
        });
        let options = known.unwrap_or_default();
        by_folder.extend(visited.into_iter().map(|folder| (folder, Arc::clone(&options))));
        options
    }

    /// Removes and returns the problems in all `tsconfig.json` files that have been read.
    pub(super) fn take_problems(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.problems.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads a `tsconfig.json` and the files that it extends. `extending_files` are the files whose `extends` led to this file.
    /// Like esbuild, reports a missing extended file as a warning.
    fn read_with_bases(&self, path: &Path, extending_files: &mut Vec<PathBuf>) -> CompilerOptions {
        let file = match parse_tsconfig(path, &self.root) {
            Ok(file) => file,
            Err(problem) => {
                self.report(*problem);
                return CompilerOptions::default();
            }
        };
        let folder = path.parent().unwrap_or(path);
        let mut options = CompilerOptions::from_file(&file, folder);
        let bases = match &file.extends {
            None => &[][..],
            Some(ExtendsField::Single(base)) => std::slice::from_ref(base),
            Some(ExtendsField::Multiple(bases)) => bases,
        };
        extending_files.push(path.to_owned());
        // Later entries in `extends` take precedence over earlier ones.
        for base in bases.iter().rev() {
            match self.resolve_extended_file(base, folder) {
                Some(extended) if extending_files.contains(&extended) => {
                    let message = format!("`extends` is circular: `{base}` leads back to this file");
                    let hint = "remove this entry of `extends`".to_owned();
                    self.report(Diagnostic::warning(SourceLocation::file(path), message).with_hint(hint));
                }
                Some(extended) => {
                    options = options.with_base(self.read_with_bases(&extended, extending_files));
                }
                None => {
                    let message = format!("`{base}` in `extends` does not exist; its options are ignored");
                    let hint = "correct the path, or install the package that contains the file".to_owned();
                    self.report(Diagnostic::warning(SourceLocation::file(path), message).with_hint(hint));
                }
            }
        }
        extending_files.pop();
        options
    }

    /// Resolves a value of `extends`: a path with or without `.json`, or a file in a package.
    fn resolve_extended_file(&self, specifier: &str, folder: &Path) -> Option<PathBuf> {
        let is_path = specifier.starts_with('.') || Path::new(specifier).is_absolute();
        if is_path {
            let path = folder.join(specifier);
            let with_extension = PathBuf::from(format!("{}.json", path.display()));
            let file = [path, with_extension].into_iter().find(|path| path.is_file())?;
            return dunce::canonicalize(file).ok();
        }
        self.devices.check(specifier, folder).ok()?;
        self.resolver.resolve(folder, specifier).ok().map(oxc_resolver::Resolution::into_path_buf)
    }

    fn report(&self, problem: Diagnostic) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }
}

fn parse_tsconfig(path: &Path, root: &Path) -> Result<TsConfig, Box<Diagnostic>> {
    let location = SourceLocation::file(path);
    let text =
        files::read_text(path, |path| files::is_repository_or_package_file(path, root)).map_err(|error| {
            let hint = "use a UTF-8 text file that the user of this process may read".to_owned();
            let message = format!("could not read the file: {error}");
            Box::new(Diagnostic::error(location.clone(), message).with_hint(hint))
        })?;
    let location = location.with_text(&text);
    TsConfig::parse(true, path, path, text).map_err(|error| {
        let location = location.at(error.line(), error.column().max(1));
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let name = display_path(Path::new(path.file_name().unwrap_or_default()));
        let hint = "correct the syntax; comments and trailing commas are allowed".to_owned();
        Box::new(Diagnostic::error(location, format!("`{name}` is not valid: {message}")).with_hint(hint))
    })
}
