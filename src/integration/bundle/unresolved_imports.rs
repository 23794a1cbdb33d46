//! Finds the cause of an unresolved import and a hint for the user.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::integration::files;

/// The explanation of an unresolved import.
pub(super) enum Explanation {
    /// One diagnostic that replaces the errors at all imports with the same cause.
    SharedCause(Diagnostic),
    /// The reason and the hint for an error at the import itself.
    PerImport { reason: String, hint: String },
}

/// A file that identifies a package manager, and that package manager's commands.
#[derive(Clone, Copy)]
struct Lockfile {
    name: &'static str,
    install_command: &'static str,
    /// The command that builds a workspace package, with `{}` in place of the package name.
    build_command: &'static str,
}

impl Lockfile {
    const fn new(name: &'static str, install_command: &'static str, build_command: &'static str) -> Self {
        Self { name, install_command, build_command }
    }
}

/// The npm command that builds a workspace package.
const NPM_BUILD: &str = "npm run build --workspace {}";

/// The known lockfiles. A `package.json` without a lockfile implies npm.
const LOCKFILES: [Lockfile; 7] = [
    Lockfile::new("package-lock.json", "npm ci", NPM_BUILD),
    Lockfile::new("npm-shrinkwrap.json", "npm ci", NPM_BUILD),
    Lockfile::new("pnpm-lock.yaml", "pnpm install --frozen-lockfile", "pnpm --filter {} run build"),
    Lockfile::new("yarn.lock", "yarn install --immutable", "yarn workspace {} run build"),
    Lockfile::new("bun.lock", "bun install --frozen-lockfile", "bun run --filter {} build"),
    Lockfile::new("bun.lockb", "bun install --frozen-lockfile", "bun run --filter {} build"),
    Lockfile::new("package.json", "npm install", NPM_BUILD),
];

/// Explains why `specifier` cannot be resolved in the file `importer` of the repository at `root`.
pub(super) fn explain(specifier: &str, importer: &Path, root: &Path) -> Explanation {
    if specifier.starts_with('.') || Path::new(specifier).is_absolute() {
        let hint = "check the path; if a build creates the file, run the build before this step";
        return Explanation::PerImport { reason: "no such file".to_owned(), hint: hint.to_owned() };
    }
    let name = package_name(specifier);
    if nodejs_built_in_modules::is_nodejs_builtin_module(specifier) {
        let reason = "Node's built-in modules need the prefix `node:`".to_owned();
        return Explanation::PerImport { reason, hint: format!("import `node:{specifier}` instead") };
    }
    let installed = importer.ancestors().skip(1).map(|folder| folder.join("node_modules").join(&name));
    match installed.into_iter().find(|folder| folder.is_dir()) {
        Some(folder) => explain_installed_package(specifier, &name, &folder, root),
        None => explain_missing_package(&name, importer, root),
    }
}

/// Explains an unresolved import from an installed package.
fn explain_installed_package(specifier: &str, name: &str, folder: &Path, root: &Path) -> Explanation {
    let folder = dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let file = folder.join("package.json");
    let package = match read_package_json(&file, root) {
        Ok(package) => package,
        Err(broken) => return Explanation::SharedCause(*broken),
    };
    let is_workspace_package =
        folder.starts_with(root) && !folder.iter().any(|component| component == "node_modules");
    let targets = if specifier == name {
        package_entry_files(&package)
    } else {
        exported_files(&package, &specifier[name.len()..])
    };
    let missing = targets.into_iter().find(|target| !target.contains('*') && !folder.join(target).exists());
    match missing {
        Some(missing) if is_workspace_package => {
            let message = format!("the workspace package `{name}` is not built: it has no file `{missing}`");
            let command =
                nearest_lockfile(&folder, root).map_or(NPM_BUILD, |(_, lockfile)| lockfile.build_command);
            let command = command.replace("{}", name);
            let has_build_script = package["scripts"]["build"].is_string();
            let hint = if has_build_script {
                format!("run `{command}` before this step")
            } else {
                "build the package before this step, or set its `main` or `exports` to existing files"
                    .to_owned()
            };
            Explanation::SharedCause(Diagnostic::error(SourceLocation::file(file), message).with_hint(hint))
        }
        Some(missing) => Explanation::PerImport {
            reason: format!("the file `{missing}` is missing in the package `{name}`"),
            hint: "reinstall the package; enable install scripts if it builds itself during installation"
                .to_owned(),
        },
        None => Explanation::PerImport {
            reason: format!("the package `{name}` does not export this path"),
            hint: "check the import path; the package itself is installed".to_owned(),
        },
    }
}

/// Explains an import of a package that is not installed.
fn explain_missing_package(name: &str, importer: &Path, root: &Path) -> Explanation {
    let reason = format!("the package `{name}` is not installed");
    let Some((folder, Lockfile { name: file, install_command, .. })) = nearest_lockfile(importer, root)
    else {
        return Explanation::PerImport {
            reason,
            hint: format!(
                "check the name, or add a `package.json` with `{name}` as a dependency and install it before this step"
            ),
        };
    };
    let is_plug_and_play = folder.join(".pnp.cjs").is_file();
    if !is_plug_and_play && !folder.join("node_modules").is_dir() {
        let message =
            format!("packages are not installed: there is no `node_modules` folder next to `{file}`");
        let hint = format!("run `{install_command}` before this step");
        return Explanation::SharedCause(
            Diagnostic::error(SourceLocation::file(folder.join(file)), message).with_hint(hint),
        );
    }
    Explanation::PerImport {
        reason,
        hint: format!(
            "add `{name}` to `dependencies` in `package.json`, and run `{install_command}` before this step"
        ),
    }
}

/// Returns the nearest lockfile in the folders that contain `path`, together with its folder. If there is no lockfile, returns
/// the nearest `package.json`.
fn nearest_lockfile(path: &Path, root: &Path) -> Option<(PathBuf, Lockfile)> {
    let folders: Vec<_> = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)).collect();
    let find_nearest = |is_candidate: fn(&Lockfile) -> bool| {
        folders.iter().find_map(|folder| {
            let mut candidates = LOCKFILES.iter().filter(|lockfile| is_candidate(lockfile));
            let lockfile = candidates.find(|lockfile| folder.join(lockfile.name).is_file())?;
            Some(((*folder).to_owned(), *lockfile))
        })
    };
    let lockfile = find_nearest(|lockfile| lockfile.name != "package.json");
    lockfile.or_else(|| find_nearest(|lockfile| lockfile.name == "package.json"))
}

/// Returns the package name at the start of an import specifier.
fn package_name(specifier: &str) -> String {
    let count = if specifier.starts_with('@') { 2 } else { 1 };
    specifier.split('/').take(count).collect::<Vec<_>>().join("/")
}

/// Returns the files to which an import of a package without a subpath can resolve.
fn package_entry_files(package: &serde_json::Value) -> Vec<String> {
    let mut targets = exported_files(package, "");
    if targets.is_empty() {
        let fields = ["worker", "browser", "module", "jsnext", "main"];
        targets.extend(fields.iter().find_map(|field| package[*field].as_str()).map(str::to_owned));
    }
    targets
}

/// Returns the files that `exports` in a `package.json` lists for a subpath. The empty subpath is the package itself.
fn exported_files(package: &serde_json::Value, subpath: &str) -> Vec<String> {
    let exports = &package["exports"];
    let has_paths = exports.as_object().is_some_and(|map| map.keys().any(|key| key.starts_with('.')));
    let entry = if has_paths { &exports[format!(".{subpath}")] } else { exports };
    let mut targets = Vec::new();
    collect_targets(entry, &mut targets);
    targets
}

fn collect_targets(value: &serde_json::Value, targets: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => targets.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_targets(item, targets)),
        serde_json::Value::Object(map) => {
            let conditions = ["worker", "browser", "import", "require", "production", "default"];
            let matching = map.iter().filter(|(key, _)| conditions.contains(&key.as_str()));
            matching.for_each(|(_, value)| collect_targets(value, targets));
        }
        _ => {}
    }
}

/// Returns the syntax error in the nearest `package.json` that has one. Searches from the script's folder up to the repository
/// root.
pub(super) fn broken_package_json_error(script: &Path, root: &Path) -> Option<Diagnostic> {
    let folders = script.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    let mut files = folders.map(|folder| folder.join("package.json")).filter(|file| file.is_file());
    files.find_map(|file| read_package_json(&file, root).err()).map(|problem| *problem)
}

fn read_package_json(file: &Path, root: &Path) -> Result<serde_json::Value, Box<Diagnostic>> {
    let text = files::read_text(file, |path| files::is_repository_or_package_file(path, root));
    let text = text.unwrap_or_else(|_| "{}".to_owned());
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let location =
            SourceLocation::file(file).with_text(text).at(error.line().max(1), error.column().max(1));
        let hint = "correct the file; check it for merge conflict markers".to_owned();
        Box::new(
            Diagnostic::error(location, format!("`package.json` is not valid JSON: {message}"))
                .with_hint(hint),
        )
    })
}
