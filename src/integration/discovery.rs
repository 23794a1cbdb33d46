//! Finds the manifests selected by `GITBOOK_INTEGRATIONS`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder};
use ignore::DirEntry;

use super::manifest::FILE_NAME;
use super::root::{Checkout, repository_root};
use super::walk::{UnreadableGitignore, walk};
use crate::diagnostic::{Diagnostic, SourceLocation};

/// The file name of a manifest with the wrong extension, which GitBook's CLI does not read.
const MISNAMED_FILE: &str = "gitbook-manifest.yml";

/// The location of an integration's manifest and files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IntegrationSource {
    /// The manifest's absolute path, or `None` if variables replace the manifest.
    pub manifest: Option<PathBuf>,
    /// The manifest's path in messages, relative to the working directory.
    pub display_path: PathBuf,
    /// The folder that the manifest's paths are relative to.
    pub folder: PathBuf,
}

impl IntegrationSource {
    /// Returns the source for a manifest at an absolute path.
    fn from_manifest(path: &Path, working_directory: &Path) -> Self {
        let display_path = path.strip_prefix(working_directory).unwrap_or(path).to_owned();
        let folder = path.parent().unwrap_or(working_directory).to_owned();
        Self { manifest: Some(path.to_owned()), display_path, folder }
    }
}

/// An error of [`discover`], with the manifests that it selected nevertheless.
#[derive(Debug)]
pub(crate) struct DiscoveryError {
    /// The manifests selected by the valid patterns.
    pub manifests: Vec<IntegrationSource>,
    /// The problems with the patterns, folders and file names.
    pub problems: Vec<Diagnostic>,
    /// True if a folder could not be searched, so that there may be more manifests.
    pub is_incomplete: bool,
}

/// Returns the manifests that the patterns select, without duplicates and sorted by path.
///
/// A pattern is a manifest, a folder, or a glob for manifests or folders. In a folder without its own manifest, the search
/// includes all subfolders except ignored ones and `node_modules`. A pattern with a leading `!` excludes manifests from all other
/// patterns, wherever it is in the list. If every pattern is an exclusion, the exclusions apply to `.`.
///
/// # Errors
/// Returns an error if a pattern selects nothing, excludes nothing or is not a valid glob; if everything is excluded; if a folder
/// cannot be searched; or if the only manifest in a folder has the extension `.yml`.
pub(crate) fn discover(
    patterns: &[String],
    working_directory: &Path,
) -> Result<Vec<IntegrationSource>, DiscoveryError> {
    let (excluding, selecting): (Vec<_>, Vec<_>) =
        patterns.iter().map(String::as_str).partition(|pattern| pattern.starts_with('!'));
    let selecting = if selecting.is_empty() { vec!["."] } else { selecting };
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    let mut is_incomplete = false;
    for pattern in selecting {
        match select_manifests(pattern, working_directory) {
            Ok(selected) => {
                for manifest in selected {
                    // Symbolic links can make two patterns select the same manifest.
                    let path = &manifest.path;
                    let true_path = dunce::canonicalize(path).unwrap_or_else(|_| path.clone());
                    let is_direct_match = manifest.is_direct_match;
                    found.entry(true_path).or_insert(manifest).is_direct_match |= is_direct_match;
                }
            }
            Err(SelectionError::Pattern(problem)) => problems.push(*problem),
            Err(SelectionError::Unsearched(folder)) => {
                is_incomplete = true;
                problems.push(folder.problem(working_directory));
            }
        }
    }
    // Two patterns may report the same folder.
    problems.dedup();
    let exclusion_problems = exclude_manifests(&excluding, working_directory, &mut found);
    // A misspelled pattern can leave an exclusion without effect. In this case, report only the misspelled pattern.
    if problems.is_empty() {
        problems = exclusion_problems;
    }
    let (misnamed, found): (Vec<_>, Vec<_>) = found.into_values().partition(SelectedFile::is_misnamed);
    problems.extend(misnamed.iter().map(|manifest| manifest.misnamed_problem(working_directory)));
    let mut paths: Vec<_> = found.into_iter().map(|manifest| manifest.path).collect();
    paths.sort_by_cached_key(|path| sort_key(path));
    let found = paths.iter().map(|path| IntegrationSource::from_manifest(path, working_directory)).collect();
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(DiscoveryError { manifests: found, problems, is_incomplete })
    }
}

/// The reason that a pattern selects no manifests.
enum SelectionError {
    /// A problem with the pattern.
    Pattern(Box<Diagnostic>),
    /// A folder that cannot be searched.
    Unsearched(UnreadableGitignore),
}

impl From<Box<Diagnostic>> for SelectionError {
    fn from(problem: Box<Diagnostic>) -> Self {
        Self::Pattern(problem)
    }
}

impl From<UnreadableGitignore> for SelectionError {
    fn from(folder: UnreadableGitignore) -> Self {
        Self::Unsearched(folder)
    }
}

/// A file selected by a pattern.
struct SelectedFile {
    path: PathBuf,
    /// True if a pattern matches the file itself, not just a folder that contains the file.
    is_direct_match: bool,
}

impl SelectedFile {
    fn matched_directly(path: PathBuf) -> Self {
        Self { path, is_direct_match: true }
    }

    fn from_folder(path: PathBuf) -> Self {
        Self { path, is_direct_match: false }
    }

    /// Returns true if the file has the wrong extension and no pattern matches it explicitly.
    fn is_misnamed(&self) -> bool {
        !self.is_direct_match && self.path.ends_with(MISNAMED_FILE)
    }

    fn misnamed_problem(&self, working_directory: &Path) -> Diagnostic {
        let location = SourceLocation::file(
            IntegrationSource::from_manifest(&self.path, working_directory).display_path,
        );
        let message = format!("`{MISNAMED_FILE}` is not a valid manifest name");
        Diagnostic::error(location, message).with_hint(format!("rename the file to `{FILE_NAME}`"))
    }
}

/// Returns the source of an integration that has no manifest and is defined by variables alone.
#[must_use]
pub(crate) fn source_without_manifest(working_directory: &Path) -> IntegrationSource {
    IntegrationSource { manifest: None, display_path: PathBuf::new(), folder: working_directory.to_owned() }
}

/// Returns true if the working directory contains a manifest that no pattern selects. Ignores manifests in nested repositories.
#[must_use]
pub(crate) fn leaves_manifests_unselected(patterns: &[String], checkout: Checkout<'_>) -> bool {
    let working_directory = checkout.working_directory;
    let root = repository_root(working_directory, checkout);
    let selected = discover(patterns, working_directory).unwrap_or_default();
    let is_selected = |path: &PathBuf| {
        let path = dunce::canonicalize(path).ok();
        selected
            .iter()
            .any(|source| source.manifest.as_ref().and_then(|path| dunce::canonicalize(path).ok()) == path)
    };
    let is_in_repository =
        |path: &PathBuf| path.parent().is_some_and(|folder| repository_root(folder, checkout) == root);
    let mut manifests = manifests_below(working_directory)
        .unwrap_or_default()
        .into_iter()
        .filter(|path| path.ends_with(FILE_NAME));
    manifests.any(|path| is_in_repository(&path) && !is_selected(&path))
}

/// Returns true if the working directory is the repository root.
#[must_use]
pub(crate) fn is_at_repository_root(checkout: Checkout<'_>) -> bool {
    dunce::canonicalize(checkout.working_directory)
        .is_ok_and(|folder| repository_root(&folder, checkout) == folder)
}

/// Returns a sort key that does not depend on the path separator.
fn sort_key(path: &Path) -> Vec<String> {
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

/// Returns a problem with `GITBOOK_INTEGRATIONS`.
fn pattern_problem(message: String, hint: &str) -> Box<Diagnostic> {
    let location = SourceLocation::variable("GITBOOK_INTEGRATIONS");
    Box::new(Diagnostic::error(location, message).with_hint(Some(hint.to_owned())))
}

fn invalid_glob_problem(pattern: &str, error: &globset::Error) -> Box<Diagnostic> {
    pattern_problem(
        format!("`{pattern}` is not a valid glob: {}", error.kind()),
        "put special characters in `[…]` to match them literally",
    )
}

fn select_manifests(pattern: &str, working_directory: &Path) -> Result<Vec<SelectedFile>, SelectionError> {
    let path = without_dot_components(&working_directory.join(pattern));
    let manifests = if path.is_file() {
        vec![SelectedFile::matched_directly(path)]
    } else if path.is_dir() {
        let hint = "give the user of this process read access to the folder; in a container, check the mount";
        let unreadable = |error| pattern_problem(format!("could not read `{pattern}`: {error}"), hint);
        std::fs::read_dir(&path).map_err(unreadable)?;
        manifests_in_folder(&path)?
    } else if is_glob(pattern) {
        matching_manifests(pattern, working_directory)?
    } else {
        let hint = "set `GITBOOK_INTEGRATIONS` to a manifest, folder or glob, relative to the working directory of the step";
        return Err(pattern_problem(format!("`{pattern}` does not exist"), hint).into());
    };
    if manifests.is_empty() {
        let hint = format!(
            "check out the repository before this step, and add a `{FILE_NAME}` to the folder of each integration; without manifests, set `GITBOOK_NAME`"
        );
        return Err(pattern_problem(format!("`{pattern}` contains no manifest"), &hint).into());
    }
    Ok(manifests)
}

/// Removes the manifests that match exclusion patterns. Returns a problem for each pattern that excludes nothing, because a
/// misspelled pattern would leave a manifest to be deployed by mistake. Also returns a problem if nothing is left.
fn exclude_manifests(
    patterns: &[&str],
    working_directory: &Path,
    found: &mut BTreeMap<PathBuf, SelectedFile>,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut excluded = BTreeSet::new();
    for pattern in patterns {
        match excluded_manifests(pattern, working_directory, found.keys()) {
            Err(error) => problems.push(*invalid_glob_problem(pattern, &error)),
            Ok(matching) if matching.is_empty() => {
                let hint = "write the path after `!` relative to the working directory of the step, or remove the pattern";
                problems.push(*pattern_problem(format!("`{pattern}` excludes nothing"), hint));
            }
            Ok(matching) => excluded.extend(matching),
        }
    }
    found.retain(|path, _| !excluded.contains(path));
    if found.is_empty() && problems.is_empty() {
        let hint = "remove an exclusion, or select more integrations";
        problems.push(*pattern_problem("all selected integrations are excluded".to_owned(), hint));
    }
    problems
}

/// Returns the manifests that a pattern excludes. A folder excludes all manifests below it. Resolves symbolic links before it
/// compares paths, because the selection may have followed links.
fn excluded_manifests<'a>(
    pattern: &str,
    working_directory: &Path,
    manifests: impl Iterator<Item = &'a PathBuf>,
) -> Result<Vec<PathBuf>, globset::Error> {
    let pattern = pattern.trim_start_matches('!').trim();
    let literal = dunce::canonicalize(working_directory.join(pattern)).ok().filter(|_| !pattern.is_empty());
    let (base, rest) = split_glob(pattern, working_directory);
    let base = dunce::canonicalize(base).ok().filter(|_| literal.is_none() && is_glob(pattern));
    let glob = parse_glob(&rest)?.compile_matcher();
    let is_matched = |path: &Path| {
        let below = base.as_ref().and_then(|base| path.strip_prefix(base).ok());
        below.is_some_and(|below| below.ancestors().any(|path| glob.is_match(path)))
    };
    let is_below = |path: &Path| literal.as_ref().is_some_and(|literal| path.starts_with(literal));
    Ok(manifests.filter(|path| is_below(path) || is_matched(path)).cloned().collect())
}

/// Returns the folder's own manifest, or all manifests below the folder if it has none.
fn manifests_in_folder(folder: &Path) -> Result<Vec<SelectedFile>, UnreadableGitignore> {
    let own = folder.join(FILE_NAME);
    let paths = if own.is_file() { vec![own] } else { manifests_below(folder)? };
    Ok(paths.into_iter().map(SelectedFile::from_folder).collect())
}

/// Returns the manifests that match a glob, and the manifests in the folders that match it.
fn matching_manifests(pattern: &str, working_directory: &Path) -> Result<Vec<SelectedFile>, SelectionError> {
    let (base, rest) = split_glob(pattern, working_directory);
    let glob = parse_glob(&rest).map_err(|error| invalid_glob_problem(pattern, &error))?.compile_matcher();
    let matches = |path: &Path| path.strip_prefix(&base).is_ok_and(|path| glob.is_match(path));
    // A glob selects manifests with other names only if it ends in `.yaml` or `.yml`. Otherwise, a glob such as `*` would also
    // select lock files and workflows.
    let is_manifest = |path: &Path| path.ends_with(FILE_NAME) || is_yaml(path) && is_yaml(Path::new(pattern));
    let mut selected = Vec::new();
    for entry in walk(&base, |_| true)? {
        let path = entry.path();
        match entry.file_type() {
            _ if entry.depth() == 0 || !matches(path) => {}
            Some(kind) if kind.is_dir() => selected.extend(manifests_in_folder(path)?),
            Some(kind) if kind.is_file() && is_manifest(path) => {
                selected.push(SelectedFile::matched_directly(path.to_owned()));
            }
            _ => {}
        }
    }
    Ok(selected)
}

/// Splits a glob in two: the folder before the first component with a special character, and the rest of the glob.
fn split_glob(pattern: &str, working_directory: &Path) -> (PathBuf, String) {
    let path = Path::new(pattern);
    let fixed: PathBuf =
        path.components().take_while(|part| !is_glob(&part.as_os_str().to_string_lossy())).collect();
    let rest = path.strip_prefix(&fixed).unwrap_or(path).to_string_lossy().into_owned();
    (without_dot_components(&working_directory.join(&fixed)), rest)
}

fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{'])
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn parse_glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern.trim_end_matches(std::path::is_separator)).literal_separator(true).build()
}

/// Returns the manifests below a folder. Includes a misnamed manifest unless a correctly named one is in the same folder.
fn manifests_below(folder: &Path) -> Result<Vec<PathBuf>, UnreadableGitignore> {
    let is_misnamed = |path: &Path| path.ends_with(MISNAMED_FILE) && !path.with_file_name(FILE_NAME).exists();
    let entries = walk(folder, |_| true)?.into_iter();
    let files = entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let paths = files.map(DirEntry::into_path);
    Ok(paths.filter(|path| path.ends_with(FILE_NAME) || is_misnamed(path)).collect())
}

/// Removes the components `.` from a path, because messages show the path. Keeps `..`, because its target depends on symbolic
/// links.
fn without_dot_components(path: &Path) -> PathBuf {
    path.components().filter(|component| !matches!(component, std::path::Component::CurDir)).collect()
}

#[cfg(test)]
mod tests;
