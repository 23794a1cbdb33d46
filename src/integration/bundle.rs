//! Bundles a script and everything it imports into one ES module; the only module that names rolldown.

mod tsconfig;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rolldown::{
    Bundler, BundlerOptions, BundlerTransformOptions, CodeSplittingMode, Either, InlineConstOption,
    IsExternal, ModuleType, OptimizationOption, OutputFormat, Platform, RawMinifyOptions, ResolveOptions,
};
use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};

use crate::diagnostic::{Diagnostic, Place, Severity};
use tsconfig::Settings;

/// A script, ready to be sent.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    pub(crate) script: String,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Bundles the module at `script`, an absolute path in the repository at `root`. Places in messages are relative
/// to `shown_from`, where they lie below it.
pub(crate) async fn bundle(script: &Path, root: &Path, shown_from: &Path) -> Result<Bundle, Vec<Diagnostic>> {
    let failed = |message: String| vec![Diagnostic::error(Place::file(shown(script, shown_from)), message)];
    let convert =
        |problems: &[BuildDiagnostic], severity| diagnostics(problems, severity, script, shown_from);
    let mut settings = tsconfig::settings(script, root);
    let warning = settings.warning.take();
    let bundler = Bundler::new(options(script, settings));
    let mut bundler = bundler.map_err(|problems| convert(&problems, Severity::Error))?;
    let output = bundler.generate().await.map_err(|problems| convert(&problems, Severity::Error))?;
    let (unresolved, odd): (Vec<_>, Vec<_>) = output.warnings.into_iter().partition(is_unresolved);
    if !unresolved.is_empty() {
        return Err(convert(&unresolved, Severity::Error));
    }
    let chunk = output.assets.iter().find(|asset| asset.filename() == OUTPUT);
    let text = chunk.ok_or_else(|| failed("the bundler gave no script".to_owned()))?.content_as_bytes();
    let text = std::str::from_utf8(text)
        .map_err(|error| failed(format!("the bundler's script is not Unicode: {error}")))?;
    let mut warnings = convert(&odd, Severity::Warning);
    warnings.extend(warning.map(|warning| relative(warning, shown_from)));
    Ok(Bundle { script: text.to_owned(), warnings })
}

/// A name that the output chunk is found by; no file of this name is written.
const OUTPUT: &str = "script.js";

/// The options of the vendor's CLI, as far as they change what the script does.
fn options(script: &Path, settings: Settings) -> BundlerOptions {
    let strings = |list: &[&str]| Some(list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    let defined = ["process.env.NODE_ENV", "MODE"].map(|name| (name.to_owned(), "\"production\"".to_owned()));
    let texts = [".raw.js", ".raw.css"].map(|extension| (extension.to_owned(), ModuleType::Text));
    BundlerOptions {
        input: Some(vec![script.to_string_lossy().into_owned().into()]),
        cwd: script.parent().map(Path::to_owned),
        platform: Some(Platform::Neutral),
        format: Some(OutputFormat::Esm),
        entry_filenames: Some(OUTPUT.to_owned().into()),
        minify: Some(RawMinifyOptions::Bool(true)),
        code_splitting: Some(CodeSplittingMode::Bool(false)),
        external: Some(external()),
        define: Some(defined.into_iter().collect()),
        module_types: Some(texts.into_iter().collect()),
        resolve: Some(ResolveOptions {
            main_fields: strings(&["worker", "browser", "module", "jsnext", "main"]),
            condition_names: strings(&["worker", "browser", "import", "production"]),
            extensions: strings(&[".tsx", ".ts", ".jsx", ".js", ".css", ".json"]),
            ..ResolveOptions::default()
        }),
        transform: Some(BundlerTransformOptions {
            target: Some(Either::Left("es2020".to_owned())),
            jsx: Some(Either::Right(settings.jsx)),
            typescript: Some(settings.typescript),
            assumptions: Some(settings.assumptions),
            ..BundlerTransformOptions::default()
        }),
        tsconfig: Some(settings.tsconfig),
        // By default a large string that is used three times is written three times.
        optimization: Some(OptimizationOption {
            inline_const: Some(InlineConstOption::Bool(false)),
            ..OptimizationOption::default()
        }),
        ..BundlerOptions::default()
    }
}

/// What the Workers runtime brings itself.
fn external() -> IsExternal {
    IsExternal::Fn(Some(Arc::new(|specifier, _, _| {
        let external = specifier.starts_with("node:") || specifier.starts_with("cloudflare:");
        Box::pin(async move { Ok(external) })
    })))
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

/// A package that is not there, which the bundler leaves to the runtime; that has no packages.
fn is_unresolved(problem: &BuildDiagnostic) -> bool {
    matches!(problem.kind(), EventKind::UnresolvedImport)
}

fn is_conflict(problem: &BuildDiagnostic) -> bool {
    matches!(problem.kind(), EventKind::ConfigurationFieldConflict)
}

/// A problem of the bundler's as one of ours. Its columns count from 0.
fn diagnose(problem: &BuildDiagnostic, severity: Severity, script: &Path, shown_from: &Path) -> Diagnostic {
    let file = problem.id().map_or_else(|| script.to_owned(), PathBuf::from);
    let place = Place::file(shown(&file, shown_from));
    let options = DiagnosticOptions { cwd: shown_from.to_owned() };
    let position = problem.to_diagnostic_with(&options).get_primary_location();
    let place = position.map_or(place.clone(), |(_, line, column, _)| place.at(line, column + 1));
    let message = problem.to_message_with(&options);
    let message = message.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
    let hint = match problem.kind() {
        EventKind::ResolveError | EventKind::UnresolvedEntry | EventKind::UnresolvedImport => {
            Some("check the path; for a package, run `npm ci` before this step; for a module of Node itself, write `node:` before its name".to_owned())
        }
        _ => None,
    };
    Diagnostic { severity, place: Some(place), message, hint }
}

fn relative(diagnostic: Diagnostic, shown_from: &Path) -> Diagnostic {
    let path = diagnostic.place.as_ref().and_then(Place::path).map(|path| shown(path, shown_from));
    Diagnostic { place: path.map(Place::file), ..diagnostic }
}
