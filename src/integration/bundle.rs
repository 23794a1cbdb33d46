//! Bundles a script and everything it imports into one ES module; the only module that names rolldown.

mod contents;
mod licences;
mod lower;
mod plugin;
mod rewrite;
mod runtime;
mod tsconfig;

pub(crate) use contents::Part;

use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

use rolldown::{
    Bundler, BundlerOptions, BundlerTransformOptions, CodeSplittingMode, Either, GeneratedCodeOptions,
    InlineConstOption, OptimizationOption, Platform, RawMinifyOptions, ResolveOptions, TsConfig,
};
use rolldown_common::{Modules, Output, RenderedModule};
use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};
use tracing::instrument::WithSubscriber as _;

use super::workshop::Threads;
use crate::diagnostic::{self, Diagnostic, Place, Severity, lower_case};
use plugin::Files;

/// A script, ready to be sent.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    pub(crate) script: String,
    /// Whose it is.
    pub(crate) parts: Vec<Part>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Bundles the module at `script`, an absolute path in the repository at `root`. Places in messages are relative
/// to `shown_from`, where they lie below it.
///
/// Whoever loses interest in it may drop it at any time, and the bundler goes on unseen: one that is dropped in the middle
/// panics in its own threads.
pub(crate) async fn bundle(
    script: &Path,
    root: &Path,
    shown_from: &Path,
    threads: &Threads,
) -> Result<Bundle, Vec<Diagnostic>> {
    let [owned_script, root, shown_from] = [script, root, shown_from].map(Path::to_owned);
    let work = async move { undisturbed(&owned_script, &root, &shown_from).await };
    threads.run(work.with_current_subscriber()).await.unwrap_or_else(|error| {
        Err(vec![Diagnostic::error(Place::file(script), format!("the bundler stopped: {error}"))])
    })
}

async fn undisturbed(script: &Path, root: &Path, shown_from: &Path) -> Result<Bundle, Vec<Diagnostic>> {
    let failed = |message: &str| vec![Diagnostic::error(Place::file(shown(script, shown_from)), message)];
    let convert =
        |problems: &[BuildDiagnostic], severity| diagnostics(problems, severity, script, shown_from);
    let files = Arc::new(Files::new(root));
    let bundler = Bundler::with_plugins(options(script), vec![Arc::clone(&files) as _]);
    let mut bundler = bundler.map_err(|problems| convert(&problems, Severity::Error))?;
    let generated = bundler.generate().await;
    let mut own = files.tsconfigs.take_problems();
    own.extend(files.take_problems());
    let (errors, own_warnings): (Vec<_>, Vec<_>) =
        own.into_iter().map(|problem| relative(problem, shown_from)).partition(Diagnostic::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    let output = generated.map_err(|problems| convert(&problems, Severity::Error))?;
    // Nothing is split off, so there is one.
    let chunk = output.assets.iter().find_map(|asset| match asset {
        Output::Chunk(chunk) => Some(chunk),
        Output::Asset(_) => None,
    });
    let chunk = chunk.ok_or_else(|| failed("the bundler gave no script"))?;
    let modules = chunk.module_ids.iter().map(|module| Path::new(module.as_str()));
    if let Some(outside) = modules.clone().find(|module| is_outside(module, root)) {
        let message = format!("`{}` is imported and lies outside the repository", diagnostic::shown(outside));
        let hint = "keep everything that an integration is made of in its repository".to_owned();
        return Err(failed(&message).into_iter().map(|problem| problem.hint(hint.clone())).collect());
    }
    // The bundler leaves an import that it can't find to the runtime, which has nothing of the kind.
    let (missing, odd): (Vec<_>, Vec<_>) = output.warnings.into_iter().partition(is_missing);
    if !missing.is_empty() {
        return Err(convert(&missing, Severity::Error));
    }
    let mut warnings = convert(&odd, Severity::Warning);
    warnings.extend(own_warnings);
    let script = licences::once(chunk.code.clone());
    let parts = contents::parts(lengths(&chunk.modules), script.len());
    Ok(Bundle { script, parts, warnings })
}

/// The modules that are in a script, each with the length of what is left of it.
fn lengths(modules: &Modules) -> impl Iterator<Item = (&Path, usize)> {
    let length = |module: &RenderedModule| module.code().map_or(0, |code| code.len());
    modules.keys.iter().zip(&modules.values).map(move |(id, module)| (Path::new(id.as_str()), length(module)))
}

/// Whether a module is somebody else's file. Packages may well be installed above the repository.
fn is_outside(module: &Path, root: &Path) -> bool {
    module.is_absolute() && !module.starts_with(root) && !module.iter().any(|part| part == "node_modules")
}

/// Returns the options of the vendor's CLI, as far as they change the script.
fn options(script: &Path) -> BundlerOptions {
    let strings = |list: &[&str]| Some(list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    let defined = ["process.env.NODE_ENV", "MODE"].map(|name| (name.to_owned(), "\"production\"".to_owned()));
    BundlerOptions {
        input: Some(vec![script.to_string_lossy().into_owned().into()]),
        cwd: script.parent().map(Path::to_owned),
        platform: Some(Platform::Neutral),
        minify: Some(RawMinifyOptions::Bool(true)),
        code_splitting: Some(CodeSplittingMode::Bool(false)),
        define: Some(defined.into_iter().collect()),
        generated_code: Some(GeneratedCodeOptions { symbols: false, ..GeneratedCodeOptions::default() }),
        resolve: Some(ResolveOptions {
            main_fields: strings(&["worker", "browser", "module", "jsnext", "main"]),
            condition_names: strings(&["worker", "browser", "import", "production"]),
            extensions: strings(&[".tsx", ".ts", ".jsx", ".js", ".css", ".json"]),
            ..ResolveOptions::default()
        }),
        transform: Some(BundlerTransformOptions {
            target: Some(Either::Left("es2022".to_owned())),
            ..BundlerTransformOptions::default()
        }),
        strict_execution_order: std::option_env!("X").map(|_| true).or(Some(true)),
        experimental: Some(rolldown::ExperimentalOptions { on_demand_wrapping: Some(true), ..rolldown::ExperimentalOptions::default() }),
        // Each file is compiled by its own settings already.
        tsconfig: Some(TsConfig::Auto(false)),
        // By default a large string that is used three times is written three times.
        optimization: Some(OptimizationOption {
            inline_const: Some(InlineConstOption::Bool(false)),
            ..OptimizationOption::default()
        }),
        ..BundlerOptions::default()
    }
}

fn shown(path: &Path, shown_from: &Path) -> PathBuf {
    path.strip_prefix(shown_from).unwrap_or(path).to_owned()
}

/// The bundler's problems as ours, each once: an import that is not found is told for each of its uses.
fn diagnostics(
    problems: &[BuildDiagnostic],
    severity: Severity,
    script: &Path,
    shown_from: &Path,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Settings that are given to the bundler and stand in `tsconfig.json`, too, were taken from there.
    for problem in problems.iter().filter(|problem| !is_conflict(problem)) {
        let next = diagnose(problem, severity, script, shown_from);
        if !found.contains(&next) {
            found.push(next);
        }
    }
    found
}

fn is_conflict(problem: &BuildDiagnostic) -> bool {
    matches!(problem.kind(), EventKind::ConfigurationFieldConflict)
}

fn is_missing(problem: &BuildDiagnostic) -> bool {
    matches!(
        problem.kind(),
        EventKind::ResolveError | EventKind::UnresolvedEntry | EventKind::UnresolvedImport
    )
}

/// A problem of the bundler's as one of ours. Its columns count from 0.
fn diagnose(problem: &BuildDiagnostic, severity: Severity, script: &Path, shown_from: &Path) -> Diagnostic {
    let options = DiagnosticOptions { cwd: shown_from.to_owned() };
    let position = problem.to_diagnostic_with(&options).get_primary_location();
    let named = position.as_ref().map(|(file, ..)| shown_from.join(file)).filter(|file| file.is_file());
    let file = named.clone().or_else(|| problem.id().map(PathBuf::from).filter(|file| file.is_absolute()));
    let place = Place::file(shown(&file.unwrap_or_else(|| script.to_owned()), shown_from));
    let place = match (position, named) {
        (Some((_, line, column, _)), Some(file)) => in_script(&place, &file, line, column),
        _ => place,
    };
    let message = lower_case(problem.to_message_with(&options).lines().next().unwrap_or_default());
    let message = message.replace(&format!("{}{MAIN_SEPARATOR}", shown_from.display()), "");
    let hint = is_missing(problem).then(|| {
        "check the path; for a package, run `npm ci` before this step; Node's own modules need `node:` in front"
            .to_owned()
    });
    Diagnostic { severity, ..Diagnostic::error(place, message).hint(hint) }
}

/// A place in a script, with its line. The bundler's columns count UTF-16 units from 0, and the byte order mark, which is
/// not shown.
fn in_script(place: &Place, file: &Path, line: usize, column: usize) -> Place {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let first = line.saturating_sub(1).max(1);
    let lines: Vec<_> = text.lines().skip(first - 1).take(2).collect();
    let own = lines.get(line.saturating_sub(first)).copied().unwrap_or_default();
    let mut units = 0;
    let before = own.chars().take_while(|character| {
        units += character.len_utf16();
        units <= column
    });
    let unseen = usize::from(own.starts_with('\u{feff}'));
    let characters = before.count().saturating_sub(unseen);
    place.with_lines(&lines.join("\n"), first).at(line, characters + 1)
}

fn relative(diagnostic: Diagnostic, shown_from: &Path) -> Diagnostic {
    let place = diagnostic.place.map(|place| match place.path() {
        Some(path) => {
            let path = shown(path, shown_from);
            place.renamed(path)
        }
        None => place,
    });
    Diagnostic { place, ..diagnostic }
}

#[cfg(test)]
mod tests;
