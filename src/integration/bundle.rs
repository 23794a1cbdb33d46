//! Bundles a script and its imports into one ES module with rolldown.

mod archives;
mod causes;
mod composition;
mod corrections;
mod devices;
mod diagnostics;
mod licenses;
mod lower;
mod order;
mod output;
mod plugin;
mod rewrite;
mod runtime;
mod service;
mod sources;
mod tsconfig;

pub(crate) use composition::PackageSize;
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

use super::packaging_context::{PackagingContext, ProcessEnd, Threads, with_large_stack};
use crate::diagnostic::{Diagnostic, SourceLocation};
use corrections::Corrections;
use diagnostics::{DiagnosticContext, is_unresolved};
use plugin::{CliPlugin, ModuleFacts};
use service::BundleRequest;

/// A script that is ready to be published.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    pub(crate) script: String,
    /// The share of each package in the script.
    pub(crate) packages: Vec<PackageSize>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// Warnings about files of packages, for the debug log.
    pub(crate) notes: Vec<Diagnostic>,
}

/// A callback for each file before it is parsed, and for `None` after the last one.
pub(crate) type OnParse = Arc<dyn Fn(Option<&Path>) + Send + Sync>;

/// Bundles the module at `script`, an absolute path in the repository at `root`. Paths in messages are relative to
/// `shown_from` if they are below it.
///
/// # Errors
/// The problems of the script and the files that it imports.
pub(crate) async fn bundle(
    script: &Path,
    root: &Path,
    shown_from: &Path,
    packaging_context: &PackagingContext,
) -> Result<Bundle, Vec<Diagnostic>> {
    let [script, root, shown_from] = [script, root, shown_from].map(Path::to_owned);
    request_bundle(
        BundleRequest { script, root, shown_from, reports_parsing: false, built: None },
        packaging_context,
    )
    .await
}

/// The maximum bytes of a built script that is checked in this process. No script of this size nests deeply enough to
/// overflow the large stack of a checking thread.
const MAX_CHECKED_IN_PROCESS: usize = 16 * 1024;

/// Checks the text of a built script. The diagnostics name the file at `script`.
///
/// # Errors
/// Syntax that the Workers runtime does not support.
pub(crate) async fn check_built(
    script: &Path,
    text: &str,
    shown_from: &Path,
    packaging_context: &PackagingContext,
) -> Result<(), Vec<Diagnostic>> {
    let [script, root, shown_from] = [script, shown_from, shown_from].map(Path::to_owned);
    let request = || BundleRequest {
        script: script.clone(),
        root: root.clone(),
        shown_from: shown_from.clone(),
        reports_parsing: false,
        built: Some(text.to_owned()),
    };
    if text.len() <= MAX_CHECKED_IN_PROCESS
        && let Ok(checked) = with_large_stack(|| futures::executor::block_on(handle_request(request(), None)))
    {
        return checked.map(drop);
    }
    request_bundle(request(), packaging_context).await.map(drop)
}

async fn request_bundle(
    mut request: BundleRequest,
    packaging_context: &PackagingContext,
) -> Result<Bundle, Vec<Diagnostic>> {
    let mut last = None;
    // The second attempt follows a crash. It is slower and names the file that caused the crash.
    for reports_parsing in [false, true] {
        request.reports_parsing = reports_parsing;
        let text = serde_json::to_string(&request).unwrap_or_default();
        // The first request of a process sets its number of threads: one thread if the request names each file.
        match packaging_context
            .processes
            .ask(&text, service::is_last_line, reports_parsing)
            .await
            .map(service::parse_answer)
        {
            Ok(Ok(result)) => {
                return result
                    .inspect(|bundle| bundle.notes.iter().for_each(|note| tracing::debug!("{note}")));
            }
            Ok(Err(crash)) => {
                let is_late = matches!(crash.end, ProcessEnd::Timeout);
                last = Some(crash);
                if is_late {
                    break;
                }
            }
            Err(error) => {
                tracing::debug!("cannot start a bundler process: {error}; bundling in this process");
                if request.built.is_some() {
                    return handle_request(request, None).await;
                }
                return bundle_in_this_process(request, &packaging_context.threads, None).await;
            }
        }
    }
    let BundleRequest { script, shown_from, .. } = &request;
    Err(last.map(|crash| diagnostics::crash_error(&crash, script, shown_from)).into_iter().collect())
}

/// Bundles on threads of this process. Dropping the future leaves the bundler running, because stopping it causes a panic.
async fn bundle_in_this_process(
    request: BundleRequest,
    threads: &Threads,
    on_parse: Option<OnParse>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let is_single_threaded = on_parse.is_some();
    let script = request.script.clone();
    // Without a box, the type of the future exceeds the compiler's recursion limit.
    let work = async move { handle_request(request, on_parse).await }.boxed();
    threads.run(work.with_current_subscriber(), is_single_threaded).await.unwrap_or_else(|error| {
        Err(vec![Diagnostic::error(
            SourceLocation::file(script),
            format!("the bundler stopped unexpectedly: {error}"),
        )])
    })
}

async fn handle_request(
    request: BundleRequest,
    on_parse: Option<OnParse>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let BundleRequest { script, root, shown_from, built, .. } = request;
    let Some(text) = built else {
        return bundle_with_corrections(&script, &root, &shown_from, on_parse).await;
    };
    output::check_built(&text).map(|()| Bundle::default()).map_err(|fault| {
        let shown = script.strip_prefix(&shown_from).unwrap_or(&script);
        let place =
            diagnostics::location_at_offset(&script, &root, &text, fault.offset).with_path(shown.to_owned());
        let message = format!("the script is not valid: {}", fault.message);
        let hint = "build the script as one ES module for the Workers runtime".to_owned();
        vec![Diagnostic::error(place, message).hint(hint)]
    })
}

/// The maximum number of runs of the bundler for one script. In a chain of files that export types of one another, each run
/// finds one missing name.
const MAX_RUNS: usize = 32;

/// The result of one run of the bundler, with the facts that it found.
struct BundleRun {
    result: BuildResult<BundleOutput>,
    facts: ModuleFacts,
}

async fn run_bundler(
    script: &Path,
    root: &Path,
    corrections: &Corrections,
    on_parse: Option<&OnParse>,
) -> BundleRun {
    let plugin = Arc::new(CliPlugin::new(root, corrections.clone(), on_parse.cloned()));
    let result =
        match Bundler::with_plugins(options(script, root, corrections), vec![Arc::clone(&plugin) as _]) {
            Ok(mut bundler) => bundler.generate().await,
            Err(problems) => Err(problems),
        };
    let mut facts = plugin.take_facts();
    facts.problems.extend(plugin.tsconfigs.take_problems());
    if let Err(problems) = &result {
        facts.needed_corrections.add(Corrections::from_problems(problems, root));
    }
    BundleRun { result, facts }
}

/// Runs the bundler until it needs no new corrections.
async fn bundle_with_corrections(
    script: &Path,
    root: &Path,
    shown_from: &Path,
    on_parse: Option<OnParse>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let mut corrections = Corrections::default();
    let mut last = run_bundler(script, root, &corrections, on_parse.as_ref()).await;
    for _ in 1..MAX_RUNS {
        if !corrections.add(std::mem::take(&mut last.facts.needed_corrections)) {
            break;
        }
        last = run_bundler(script, root, &corrections, on_parse.as_ref()).await;
    }
    let BundleRun { result, facts } = last;
    let context = DiagnosticContext { script, root, shown_from, read_failures: &facts.read_failures };
    let own = facts.problems.into_iter().map(|problem| context.relative(problem));
    let (errors, own_warnings): (Vec<_>, Vec<_>) = own.partition(Diagnostic::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    let output = result.map_err(|errors| context.errors(&errors))?;
    // The bundler only warns about an unresolved import. The runtime cannot resolve it either.
    let (missing, other): (Vec<_>, Vec<_>) = output.warnings.into_iter().partition(is_unresolved);
    if !missing.is_empty() {
        return Err(context.errors(&missing));
    }
    let failed =
        |message: &str| vec![context.relative(Diagnostic::error(SourceLocation::file(script), message))];
    let [Output::Chunk(chunk)] = output.assets.as_slice() else {
        return Err(failed("the bundler returned more than one script"));
    };
    let (notes, mut warnings) = context.warnings(&other);
    warnings.extend(own_warnings);
    let Ok(legal_comments) = output::check_module(&chunk.code) else {
        return Err(vec![context.relative(invalid_script(script, root, corrections).await)]);
    };
    let script = licenses::deduplicate(chunk.code.clone(), &legal_comments);
    let packages = composition::package_sizes(module_lengths(&chunk.modules), script.len());
    Ok(Bundle { script, packages, warnings, notes })
}

/// Returns the error for a script with syntax that the runtime does not support, at its location in the source file.
async fn invalid_script(script: &Path, root: &Path, corrections: Corrections) -> Diagnostic {
    let corrections = Corrections { needs_source_map: true, ..corrections };
    let BundleRun { result, .. } = run_bundler(script, root, &corrections, None).await;
    let assets = result.map(|output| output.assets).unwrap_or_default();
    let chunk = assets.iter().find_map(|asset| match asset {
        Output::Chunk(chunk) => Some(chunk),
        Output::Asset(_) => None,
    });
    let fault = chunk.and_then(|chunk| Some((chunk, output::check_module(&chunk.code).err()?)));
    let place =
        fault.as_ref().and_then(|(chunk, fault)| output::source_position(chunk, script, fault.offset));
    let place = place.map_or_else(
        || SourceLocation::file(script),
        |(file, line, column)| diagnostics::location_in_file(&file, root, line, column),
    );
    let reason = fault.map(|(_, fault)| fault.message).unwrap_or_default();
    let hint = "rewrite this code; the bundler cannot compile it for the Workers runtime".to_owned();
    Diagnostic::error(place, format!("the bundled script is not valid: {reason}")).hint(hint)
}

/// Returns the modules of a script, each with its length after unused code is removed.
fn module_lengths(modules: &Modules) -> impl Iterator<Item = (&Path, usize)> {
    let length = |module: &RenderedModule| module.code().map_or(0, |code| code.len());
    modules.keys.iter().zip(&modules.values).map(move |(id, module)| (Path::new(id.as_str()), length(module)))
}

/// Returns the options of `@gitbook/cli` that change the script.
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
        strict_execution_order: Some(corrections.keeps_import_order),
        sourcemap: corrections.needs_source_map.then_some(SourceMapType::Hidden),
        // The plugin has already compiled each file with its own settings.
        tsconfig: Some(TsConfig::Auto(false)),
        // By default, a large string that is used three times is written three times.
        optimization: Some(OptimizationOption {
            inline_const: Some(InlineConstOption::Bool(false)),
            ..OptimizationOption::default()
        }),
        ..BundlerOptions::default()
    }
}

/// Returns true if Yarn Plug'n'Play manages the packages of a script.
fn is_plug_and_play(script: &Path, root: &Path) -> bool {
    let mut folders = script.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    folders.any(|folder| folder.join(".pnp.cjs").is_file())
}

#[cfg(test)]
mod tests;
