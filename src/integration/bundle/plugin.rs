//! Reads, resolves and compiles files for the bundler as the vendor's CLI does.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use oxc::diagnostics::OxcDiagnostic;
use rolldown::ModuleType;
use rolldown::plugin::{
    HookLoadArgs, HookLoadOutput, HookLoadReturn, HookResolveIdArgs, HookResolveIdOutput,
    HookResolveIdReturn, HookTransformArgs, HookTransformAstArgs, HookTransformAstReturn,
    HookTransformOutput, HookTransformReturn, HookUsage, Plugin, PluginContext, SharedLoadPluginContext,
    SharedTransformPluginContext,
};
use rolldown_common::ImportKind;

use super::lower::lower;
use super::rewrite::rewrite;
use super::tsconfig::TsconfigFiles;
use crate::diagnostic::{Diagnostic, Place};

/// The start of the name of a module that stands for `require` of a module of the runtime.
const REQUIRED: &str = "\0require:";

/// The vendor's CLI as a plugin.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    pub(super) tsconfigs: TsconfigFiles,
    problems: Mutex<Vec<Diagnostic>>,
}

impl Files {
    /// Prepares for the repository at `root`.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), tsconfigs: TsconfigFiles::new(root), problems: Mutex::default() }
    }

    /// Returns what was found wrong in the files.
    pub(super) fn take_problems(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.problems.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn report(&self, problem: Diagnostic) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// Resolves a specifier by the `paths` and `baseUrl` of the importer's `tsconfig.json`.
    async fn by_tsconfig(&self, ctx: &PluginContext, specifier: &str, importer: &str) -> HookResolveIdReturn {
        let options = self.tsconfigs.options(&file_of(importer));
        for candidate in options.candidates(specifier) {
            if let Ok(found) = ctx.resolve(&candidate.to_string_lossy(), Some(importer), None).await? {
                return Ok(Some(HookResolveIdOutput::from_resolved_id(found)));
            }
        }
        Ok(None)
    }

    /// Resolves `./file?query` and `./file#hash`, of which each is a module of its own, unless a file has that very name.
    async fn without_suffix(&self, ctx: &PluginContext, specifier: &str, importer: &str) -> HookResolveIdReturn {
        let Some(at) = specifier.find(['?', '#']).filter(|at| *at > 0) else { return Ok(None) };
        let (specifier, suffix) = specifier.split_at(at);
        let Ok(found) = ctx.resolve(specifier, Some(importer), None).await? else { return Ok(None) };
        let found = HookResolveIdOutput::from_resolved_id(found);
        let id = format!("{}{suffix}", found.id).into();
        Ok(Some(HookResolveIdOutput { id, ..found }))
    }
}

/// Returns the file of a module, of which the name may have a query or hash.
pub(super) fn file_of(module: &str) -> PathBuf {
    let path = Path::new(module);
    if path.is_file() {
        return path.to_owned();
    }
    let end = module.find(['?', '#']).unwrap_or(module.len());
    PathBuf::from(&module[..end])
}

/// Returns how a file is read, by its name, as esbuild reads it; `None` for one that cannot be imported.
fn module_type(path: &Path) -> Option<ModuleType> {
    let name = path.file_name()?.to_string_lossy();
    if name.ends_with(".raw.js") || name.ends_with(".raw.css") {
        return Some(ModuleType::Text);
    }
    Some(match name.rsplit_once('.').map(|(_, extension)| extension) {
        None | Some("js" | "mjs" | "cjs") => ModuleType::Js,
        Some("jsx") => ModuleType::Jsx,
        Some("ts" | "mts" | "cts") => ModuleType::Ts,
        Some("tsx") => ModuleType::Tsx,
        Some("json") => ModuleType::Json,
        Some("txt") => ModuleType::Text,
        // A style sheet has no place in a script: an import of it has no effect.
        Some("css") => ModuleType::Empty,
        Some(_) => return None,
    })
}

impl Plugin for Files {
    fn name(&self) -> Cow<'static, str> {
        "files".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::ResolveId | HookUsage::Load | HookUsage::Transform | HookUsage::TransformAst
    }

    async fn resolve_id(&self, ctx: &PluginContext, args: &HookResolveIdArgs<'_>) -> HookResolveIdReturn {
        let specifier = args.specifier;
        if specifier.starts_with("node:") || specifier.starts_with("cloudflare:") {
            return Ok(Some(match args.kind {
                ImportKind::Require => HookResolveIdOutput::from_id(format!("{REQUIRED}{specifier}")),
                _ => HookResolveIdOutput {
                    external: Some(true.into()),
                    ..HookResolveIdOutput::from_id(specifier)
                },
            }));
        }
        let Some(importer) = args.importer.filter(|importer| !importer.starts_with('\0')) else { return Ok(None) };
        let is_path = specifier.starts_with('.') || Path::new(specifier).is_absolute();
        if !is_path && let Some(found) = self.by_tsconfig(ctx, specifier, importer).await? {
            return Ok(Some(found));
        }
        self.without_suffix(ctx, specifier, importer).await
    }

    async fn load(&self, _ctx: SharedLoadPluginContext, args: &HookLoadArgs<'_>) -> HookLoadReturn {
        if let Some(required) = args.id.strip_prefix(REQUIRED) {
            let code = format!("export {{ default as 'module.exports' }} from {required:?};").into();
            return Ok(Some(HookLoadOutput { code, module_type: Some(ModuleType::Js), ..HookLoadOutput::default() }));
        }
        if !Path::new(args.id).is_absolute() {
            return Ok(None);
        }
        let path = file_of(args.id);
        let Some(module_type) = module_type(&path) else { anyhow::bail!("unsupported") };
        let code = if module_type == ModuleType::Empty {
            String::new()
        } else {
            String::from_utf8_lossy(&std::fs::read(&path)?).into_owned()
        };
        Ok(Some(HookLoadOutput { code: code.into(), module_type: Some(module_type), ..HookLoadOutput::default() }))
    }

    async fn transform(&self, _ctx: SharedTransformPluginContext, args: &HookTransformArgs<'_>) -> HookTransformReturn {
        let code = (args.id == "\0rolldown/runtime.js").then(|| super::runtime::as_in_esbuild(args.code));
        Ok(code.map(|code| HookTransformOutput { code: Some(code), ..HookTransformOutput::default() }))
    }

    async fn transform_ast(&self, _ctx: &PluginContext, args: HookTransformAstArgs<'_>) -> HookTransformAstReturn {
        let path = file_of(args.id);
        let settings = self.tsconfigs.options(&path);
        let rewritten = match rewrite(args.ast, args.id, &settings).map_err(|errors| anyhow::anyhow!("{errors:?}"))? {
            Ok(rewritten) => rewritten,
            Err(refusals) => {
                for refusal in refusals {
                    self.report(Diagnostic::error(Place::file(&path), refusal.message).hint(refusal.hint));
                }
                anyhow::bail!("refused");
            }
        };
        let mut ast = rewritten.ast;
        let is_compiled = matches!(args.module_type, ModuleType::Ts | ModuleType::Tsx | ModuleType::Jsx);
        if !is_compiled {
            return Ok(ast);
        }
        let errors: Vec<OxcDiagnostic> = ast
            .program
            .with_mut(|fields| lower(fields.program, fields.allocator, Path::new(args.stable_id), &settings, rewritten.has_no_fields))
            .err()
            .unwrap_or_default();
        for error in errors {
            self.report(Diagnostic::error(Place::file(&path), error.message.to_string()));
        }
        Ok(ast)
    }
}
