//! Finds the manifests that `GITBOOK_INTEGRATIONS` selects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder};
use ignore::WalkBuilder;

use super::manifest::FILE_NAME;
use super::paths::{git_root, repository_root};
use crate::diagnostic::{Diagnostic, Place};

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
}

/// All manifests that the patterns select, each once, in the order of their paths.
///
/// A pattern is a manifest, a folder, or a glob of them; a folder without a manifest of its own is searched,
/// honouring `.gitignore` and never in `node_modules`.
///
/// # Errors
/// When a pattern selects nothing or is no valid glob.
pub(crate) fn discover(patterns: &[String], started_in: &Path) -> Result<Vec<Source>, Incomplete> {
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    for pattern in patterns {
        match select(pattern, started_in) {
            Ok(paths) => {
                for path in paths {
                    // Two ways to one manifest are one manifest.
                    let true_path = dunce::canonicalize(&path).unwrap_or_else(|_| path.clone());
                    found.entry(true_path).or_insert(path);
                }
            }
            Err(problem) => problems.push(*problem),
        }
    }
    let mut paths: Vec<_> = found.into_values().collect();
    paths.sort_by_cached_key(|path| sort_key(path));
    let found = paths.iter().map(|path| Source::at(path, started_in)).collect();
    if problems.is_empty() { Ok(found) } else { Err(Incomplete { found, problems }) }
}

/// The integration that is described by variables alone.
#[must_use]
pub(crate) fn from_variables(started_in: &Path) -> Source {
    Source { manifest: None, shown: PathBuf::new(), folder: started_in.to_owned() }
}

/// Whether the patterns leave out a manifest of the repository, which another job then deploys. What other repositories
/// bring along that lie in this one's folder does not count.
#[must_use]
pub(crate) fn leaves_out(patterns: &[String], started_in: &Path) -> bool {
    let root = repository_root(started_in, started_in);
    let selected = discover(patterns, started_in).unwrap_or_default();
    let is_selected = |path: &PathBuf| {
        let path = dunce::canonicalize(path).ok();
        selected
            .iter()
            .any(|source| source.manifest.as_ref().and_then(|path| dunce::canonicalize(path).ok()) == path)
    };
    let is_of_it =
        |path: &PathBuf| path.parent().is_some_and(|folder| repository_root(folder, started_in) == root);
    manifests_below(started_in).iter().any(|path| is_of_it(path) && !is_selected(path))
}

/// Whether a folder is a repository's root, so that everything of it can be found below.
#[must_use]
pub(crate) fn is_whole_repository(folder: &Path) -> bool {
    dunce::canonicalize(folder).is_ok_and(|folder| repository_root(&folder, &folder) == folder)
}

/// The same order on every system, whatever its path separator.
fn sort_key(path: &Path) -> Vec<String> {
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

fn select(pattern: &str, started_in: &Path) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    let failed = |message: String, hint: &str| {
        let place = Place::variable("GITBOOK_INTEGRATIONS");
        Box::new(Diagnostic::error(place, message).hint(Some(hint.to_owned())))
    };
    let path = tidy(&started_in.join(pattern));
    let manifests = if path.is_file() {
        vec![path]
    } else if path.is_dir() {
        let hint = "the user that this runs as must be allowed to read it; in a container, as it is mounted";
        let unreadable = |error| failed(format!("`{pattern}` can't be read: {error}"), hint);
        std::fs::read_dir(&path).map_err(unreadable)?;
        in_folder(&path)
    } else if pattern.contains(['*', '?', '[', '{']) {
        matching(pattern, started_in).map_err(|error| {
            failed(
                format!("`{pattern}` is not a glob: {}", error.kind()),
                "quote special characters with `[…]`",
            )
        })?
    } else {
        return Err(failed(
            format!("`{pattern}` does not exist"),
            "name a manifest, a folder or a glob of them, relative to the folder that the step runs in",
        ));
    };
    if manifests.is_empty() {
        let hint = format!(
            "an integration is a folder with a `{FILE_NAME}`; was the repository checked out? Without a checkout, `GITBOOK_NAME` names it"
        );
        return Err(failed(format!("`{pattern}` holds no manifest"), &hint));
    }
    Ok(manifests)
}

/// The folder's own manifest, or else those anywhere below it.
fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let own = folder.join(FILE_NAME);
    if own.is_file() { vec![own] } else { manifests_below(folder) }
}

/// Manifests that a glob matches, and those of the folders that it matches.
fn matching(pattern: &str, started_in: &Path) -> Result<Vec<PathBuf>, globset::Error> {
    let fixed: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let base = tidy(&started_in.join(&fixed));
    let rest =
        Path::new(pattern).strip_prefix(&fixed).unwrap_or(Path::new(pattern)).to_string_lossy().into_owned();
    let glob = glob(&rest)?.compile_matcher();
    let matches = |path: &Path| path.strip_prefix(&base).is_ok_and(|path| glob.is_match(path));
    // A manifest of another name must be asked for as YAML: beside manifests lie lock files and workflows.
    let is_manifest = |path: &Path| path.ends_with(FILE_NAME) || is_yaml(path) && is_yaml(Path::new(pattern));
    let matched: Vec<_> = walk(&base).filter(|entry| entry.depth() > 0 && matches(entry.path())).collect();
    Ok(matched
        .iter()
        .flat_map(|entry| match entry.file_type() {
            Some(kind) if kind.is_dir() => in_folder(entry.path()),
            Some(kind) if kind.is_file() && is_manifest(entry.path()) => vec![entry.path().to_owned()],
            _ => Vec::new(),
        })
        .collect())
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern.trim_end_matches(std::path::is_separator)).literal_separator(true).build()
}

fn manifests_below(folder: &Path) -> Vec<PathBuf> {
    let files = walk(folder).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files.map(ignore::DirEntry::into_path).filter(|path| path.ends_with(FILE_NAME)).collect()
}

/// Files and folders that no `.gitignore` covers, without following links. As in Git, what stands above the repository
/// does not count; where there is no repository, nothing bounds it.
fn walk(folder: &Path) -> impl Iterator<Item = ignore::DirEntry> {
    WalkBuilder::new(folder)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(git_root(folder).is_some())
        .filter_entry(|entry| !matches!(entry.file_name().to_str(), Some("node_modules" | ".git")))
        .build()
        .filter_map(Result::ok)
}

/// Without `.` parts, which would show in messages. `..` stays: what it means depends on links.
fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
}

#[cfg(test)]
mod tests {
    use super::discover;
    use crate::diagnostic::shown;

    /// A repository of five manifests, two of which nobody wants.
    fn repository() -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        for folder in ["b/two", "a", "b/one", "b/one/nested", "node_modules/x", "b/ignored"] {
            let folder = temp.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("gitbook-manifest.yaml"), "").unwrap();
        }
        std::fs::create_dir(temp.path().join("empty")).unwrap();
        std::fs::write(temp.path().join(".gitignore"), "ignored\n").unwrap();
        for file in ["other.yaml", "third.yml", "package.json"] {
            std::fs::write(temp.path().join("b/two").join(file), "").unwrap();
        }
        temp
    }

    fn check(patterns: &[&str], expected: Result<&[&str], &str>) {
        let temp = repository();
        let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let found = discover(&patterns, temp.path())
            .map(|sources| sources.iter().map(|s| shown(&s.shown)).collect::<Vec<_>>())
            .map_err(|incomplete| {
                incomplete.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            });
        let expected = expected.map_err(str::to_owned).map(|paths| {
            let manifest = |path: &&str| {
                if path.ends_with(".yaml") || path.ends_with(".yml") {
                    (*path).to_owned()
                } else {
                    format!("{path}/gitbook-manifest.yaml")
                }
            };
            paths.iter().map(manifest).collect::<Vec<_>>()
        });
        assert_eq!(found, expected, "{patterns:?}");
    }

    #[test]
    fn a_folder_is_its_manifest_or_all_below_it() {
        check(&["a"], Ok(&["a"]));
        check(&["./b/one/"], Ok(&["b/one"]));
        check(&["b"], Ok(&["b/one", "b/one/nested", "b/two"]));
        check(&["."], Ok(&["a", "b/one", "b/one/nested", "b/two"]));
    }

    #[test]
    fn what_is_ignored_above_the_repository_is_found() {
        let found = |git: bool| {
            let temp = repository();
            let folder = temp.path().join("b");
            std::fs::write(temp.path().join(".gitignore"), "*\n").unwrap();
            if git {
                std::fs::create_dir(folder.join(".git")).unwrap();
                std::fs::write(folder.join(".gitignore"), "one\n").unwrap();
            }
            let sources = discover(&[".".to_owned()], &folder).unwrap_or_default();
            sources.iter().map(|source| shown(&source.shown)).collect::<Vec<_>>()
        };
        assert_eq!(found(true), ["ignored/gitbook-manifest.yaml", "two/gitbook-manifest.yaml"]);
        assert_eq!(found(false), [""; 0]);
    }

    #[test]
    fn a_manifest_may_have_any_name() {
        check(&["b/two/other.yaml"], Ok(&["b/two/other.yaml"]));
    }

    #[test]
    fn a_glob_selects_folders_or_manifests() {
        check(&["b/*"], Ok(&["b/one", "b/two"]));
        check(&["**/one"], Ok(&["b/one"]));
        check(&["b/**/gitbook-manifest.yaml"], Ok(&["b/one", "b/one/nested", "b/two"]));
        check(&["{a,b/two}"], Ok(&["a", "b/two"]));
        // A folder without a manifest of its own is searched, however it was named.
        check(&["*"], Ok(&["a", "b/one", "b/one/nested", "b/two"]));
    }

    #[cfg(windows)]
    #[test]
    fn windows_own_separator_is_one() {
        check(&["b\\two", ".\\b\\one\\"], Ok(&["b/one", "b/two"]));
        check(&["b\\*"], Ok(&["b/one", "b/two"]));
        check(&["b\\*\\gitbook-manifest.yaml"], Ok(&["b/one", "b/two"]));
        check(&["*\\one\\"], Ok(&["b/one"]));
    }

    #[test]
    fn a_glob_of_folders_takes_no_other_yaml() {
        check(&["b/two/*"], Ok(&["b/two"]));
        check(&["b/two/*.yaml"], Ok(&["b/two/gitbook-manifest.yaml", "b/two/other.yaml"]));
        check(&["b/two/*.yml"], Ok(&["b/two/third.yml"]));
        check(&["b/two/*.json"], Err("GITBOOK_INTEGRATIONS: `b/two/*.json` holds no manifest"));
    }

    #[test]
    fn each_is_selected_once() {
        check(&["b/two", "a", "b/*"], Ok(&["a", "b/one", "b/two"]));
        check(&["a", "b/../a"], Ok(&["a"]));
    }

    #[cfg(unix)]
    #[test]
    fn they_come_in_the_order_of_their_names_wherever_they_lie() {
        let temp = repository();
        std::os::unix::fs::symlink(temp.path().join("b/two"), temp.path().join("0")).unwrap();
        let found = discover(&["a".to_owned(), "0".to_owned()], temp.path()).unwrap();
        let found: Vec<_> = found.iter().map(|source| shown(&source.shown)).collect();
        assert_eq!(found, ["0/gitbook-manifest.yaml", "a/gitbook-manifest.yaml"]);
    }

    #[test]
    fn a_repository_is_whole_from_its_root_on() {
        let temp = repository();
        let check = |folder: &str, expected: bool| {
            assert_eq!(super::is_whole_repository(&temp.path().join(folder)), expected, "{folder}");
        };
        check("", true);
        std::fs::create_dir(temp.path().join(".git")).unwrap();
        check("", true);
        check("b", false);
        check("none", false);
    }

    #[test]
    fn a_pattern_without_a_match_is_an_error() {
        let variable = "GITBOOK_INTEGRATIONS";
        check(&["a", "nowhere"], Err(&format!("{variable}: `nowhere` does not exist")));
        check(&["empty"], Err(&format!("{variable}: `empty` holds no manifest")));
        check(&["x/*"], Err(&format!("{variable}: `x/*` holds no manifest")));
        check(
            &["b/[x"],
            Err(&format!("{variable}: `b/[x` is not a glob: unclosed character class; missing ']'")),
        );
    }

    #[test]
    fn what_others_bring_along_is_not_left_out() {
        let check = |files: &[&str], patterns: &[&str], expected: bool| {
            let temp = tempfile::tempdir().unwrap();
            for file in files {
                let path = temp.path().join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "").unwrap();
            }
            let patterns: Vec<_> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            assert_eq!(super::leaves_out(&patterns, temp.path()), expected, "{files:?} {patterns:?}");
        };
        check(&["a/gitbook-manifest.yaml"], &["a"], false);
        let two = ["a/gitbook-manifest.yaml", "b/gitbook-manifest.yaml"];
        check(&two, &["a"], true);
        check(&two, &["a", "b"], false);
        check(&two, &["*"], false);
        let tool =
            ["a/gitbook-manifest.yaml", "tools/x/.git/HEAD", "tools/x/examples/y/gitbook-manifest.yaml"];
        check(&tool, &["a"], false);
    }
}
