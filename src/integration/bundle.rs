//! Uses rolldown to bundle a script and its imports into one ES module.

mod archives;
mod child_process;
mod compile_typescript;
mod corrections;
mod devices;
mod diagnostics;
mod execution_order;
mod licenses;
mod module_facts;
mod module_format;
mod output_check;
mod package_sizes;
mod rewrite;
mod rolldown_plugin;
mod runtime_helpers;
mod sources;
mod tsconfig;
mod unresolved_imports;

pub(crate) use child_process::serve;
pub(crate) use package_sizes::PackageSize;

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

use super::packaging_context::{PackagingContext, ProcessEnd, Threads, run_with_large_stack};
use crate::diagnostic::{Diagnostic, SourceLocation};
use child_process::BundleRequest;
use corrections::Corrections;
use diagnostics::{BUNDLE_EARLIER_HINT, DiagnosticContext, is_unresolved_import};
use module_facts::ModuleFacts;
use rolldown_plugin::RolldownPlugin;

/// A script that is ready to be published.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    pub(crate) script: String,
    /// The estimated size of each package in the script.
    pub(crate) packages: Vec<PackageSize>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// Warnings about files in `node_modules`, for the debug log.
    pub(crate) package_warnings: Vec<Diagnostic>,
}

/// A callback that receives each file's path before the file is parsed, and `None` after the last file.
pub(crate) type OnParse = Arc<dyn Fn(Option<&Path>) + Send + Sync>;

/// Bundles the module at `script`, an absolute path in the repository at `root`. In messages, paths in the folder `display_base`
/// are relative to that folder, and all other paths are absolute.
///
/// # Errors
/// Returns the errors in the script and in the files that it imports, or one error if the bundler crashes.
pub(crate) async fn bundle(
    script: &Path,
    root: &Path,
    display_base: &Path,
    packaging_context: &PackagingContext,
) -> Result<Bundle, Vec<Diagnostic>> {
    let [script, root, display_base] = [script, root, display_base].map(Path::to_owned);
    send_with_retry(
        BundleRequest { script, root, display_base, reports_parsing: false, built_code: None },
        packaging_context,
    )
    .await
}

/// The maximum size, in bytes, of a built script that this process checks itself, without a bundler process. Code of this size
/// cannot be nested deeply enough to overflow the checking thread's large stack.
const MAX_BYTES_CHECKED_IN_PROCESS: usize = 16 * 1024;

/// Checks a built script, which is published without bundling. `code` is the content of the script. `script` is its path, for
/// the diagnostics.
///
/// # Errors
/// Returns an error if the script contains syntax that the Workers runtime does not support.
pub(crate) async fn check_built_script(
    script: &Path,
    code: &str,
    display_base: &Path,
    packaging_context: &PackagingContext,
) -> Result<(), Vec<Diagnostic>> {
    let [script, root, display_base] = [script, display_base, display_base].map(Path::to_owned);
    let new_request = || BundleRequest {
        script: script.clone(),
        root: root.clone(),
        display_base: display_base.clone(),
        reports_parsing: false,
        built_code: Some(code.to_owned()),
    };
    if code.len() <= MAX_BYTES_CHECKED_IN_PROCESS
        && let Ok(checked) =
            run_with_large_stack(|| futures::executor::block_on(handle_request(new_request(), None)))
    {
        return checked.map(drop);
    }
    send_with_retry(new_request(), packaging_context).await.map(drop)
}

/// Sends a request to a bundler process, and sends it again if the process crashes. If no process can be started, handles the
/// request in this process.
async fn send_with_retry(
    mut request: BundleRequest,
    packaging_context: &PackagingContext,
) -> Result<Bundle, Vec<Diagnostic>> {
    let mut last_crash = None;
    // After a crash, the second attempt reports each file before parsing it. This is slower, but identifies the file
    // that caused the crash.
    for reports_parsing in [false, true] {
        request.reports_parsing = reports_parsing;
        let request_line = serde_json::to_string(&request).unwrap_or_default();
        // The second attempt needs a new process: it runs on a single thread, so that the last file reported is the one that
        // crashed, and the first request to a process fixes its number of threads.
        match packaging_context
            .processes
            .send_request(&request_line, child_process::is_last_line, reports_parsing)
            .await
            .map(child_process::parse_reply)
        {
            Ok(Ok(result)) => {
                return result.inspect(|bundle| {
                    bundle.package_warnings.iter().for_each(|warning| tracing::debug!("{warning}"));
                });
            }
            Ok(Err(crash)) => {
                let is_timeout = matches!(crash.end, ProcessEnd::Timeout);
                last_crash = Some(crash);
                if is_timeout {
                    break;
                }
            }
            Err(error) => {
                tracing::debug!("could not start a bundler process: {error}; bundling in this process");
                if request.built_code.is_some() {
                    return handle_request(request, None).await;
                }
                return handle_request_on_threads(request, &packaging_context.threads, None).await;
            }
        }
    }
    let BundleRequest { script, display_base, .. } = &request;
    Err(last_crash.map(|crash| diagnostics::crash_error(&crash, script, display_base)).into_iter().collect())
}

/// Handles a request on `threads`. If the future is dropped, the bundler keeps running, because stopping it would cause a panic.
async fn handle_request_on_threads(
    request: BundleRequest,
    threads: &Threads,
    on_parse: Option<OnParse>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let is_single_threaded = on_parse.is_some();
    let script = request.script.clone();
    // Without a box, the type of the future exceeds the compiler's recursion limit.
    let work = async move { handle_request(request, on_parse).await }.boxed();
    threads.run(work.with_current_subscriber(), is_single_threaded).await.unwrap_or_else(|error| {
        Err(vec![
            Diagnostic::error(
                SourceLocation::file(script),
                format!("the bundler stopped unexpectedly: {error}"),
            )
            .with_hint(BUNDLE_EARLIER_HINT.to_owned()),
        ])
    })
}

async fn handle_request(
    request: BundleRequest,
    on_parse: Option<OnParse>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let BundleRequest { script, root, display_base, built_code, .. } = request;
    let Some(code) = built_code else {
        return bundle_with_corrections(&script, &root, &display_base, on_parse).await;
    };
    output_check::check_built_syntax(&code).map(|()| Bundle::default()).map_err(|invalid_syntax| {
        let displayed_path = script.strip_prefix(&display_base).unwrap_or(&script);
        let location = diagnostics::location_at_offset(&script, &root, &code, invalid_syntax.offset)
            .with_path(displayed_path.to_owned());
        let message = format!("the script is not valid: {}", invalid_syntax.message);
        let hint = "build the script as one ES module for the Workers runtime".to_owned();
        vec![Diagnostic::error(location, message).with_hint(hint)]
    })
}

/// The maximum number of bundler runs for one script. If a chain of files re-exports a type, each run corrects only one of these
/// files, because the bundler reports the missing export in only one file at a time.
const MAX_BUNDLER_RUNS: usize = 32;

/// The result of one bundler run, and the facts that this run collected about modules.
struct BundlerRun {
    result: BuildResult<BundleOutput>,
    facts: ModuleFacts,
}

async fn run_bundler(
    script: &Path,
    root: &Path,
    corrections: &Corrections,
    on_parse: Option<&OnParse>,
) -> BundlerRun {
    let plugin = Arc::new(RolldownPlugin::new(root, corrections.clone(), on_parse.cloned()));
    let result = match Bundler::with_plugins(
        bundler_options(script, root, corrections),
        vec![Arc::clone(&plugin) as _],
    ) {
        Ok(mut bundler) => bundler.generate().await,
        Err(problems) => Err(problems),
    };
    let mut facts = plugin.take_facts();
    facts.problems.extend(plugin.tsconfigs.take_problems());
    if let Err(problems) = &result {
        facts.needed_corrections.add(Corrections::from_problems(problems, root));
    }
    BundlerRun { result, facts }
}

/// Runs the bundler until a run finds no new corrections, at most [`MAX_BUNDLER_RUNS`] times.
async fn bundle_with_corrections(
    script: &Path,
    root: &Path,
    display_base: &Path,
    on_parse: Option<OnParse>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let mut corrections = Corrections::default();
    let mut last_run = run_bundler(script, root, &corrections, on_parse.as_ref()).await;
    for _ in 1..MAX_BUNDLER_RUNS {
        if !corrections.add(std::mem::take(&mut last_run.facts.needed_corrections)) {
            break;
        }
        last_run = run_bundler(script, root, &corrections, on_parse.as_ref()).await;
    }
    let BundlerRun { result, facts } = last_run;
    let context = DiagnosticContext { script, root, display_base, read_failures: &facts.read_failures };
    let plugin_problems = facts.problems.into_iter().map(|problem| context.with_relative_path(problem));
    let (errors, plugin_warnings): (Vec<_>, Vec<_>) = plugin_problems.partition(Diagnostic::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    let output = result.map_err(|errors| context.convert_errors(&errors))?;
    // The bundler only warns about an unresolved import, but the import would fail at run time.
    let (unresolved, other_warnings): (Vec<_>, Vec<_>) =
        output.warnings.into_iter().partition(is_unresolved_import);
    if !unresolved.is_empty() {
        return Err(context.convert_errors(&unresolved));
    }
    let script_error = |message: &str| {
        let error = Diagnostic::error(SourceLocation::file(script), message);
        vec![context.with_relative_path(error.with_hint(BUNDLE_EARLIER_HINT.to_owned()))]
    };
    let [Output::Chunk(chunk)] = output.assets.as_slice() else {
        return Err(script_error("the bundler returned more than one script"));
    };
    let (package_warnings, mut warnings) = context.convert_warnings(&other_warnings);
    warnings.extend(plugin_warnings);
    let Ok(legal_comments) = output_check::check_and_find_licenses(&chunk.code) else {
        return Err(vec![context.with_relative_path(invalid_script_error(script, root, corrections).await)]);
    };
    let script = licenses::deduplicate(chunk.code.clone(), &legal_comments);
    let packages = package_sizes::package_sizes(module_lengths(&chunk.modules), script.len());
    Ok(Bundle { script, packages, warnings, package_warnings })
}

/// Returns the error for unsupported syntax in the bundled script, with the location in the source file. Bundles the script
/// again to get a source map.
async fn invalid_script_error(script: &Path, root: &Path, corrections: Corrections) -> Diagnostic {
    let corrections = Corrections { needs_source_map: true, ..corrections };
    let BundlerRun { result, .. } = run_bundler(script, root, &corrections, None).await;
    let assets = result.map(|output| output.assets).unwrap_or_default();
    let chunk = assets.iter().find_map(|asset| match asset {
        Output::Chunk(chunk) => Some(chunk),
        Output::Asset(_) => None,
    });
    let invalid_syntax =
        chunk.and_then(|chunk| Some((chunk, output_check::check_and_find_licenses(&chunk.code).err()?)));
    let location = invalid_syntax.as_ref().and_then(|(chunk, invalid_syntax)| {
        output_check::source_position(chunk, script, invalid_syntax.offset)
    });
    let location = location.map_or_else(
        || SourceLocation::file(script),
        |(file, line, column)| diagnostics::location_in_file(&file, root, line, column),
    );
    let reason = invalid_syntax.map(|(_, invalid_syntax)| invalid_syntax.message).unwrap_or_default();
    let hint = "rewrite this code; the bundler cannot compile it for the Workers runtime".to_owned();
    Diagnostic::error(location, format!("the bundled script is not valid: {reason}")).with_hint(hint)
}

/// Returns each module's path and the length of its code after tree shaking.
fn module_lengths(modules: &Modules) -> impl Iterator<Item = (&Path, usize)> {
    let length = |module: &RenderedModule| module.code().map_or(0, |code| code.len());
    modules.keys.iter().zip(&modules.values).map(move |(id, module)| (Path::new(id.as_str()), length(module)))
}

/// Returns bundler options equivalent to those of `@gitbook/cli`.
fn bundler_options(script: &Path, root: &Path, corrections: &Corrections) -> BundlerOptions {
    let to_strings = |list: &[&str]| Some(list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    let definitions =
        ["process.env.NODE_ENV", "MODE"].map(|name| (name.to_owned(), "\"production\"".to_owned()));
    BundlerOptions {
        input: Some(vec![script.to_string_lossy().into_owned().into()]),
        cwd: script.parent().map(Path::to_owned),
        platform: Some(Platform::Neutral),
        minify: Some(RawMinifyOptions::Bool(true)),
        code_splitting: Some(CodeSplittingMode::Bool(false)),
        top_level_var: Some(true),
        define: Some(definitions.into_iter().collect()),
        generated_code: Some(GeneratedCodeOptions { symbols: false }),
        resolve: Some(ResolveOptions {
            main_fields: to_strings(&["worker", "browser", "module", "jsnext", "main"]),
            condition_names: to_strings(&["worker", "browser", "import", "production"]),
            extensions: to_strings(&[".tsx", ".ts", ".jsx", ".js", ".css", ".json"]),
            yarn_pnp: Some(uses_yarn_pnp(script, root)),
            ..ResolveOptions::default()
        }),
        transform: Some(BundlerTransformOptions {
            target: Some(Either::Left("es2022".to_owned())),
            ..BundlerTransformOptions::default()
        }),
        strict_execution_order: Some(corrections.keeps_import_order),
        sourcemap: corrections.needs_source_map.then_some(SourceMapType::Hidden),
        // The bundler must not read `tsconfig.json`: `RolldownPlugin` already applies the nearest one to each file.
        tsconfig: Some(TsConfig::Auto(false)),
        // By default, the bundler inlines constants. A large string that the script uses three times would then appear three
        // times.
        optimization: Some(OptimizationOption {
            inline_const: Some(InlineConstOption::Bool(false)),
            ..OptimizationOption::default()
        }),
        ..BundlerOptions::default()
    }
}

/// Returns true if Yarn Plug'n'Play manages the script's packages.
fn uses_yarn_pnp(script: &Path, root: &Path) -> bool {
    let mut folders = script.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    folders.any(|folder| folder.join(".pnp.cjs").is_file())
}

#[cfg(test)]
mod tests;
