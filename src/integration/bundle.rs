//! Bundles a script and everything it imports into one ES module; the only module that names rolldown.

mod causes;
mod contents;
mod corrections;
mod licences;
mod lower;
mod plugin;
mod problems;
mod rewrite;
mod runtime;
mod service;
mod tsconfig;

pub(crate) use contents::Part;
pub(crate) use service::serve;

use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use rolldown::{
    BundleOutput, Bundler, BundlerOptions, BundlerTransformOptions, CodeSplittingMode, Either,
    GeneratedCodeOptions, InlineConstOption, OptimizationOption, Platform, RawMinifyOptions, ResolveOptions,
    TsConfig,
};
use rolldown_common::{Modules, Output, RenderedModule};
use rolldown_error::BuildResult;
use tracing::instrument::WithSubscriber as _;

use super::workshop::{Threads, Workshop};
use crate::diagnostic::{Diagnostic, Place};
use corrections::Corrections;
use plugin::{Files, Found};
use problems::{Problems, is_missing};
use service::Request;

/// A script, ready to be sent.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    pub(crate) script: String,
    /// The packages in it.
    pub(crate) parts: Vec<Part>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// Warnings that nobody can act on, for the debug log.
    pub(crate) notes: Vec<Diagnostic>,
}

/// Receives each file before it is parsed, and `None` when all are.
pub(crate) type Traced = Arc<dyn Fn(Option<&Path>) + Send + Sync>;

/// Bundles the module at `script`, an absolute path in the repository at `root`. Places in messages are relative
/// to `shown_from`, if they are below it.
pub(crate) async fn bundle(
    script: &Path,
    root: &Path,
    shown_from: &Path,
    workshop: &Workshop,
) -> Result<Bundle, Vec<Diagnostic>> {
    let [owned_script, owned_root, shown] = [script, root, shown_from].map(Path::to_owned);
    let mut request = Request { script: owned_script, root: owned_root, shown_from: shown, is_traced: false };
    let mut last = None;
    // Only a crash calls for the second, which is slower, and tells what it was about.
    for is_traced in [false, true] {
        request.is_traced = is_traced;
        let text = serde_json::to_string(&request).unwrap_or_default();
        match workshop.processes.ask(&text, service::is_last).await.map(service::read) {
            Ok(Ok(result)) => return result.inspect(|bundle| bundle.notes.iter().for_each(|note| tracing::debug!("{note}"))),
            Ok(Err(crash)) => last = Some(crash),
            Err(error) => {
                tracing::debug!("bundling in this process: {error}");
                return in_this_process(script, root, shown_from, &workshop.threads, None).await;
            }
        }
    }
    Err(last.map(|crash| problems::crashed(&crash, script, shown_from)).into_iter().collect())
}

/// Bundles on threads of this process. Dropping the future leaves the bundler running: one that is stopped halfway panics.
pub(super) async fn in_this_process(
    script: &Path,
    root: &Path,
    shown_from: &Path,
    threads: &Threads,
    traced: Option<Traced>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let [owned_script, root, shown_from] = [script, root, shown_from].map(Path::to_owned);
    let is_traced = traced.is_some();
    // Without a box, its type is too deep for the compiler.
    let work = async move { undisturbed(&owned_script, &root, &shown_from, traced).await }.boxed();
    threads.run(work.with_current_subscriber(), is_traced).await.unwrap_or_else(|error| {
        Err(vec![Diagnostic::error(Place::file(script), format!("the bundler stopped: {error}"))])
    })
}

/// The number of runs in which corrections may be found. Each run of a chain of files that export one another's types finds
/// one link.
const MAX_RUNS: usize = 32;

/// One run of the bundler, and the facts that it found.
struct Run {
    generated: BuildResult<BundleOutput>,
    found: Found,
}

async fn run(script: &Path, root: &Path, corrections: &Corrections, traced: Option<&Traced>) -> Run {
    let files = Arc::new(Files::new(root, corrections.clone(), traced.cloned()));
    let generated = match Bundler::with_plugins(options(script, root, corrections), vec![Arc::clone(&files) as _]) {
        Ok(mut bundler) => bundler.generate().await,
        Err(problems) => Err(problems),
    };
    let mut found = files.take_found();
    found.problems.extend(files.tsconfigs.take_problems());
    if let Err(problems) = &generated {
        found.needed.add(Corrections::needed(problems));
    }
    Run { generated, found }
}

async fn undisturbed(
    script: &Path,
    root: &Path,
    shown_from: &Path,
    traced: Option<Traced>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let mut corrections = Corrections::default();
    let mut last = run(script, root, &corrections, traced.as_ref()).await;
    for _ in 1..MAX_RUNS {
        if !corrections.add(std::mem::take(&mut last.found.needed)) {
            break;
        }
        last = run(script, root, &corrections, traced.as_ref()).await;
    }
    let Run { generated, found } = last;
    let problems = Problems { script, root, shown_from, unread: &found.unread };
    let own = found.problems.into_iter().map(|problem| problems.relative(problem));
    let (errors, own_warnings): (Vec<_>, Vec<_>) = own.partition(Diagnostic::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    let output = generated.map_err(|errors| problems.errors(&errors))?;
    // The bundler leaves an import that it cannot find to the runtime, which has nothing of the kind.
    let (missing, other): (Vec<_>, Vec<_>) = output.warnings.into_iter().partition(is_missing);
    if !missing.is_empty() {
        return Err(problems.errors(&missing));
    }
    let failed = |message: &str| vec![problems.relative(Diagnostic::error(Place::file(script), message))];
    let [Output::Chunk(chunk)] = output.assets.as_slice() else {
        return Err(failed("the bundler gave more than one script"));
    };
    let (notes, mut warnings) = problems.warnings(&other);
    warnings.extend(own_warnings);
    let script = licences::once(chunk.code.clone());
    let parts = contents::parts(lengths(&chunk.modules), script.len());
    Ok(Bundle { script, parts, warnings, notes })
}

/// The modules that are in a script, each with the length of what is left of it.
fn lengths(modules: &Modules) -> impl Iterator<Item = (&Path, usize)> {
    let length = |module: &RenderedModule| module.code().map_or(0, |code| code.len());
    modules.keys.iter().zip(&modules.values).map(move |(id, module)| (Path::new(id.as_str()), length(module)))
}

/// Returns the options of the vendor's CLI, as far as they change the script.
fn options(script: &Path, root: &Path, corrections: &Corrections) -> BundlerOptions {
    let strings = |list: &[&str]| Some(list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    let defined = ["process.env.NODE_ENV", "MODE"].map(|name| (name.to_owned(), "\"production\"".to_owned()));
    BundlerOptions {
        input: Some(vec![script.to_string_lossy().into_owned().into()]),
        cwd: script.parent().map(Path::to_owned),
        platform: Some(Platform::Neutral),
        minify: Some(RawMinifyOptions::Bool(true)),
        code_splitting: Some(CodeSplittingMode::Bool(false)),
        top_level_var: Some(true),
        define: Some(defined.into_iter().collect()),
        generated_code: Some(GeneratedCodeOptions { symbols: false, ..GeneratedCodeOptions::default() }),
        resolve: Some(ResolveOptions {
            main_fields: strings(&["worker", "browser", "module", "jsnext", "main"]),
            condition_names: strings(&["worker", "browser", "import", "production"]),
            extensions: strings(&[".tsx", ".ts", ".jsx", ".js", ".css", ".json"]),
            yarn_pnp: Some(is_plug_and_play(script, root)),
            ..ResolveOptions::default()
        }),
        transform: Some(BundlerTransformOptions {
            target: Some(Either::Left("es2022".to_owned())),
            ..BundlerTransformOptions::default()
        }),
        strict_execution_order: Some(corrections.keeps_order),
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

/// Returns whether Yarn keeps the packages of a script without `node_modules`.
fn is_plug_and_play(script: &Path, root: &Path) -> bool {
    let mut folders = script.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    folders.any(|folder| folder.join(".pnp.cjs").is_file())
}

#[cfg(test)]
mod tests;
