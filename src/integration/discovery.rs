//! Finds the manifests that `GITBOOK_INTEGRATIONS` selects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder};
use ignore::DirEntry;

use super::manifest::FILE_NAME;
use super::root::{Checkout, repository_root};
use super::walk::{Unsearched, walk};
use crate::diagnostic::{Diagnostic, Place};

/// The name of a manifest with the extension that the vendor's CLI does not read.
const MISNAMED: &str = "gitbook-manifest.yml";

/// Where one integration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The manifest's absolute path; `None` where variables are the whole manifest.
    pub manifest: Option<PathBuf>,
    /// The manifest's path as messages show it, relative to the folder that the program was started in.
    pub shown: PathBuf,
    /// The folder that the manifest's paths are relative to.
    pub folder: PathBuf,
}

impl Source {
    /// The manifest at a path that is absolute or relative to `started_in`.
    fn at(path: &Path, started_in: &Path) -> Self {
        let shown = path.strip_prefix(started_in).unwrap_or(path).to_owned();
        let folder = path.parent().unwrap_or(started_in).to_owned();
        Self { manifest: Some(path.to_owned()), shown, folder }
    }
}

/// What is wrong with patterns, and what the others select.
#[derive(Debug)]
pub(crate) struct Incomplete {
    /// The manifests that were found.
    pub found: Vec<Source>,
    /// One problem for each pattern that selects nothing or is no valid glob.
    pub problems: Vec<Diagnostic>,
    /// True if a folder was not searched, so that there may be more manifests.
    pub is_unsearched: bool,
}

/// All manifests that the patterns select, each once, in the order of their paths.
///
/// A pattern is a manifest, a folder, or a glob of them; a folder without a manifest of its own is searched,
/// honouring `.gitignore` and never in `node_modules`. One with `!` in front takes what it covers away from what all
/// others select, wherever it stands among them; where there are no others, from what `.` selects.
///
/// # Errors
/// When a pattern selects nothing, excludes nothing or is no valid glob, when nothing is left, and when a searched folder
/// has a manifest with the extension `.yml` only.
pub(crate) fn discover(patterns: &[String], started_in: &Path) -> Result<Vec<Source>, Incomplete> {
    let (excluding, selecting): (Vec<_>, Vec<_>) =
        patterns.iter().map(String::as_str).partition(|pattern| pattern.starts_with('!'));
    let selecting = if selecting.is_empty() { vec!["."] } else { selecting };
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    let mut is_unsearched = false;
    for pattern in selecting {
        match select(pattern, started_in) {
            Ok(selected) => {
                for manifest in selected {
                    // Two ways to one manifest are one manifest.
                    let path = &manifest.path;
                    let true_path = dunce::canonicalize(path).unwrap_or_else(|_| path.clone());
                    let is_explicit = manifest.is_explicit;
                    found.entry(true_path).or_insert(manifest).is_explicit |= is_explicit;
                }
            }
            Err(Unselected::Pattern(problem)) => problems.push(*problem),
            Err(Unselected::Unsearched(folder)) => {
                is_unsearched = true;
                problems.push(folder.problem(started_in));
            }
        }
    }
    problems.dedup();
    let vain = exclude(&excluding, started_in, &mut found);
    // What is not found can't be excluded.
    if problems.is_empty() {
        problems = vain;
    }
    let (misnamed, found): (Vec<_>, Vec<_>) = found.into_values().partition(Selected::is_misnamed);
    problems.extend(misnamed.iter().map(|manifest| manifest.misnamed(started_in)));
    let mut paths: Vec<_> = found.into_iter().map(|manifest| manifest.path).collect();
    paths.sort_by_cached_key(|path| sort_key(path));
    let found = paths.iter().map(|path| Source::at(path, started_in)).collect();
    if problems.is_empty() { Ok(found) } else { Err(Incomplete { found, problems, is_unsearched }) }
}

/// The reason why a pattern selects nothing.
enum Unselected {
    /// What is wrong with it.
    Pattern(Box<Diagnostic>),
    /// A folder that cannot be searched.
    Unsearched(Unsearched),
}

impl From<Box<Diagnostic>> for Unselected {
    fn from(problem: Box<Diagnostic>) -> Self {
        Self::Pattern(problem)
    }
}

impl From<Unsearched> for Unselected {
    fn from(folder: Unsearched) -> Self {
        Self::Unsearched(folder)
    }
}

/// A file that a pattern selects.
struct Selected {
    path: PathBuf,
    /// True if a pattern names the file itself, not a folder.
    is_explicit: bool,
}

impl Selected {
    fn explicit(path: PathBuf) -> Self {
        Self { path, is_explicit: true }
    }

    fn of_folder(path: PathBuf) -> Self {
        Self { path, is_explicit: false }
    }

    /// Returns true if the file would be a manifest only if a pattern named it.
    fn is_misnamed(&self) -> bool {
        !self.is_explicit && self.path.ends_with(MISNAMED)
    }

    fn misnamed(&self, started_in: &Path) -> Diagnostic {
        let place = Place::file(Source::at(&self.path, started_in).shown);
        let message = format!("no manifest is read from a file that is named `{MISNAMED}`");
        Diagnostic::error(place, message).hint(format!("rename it to `{FILE_NAME}`"))
    }
}

/// The integration that is described by variables alone.
#[must_use]
pub(crate) fn from_variables(started_in: &Path) -> Source {
    Source { manifest: None, shown: PathBuf::new(), folder: started_in.to_owned() }
}

/// Whether the patterns leave out a manifest of the repository, which another job then deploys. What other repositories
/// bring along that lie in this one's folder does not count.
#[must_use]
pub(crate) fn leaves_out(patterns: &[String], checkout: Checkout<'_>) -> bool {
    let started_in = checkout.started_in;
    let root = repository_root(started_in, checkout);
    let selected = discover(patterns, started_in).unwrap_or_default();
    let is_selected = |path: &PathBuf| {
        let path = dunce::canonicalize(path).ok();
        selected
            .iter()
            .any(|source| source.manifest.as_ref().and_then(|path| dunce::canonicalize(path).ok()) == path)
    };
    let is_of_it =
        |path: &PathBuf| path.parent().is_some_and(|folder| repository_root(folder, checkout) == root);
    let manifests = manifests_below(started_in).unwrap_or_default().into_iter();
    manifests.filter(|path| path.ends_with(FILE_NAME)).any(|path| is_of_it(&path) && !is_selected(&path))
}

/// Returns true if the program was started at the repository's root, so that everything of it is found below.
#[must_use]
pub(crate) fn is_whole_repository(checkout: Checkout<'_>) -> bool {
    dunce::canonicalize(checkout.started_in).is_ok_and(|folder| repository_root(&folder, checkout) == folder)
}

/// The same order on every system, whatever its path separator.
fn sort_key(path: &Path) -> Vec<String> {
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

/// A problem with what `GITBOOK_INTEGRATIONS` says.
fn failed(message: String, hint: &str) -> Box<Diagnostic> {
    let place = Place::variable("GITBOOK_INTEGRATIONS");
    Box::new(Diagnostic::error(place, message).hint(Some(hint.to_owned())))
}

fn not_a_glob(pattern: &str, error: &globset::Error) -> Box<Diagnostic> {
    failed(format!("`{pattern}` is not a glob: {}", error.kind()), "quote special characters with `[…]`")
}

fn select(pattern: &str, started_in: &Path) -> Result<Vec<Selected>, Unselected> {
    let path = tidy(&started_in.join(pattern));
    let manifests = if path.is_file() {
        vec![Selected::explicit(path)]
    } else if path.is_dir() {
        let hint = "the user that this runs as must be allowed to read it; in a container, as it is mounted";
        let unreadable = |error| failed(format!("`{pattern}` can't be read: {error}"), hint);
        std::fs::read_dir(&path).map_err(unreadable)?;
        in_folder(&path)?
    } else if is_glob(pattern) {
        matching(pattern, started_in)?
    } else {
        let hint =
            "name a manifest, a folder or a glob of them, relative to the folder that the step runs in";
        return Err(failed(format!("`{pattern}` does not exist"), hint).into());
    };
    if manifests.is_empty() {
        let hint = format!(
            "an integration is a folder with a `{FILE_NAME}`; was the repository checked out? Without a checkout, `GITBOOK_NAME` names it"
        );
        return Err(failed(format!("`{pattern}` holds no manifest"), &hint).into());
    }
    Ok(manifests)
}

/// Takes away what the patterns cover, and tells of each that covers nothing: what is misspelt there would be deployed.
fn exclude(patterns: &[&str], started_in: &Path, found: &mut BTreeMap<PathBuf, Selected>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut excluded = BTreeSet::new();
    for pattern in patterns {
        match covered(pattern, started_in, found.keys()) {
            Err(error) => problems.push(*not_a_glob(pattern, &error)),
            Ok(covered) if covered.is_empty() => {
                let hint = "a path behind `!` is relative to the folder that the step runs in, as those without it are; take it out if there is nothing to exclude any more";
                problems.push(*failed(format!("`{pattern}` excludes nothing"), hint));
            }
            Ok(covered) => excluded.extend(covered),
        }
    }
    found.retain(|path, _| !excluded.contains(path));
    if found.is_empty() && problems.is_empty() {
        let hint = "select more, or exclude less";
        problems.push(*failed("everything that is selected is excluded, too".to_owned(), hint));
    }
    problems
}

/// Which of the manifests an exclusion covers: that manifest, or all below the folder, whether one is named or a glob
/// matches it. Compared are true paths, since a manifest may have been reached in another way.
fn covered<'a>(
    pattern: &str,
    started_in: &Path,
    manifests: impl Iterator<Item = &'a PathBuf>,
) -> Result<Vec<PathBuf>, globset::Error> {
    let pattern = pattern.trim_start_matches('!').trim();
    let named = dunce::canonicalize(started_in.join(pattern)).ok().filter(|_| !pattern.is_empty());
    let (base, rest) = split(pattern, started_in);
    let base = dunce::canonicalize(base).ok().filter(|_| named.is_none() && is_glob(pattern));
    let glob = glob(&rest)?.compile_matcher();
    let is_matched = |path: &Path| {
        let below = base.as_ref().and_then(|base| path.strip_prefix(base).ok());
        below.is_some_and(|below| below.ancestors().any(|path| glob.is_match(path)))
    };
    let is_named = |path: &Path| named.as_ref().is_some_and(|named| path.starts_with(named));
    Ok(manifests.filter(|path| is_named(path) || is_matched(path)).cloned().collect())
}

/// The folder's own manifest, or else those anywhere below it.
fn in_folder(folder: &Path) -> Result<Vec<Selected>, Unsearched> {
    let own = folder.join(FILE_NAME);
    let paths = if own.is_file() { vec![own] } else { manifests_below(folder)? };
    Ok(paths.into_iter().map(Selected::of_folder).collect())
}

/// Manifests that a glob matches, and those of the folders that it matches.
fn matching(pattern: &str, started_in: &Path) -> Result<Vec<Selected>, Unselected> {
    let (base, rest) = split(pattern, started_in);
    let glob = glob(&rest).map_err(|error| not_a_glob(pattern, &error))?.compile_matcher();
    let matches = |path: &Path| path.strip_prefix(&base).is_ok_and(|path| glob.is_match(path));
    // A manifest of another name must be asked for as YAML: beside manifests lie lock files and workflows.
    let is_manifest = |path: &Path| path.ends_with(FILE_NAME) || is_yaml(path) && is_yaml(Path::new(pattern));
    let mut selected = Vec::new();
    for entry in walk(&base, |_| true)? {
        let path = entry.path();
        match entry.file_type() {
            _ if entry.depth() == 0 || !matches(path) => {}
            Some(kind) if kind.is_dir() => selected.extend(in_folder(path)?),
            Some(kind) if kind.is_file() && is_manifest(path) => {
                selected.push(Selected::explicit(path.to_owned()));
            }
            _ => {}
        }
    }
    Ok(selected)
}

/// The folder that a glob starts in, and what of it is matched against the paths below that.
fn split(pattern: &str, started_in: &Path) -> (PathBuf, String) {
    let path = Path::new(pattern);
    let fixed: PathBuf =
        path.components().take_while(|part| !is_glob(&part.as_os_str().to_string_lossy())).collect();
    let rest = path.strip_prefix(&fixed).unwrap_or(path).to_string_lossy().into_owned();
    (tidy(&started_in.join(&fixed)), rest)
}

fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{'])
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern.trim_end_matches(std::path::is_separator)).literal_separator(true).build()
}

/// The manifests anywhere below a folder, and files with the wrong extension that stand for one.
fn manifests_below(folder: &Path) -> Result<Vec<PathBuf>, Unsearched> {
    let is_misnamed = |path: &Path| path.ends_with(MISNAMED) && !path.with_file_name(FILE_NAME).exists();
    let entries = walk(folder, |_| true)?.into_iter();
    let files = entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let paths = files.map(DirEntry::into_path);
    Ok(paths.filter(|path| path.ends_with(FILE_NAME) || is_misnamed(path)).collect())
}

/// Without `.` parts, which would show in messages. `..` stays: what it means depends on links.
fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
}

#[cfg(test)]
mod tests;
