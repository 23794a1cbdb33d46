//! Bundles a script and everything it imports into one ES module; the only module that names rolldown.

mod archives;
mod causes;
mod contents;
mod corrections;
mod devices;
mod licences;
mod lower;
mod order;
mod output;
mod plugin;
mod problems;
mod rewrite;
mod runtime;
mod service;
mod sources;
mod tsconfig;

pub(crate) use contents::Part;
pub(crate) use service::serve;

use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use rolldown::{
    BundleOutput, Bundler, BundlerOptions, BundlerTransformOptions, CodeSplittingMode, Either,
    GeneratedCodeOptions, InlineConstOption, OptimizationOption, Platform, RawMinifyOptions, ResolveOptions,
    SourceMapType, TsConfig,
};
use rolldown_common::{Modules, Output, RenderedModule};
use rolldown_error::BuildResult;
use tracing::instrument::WithSubscriber as _;

use super::workshop::{End, Threads, Workshop, with_large_stack};
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
    let [script, root, shown_from] = [script, root, shown_from].map(Path::to_owned);
    ask(Request { script, root, shown_from, is_traced: false, built: None }, workshop).await
}

/// The bytes of a script that no process of its own is needed for: however deep it nests, the stack of a thread is enough.
const SMALL: usize = 16 * 1024;

/// Checks a script that was built before, of the file at `script`.
///
/// # Errors
/// The syntax that the Workers runtime does not accept.
pub(crate) async fn check_built(
    script: &Path,
    text: &str,
    shown_from: &Path,
    workshop: &Workshop,
) -> Result<(), Vec<Diagnostic>> {
    let [script, root, shown_from] = [script, shown_from, shown_from].map(Path::to_owned);
    let request = || Request {
        script: script.clone(),
        root: root.clone(),
        shown_from: shown_from.clone(),
        is_traced: false,
        built: Some(text.to_owned()),
    };
    if text.len() <= SMALL
        && let Ok(checked) = with_large_stack(|| futures::executor::block_on(answer(request(), None)))
    {
        return checked.map(drop);
    }
    ask(request(), workshop).await.map(drop)
}

async fn ask(mut request: Request, workshop: &Workshop) -> Result<Bundle, Vec<Diagnostic>> {
    let mut last = None;
    // Only a crash calls for the second attempt, which is slower and tells the file.
    for is_traced in [false, true] {
        request.is_traced = is_traced;
        let text = serde_json::to_string(&request).unwrap_or_default();
        // The number of a process's threads is that of its first request: one, for a traced one.
        match workshop.processes.ask(&text, service::is_last, is_traced).await.map(service::read) {
            Ok(Ok(result)) => {
                return result
                    .inspect(|bundle| bundle.notes.iter().for_each(|note| tracing::debug!("{note}")));
            }
            Ok(Err(crash)) => {
                let is_late = matches!(crash.end, End::Late);
                last = Some(crash);
                if is_late {
                    break;
                }
            }
            Err(error) => {
                tracing::debug!("bundling in this process: {error}");
                if request.built.is_some() {
                    return answer(request, None).await;
                }
                return in_this_process(request, &workshop.threads, None).await;
            }
        }
    }
    let Request { script, shown_from, .. } = &request;
    Err(last.map(|crash| problems::crashed(&crash, script, shown_from)).into_iter().collect())
}

/// Bundles on threads of this process. Dropping the future leaves the bundler running: one that is stopped halfway panics.
async fn in_this_process(
    request: Request,
    threads: &Threads,
    traced: Option<Traced>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let is_traced = traced.is_some();
    let script = request.script.clone();
    // Without a box, its type is too deep for the compiler.
    let work = async move { answer(request, traced).await }.boxed();
    threads.run(work.with_current_subscriber(), is_traced).await.unwrap_or_else(|error| {
        Err(vec![Diagnostic::error(Place::file(script), format!("the bundler stopped: {error}"))])
    })
}

async fn answer(request: Request, traced: Option<Traced>) -> Result<Bundle, Vec<Diagnostic>> {
    let Request { script, root, shown_from, built, .. } = request;
    let Some(text) = built else { return undisturbed(&script, &root, &shown_from, traced).await };
    output::check_built(&text).map(|()| Bundle::default()).map_err(|fault| {
        let shown = script.strip_prefix(&shown_from).unwrap_or(&script);
        let place = problems::in_source(&script, &root, &text, fault.offset).renamed(shown.to_owned());
        let message = format!("the script is not valid: {}", fault.message);
        let hint = "build it as one ES module for the Workers runtime".to_owned();
        vec![Diagnostic::error(place, message).hint(hint)]
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
    let generated =
        match Bundler::with_plugins(options(script, root, corrections), vec![Arc::clone(&files) as _]) {
            Ok(mut bundler) => bundler.generate().await,
            Err(problems) => Err(problems),
        };
    let mut found = files.take_found();
    found.problems.extend(files.tsconfigs.take_problems());
    if let Err(problems) = &generated {
        found.needed.add(Corrections::needed(problems, root));
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
    let Ok(legal_comments) = output::check(&chunk.code) else {
        return Err(vec![problems.relative(invalid(script, root, corrections).await)]);
    };
    let script = licences::once(chunk.code.clone(), &legal_comments);
    let parts = contents::parts(lengths(&chunk.modules), script.len());
    Ok(Bundle { script, parts, warnings, notes })
}

/// Returns the error for a script that the runtime would not accept, at the source of the fault.
async fn invalid(script: &Path, root: &Path, corrections: Corrections) -> Diagnostic {
    let corrections = Corrections { has_source_map: true, ..corrections };
    let Run { generated, .. } = run(script, root, &corrections, None).await;
    let assets = generated.map(|output| output.assets).unwrap_or_default();
    let chunk = assets.iter().find_map(|asset| match asset {
        Output::Chunk(chunk) => Some(chunk),
        Output::Asset(_) => None,
    });
    let fault = chunk.and_then(|chunk| Some((chunk, output::check(&chunk.code).err()?)));
    let place = fault.as_ref().and_then(|(chunk, fault)| output::source(chunk, script, fault.offset));
    let place = place.map_or_else(
        || Place::file(script),
        |(file, line, column)| problems::in_file(&file, root, line, column),
    );
    let reason = fault.map(|(_, fault)| fault.message).unwrap_or_default();
    let hint = "write this in another way; the bundler leaves it as it is, or compiles it wrongly".to_owned();
    Diagnostic::error(place, format!("the bundled script is not valid: {reason}")).hint(hint)
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
        generated_code: Some(GeneratedCodeOptions { symbols: false }),
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
        sourcemap: corrections.has_source_map.then_some(SourceMapType::Hidden),
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
