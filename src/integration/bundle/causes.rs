//! Finds out why an import cannot be resolved.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::integration::files;

/// The reason why an import cannot be resolved.
pub(super) enum Cause {
    /// One reason for many imports, with a place of its own.
    Elsewhere(Diagnostic),
    /// A reason at the import.
    Here { message: Option<String>, hint: String },
}

/// A file name, the command that installs packages, and the start of the one that builds a package of the repository.
type Lockfile = (&'static str, &'static str, &'static str);

/// Lockfiles, with the commands that install from them and build a package of the repository.
const LOCKFILES: [Lockfile; 7] = [
    ("package-lock.json", "npm ci", "npm run build --workspace"),
    ("npm-shrinkwrap.json", "npm ci", "npm run build --workspace"),
    ("pnpm-lock.yaml", "pnpm install --frozen-lockfile", "pnpm run build --filter"),
    ("yarn.lock", "yarn install --immutable", "yarn workspace"),
    ("bun.lock", "bun install --frozen-lockfile", "bun run --filter"),
    ("bun.lockb", "bun install --frozen-lockfile", "bun run --filter"),
    ("package.json", "npm install", "npm run build --workspace"),
];

/// Explains an import in a file of the repository at `root`.
pub(super) fn explain(specifier: &str, importer: &Path, root: &Path) -> Cause {
    let here = |message: Option<String>, hint: &str| Cause::Here { message, hint: hint.to_owned() };
    if specifier.starts_with('.') || Path::new(specifier).is_absolute() {
        return here(None, "check the path; a file that a build writes must be there before this step");
    }
    let name = package_name(specifier);
    if nodejs_built_in_modules::is_nodejs_builtin_module(specifier) {
        let hint = format!("import Node's own module as `node:{specifier}`");
        return Cause::Here { message: None, hint };
    }
    let installed = importer.ancestors().skip(1).map(|folder| folder.join("node_modules").join(&name));
    match installed.into_iter().find(|folder| folder.is_dir()) {
        Some(folder) => incomplete(specifier, &name, &folder, root),
        None => not_installed(&name, importer, root),
    }
}

/// Explains an import of a package that is there.
fn incomplete(specifier: &str, name: &str, folder: &Path, root: &Path) -> Cause {
    let folder = dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let file = folder.join("package.json");
    let package = match read_json(&file, root) {
        Ok(package) => package,
        Err(broken) => return Cause::Elsewhere(*broken),
    };
    let is_own = folder.starts_with(root) && !folder.iter().any(|part| part == "node_modules");
    let targets = if specifier == name {
        targets(&package)
    } else {
        subpath_targets(&package, &specifier[name.len()..])
    };
    let missing = targets.into_iter().find(|target| !target.contains('*') && !folder.join(target).exists());
    match missing {
        Some(missing) if is_own => {
            let message = format!("the workspace package `{name}` is not built: it has no `{missing}`");
            let command = lockfile(&folder, root).map_or("npm run build --workspace", |(_, row)| row.2);
            let command = match command {
                "yarn workspace" => format!("yarn workspace {name} run build"),
                "bun run --filter" => format!("bun run --filter {name} build"),
                "pnpm run build --filter" => format!("pnpm --filter {name} run build"),
                other => format!("{other} {name}"),
            };
            let has_script = package["scripts"]["build"].is_string();
            let hint = if has_script {
                format!("run its `build` script before this step: `{command}`")
            } else {
                "build it before this step, or point its `main` or `exports` at files that exist".to_owned()
            };
            Cause::Elsewhere(Diagnostic::error(SourceLocation::file(file), message).hint(hint))
        }
        Some(missing) => Cause::Here {
            message: Some(format!("the package `{name}` has no `{missing}`, which its `package.json` names")),
            hint: "install the package again; a package that builds itself on installation needs its scripts"
                .to_owned(),
        },
        None => Cause::Here {
            message: None,
            hint: format!("check the path: the package `{name}` is installed, but does not offer this"),
        },
    }
}

/// Explains an import of a package that is not there.
fn not_installed(name: &str, importer: &Path, root: &Path) -> Cause {
    let Some((folder, (file, install, _))) = lockfile(importer, root) else {
        return Cause::Here {
            message: None,
            hint: format!(
                "check the name; the package `{name}` is not installed, and there is no `package.json`"
            ),
        };
    };
    let is_pnp = folder.join(".pnp.cjs").is_file();
    if !is_pnp && !folder.join("node_modules").is_dir() {
        let message = format!("packages are not installed: there is no `node_modules` beside `{file}`");
        let hint = format!("run `{install}` before this step");
        return Cause::Elsewhere(
            Diagnostic::error(SourceLocation::file(folder.join(file)), message).hint(hint),
        );
    }
    Cause::Here {
        message: None,
        hint: format!(
            "add `{name}` to the dependencies in `package.json`, and run `{install}` before this step"
        ),
    }
}

/// Returns the nearest folder with a lockfile, else with a `package.json`, and the file's row.
fn lockfile(from: &Path, root: &Path) -> Option<(PathBuf, Lockfile)> {
    let folders: Vec<_> = from.ancestors().skip(1).take_while(|folder| folder.starts_with(root)).collect();
    let nearest = |is_wanted: fn(&Lockfile) -> bool| {
        folders.iter().find_map(|folder| {
            let mut rows = LOCKFILES.iter().filter(|row| is_wanted(row));
            let row = rows.find(|(file, ..)| folder.join(file).is_file())?;
            Some(((*folder).to_owned(), *row))
        })
    };
    nearest(|(file, ..)| *file != "package.json").or_else(|| nearest(|(file, ..)| *file == "package.json"))
}

/// Returns the name of the package that a specifier starts with.
fn package_name(specifier: &str) -> String {
    let count = if specifier.starts_with('@') { 2 } else { 1 };
    specifier.split('/').take(count).collect::<Vec<_>>().join("/")
}

/// Returns the files that an import of a package's name may lead to.
fn targets(package: &serde_json::Value) -> Vec<String> {
    let mut targets = subpath_targets(package, "");
    if targets.is_empty() {
        let fields = ["worker", "browser", "module", "jsnext", "main"];
        targets.extend(fields.iter().find_map(|field| package[*field].as_str()).map(str::to_owned));
    }
    targets
}

/// Returns the files that `exports` gives for a path in a package.
fn subpath_targets(package: &serde_json::Value, subpath: &str) -> Vec<String> {
    let exports = &package["exports"];
    let has_paths = exports.as_object().is_some_and(|map| map.keys().any(|key| key.starts_with('.')));
    let entry = if has_paths { &exports[format!(".{subpath}")] } else { exports };
    let mut targets = Vec::new();
    strings(entry, &mut targets);
    targets
}

fn strings(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        serde_json::Value::Object(map) => {
            let conditions = ["worker", "browser", "import", "require", "production", "default"];
            let wanted = map.iter().filter(|(key, _)| conditions.contains(&key.as_str()));
            wanted.for_each(|(_, value)| strings(value, found));
        }
        _ => {}
    }
}

/// Returns the first `package.json` above a script, up to the repository's root, that is no JSON.
pub(super) fn broken_package_json(script: &Path, root: &Path) -> Option<Diagnostic> {
    let folders = script.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    let mut files = folders.map(|folder| folder.join("package.json")).filter(|file| file.is_file());
    files.find_map(|file| read_json(&file, root).err()).map(|problem| *problem)
}

fn read_json(file: &Path, root: &Path) -> Result<serde_json::Value, Box<Diagnostic>> {
    let text = files::read_text(file, |path| files::is_module(path, root));
    let text = text.unwrap_or_else(|_| "{}".to_owned());
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let place = SourceLocation::file(file).with_text(text).at(error.line().max(1), error.column().max(1));
        let hint = "correct the file; a merge conflict may be left in it".to_owned();
        Box::new(Diagnostic::error(place, format!("`package.json` is not valid JSON: {message}")).hint(hint))
    })
}
