//! Implements a rolldown plugin that resolves, reads and compiles files by the rules of `@gitbook/cli`.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oxc::ast::ast::{ImportDeclarationSpecifier, ModuleDeclaration, Program};
use oxc::span::Span;
use rolldown::ModuleType;
use rolldown::plugin::{
    HookBuildEndArgs, HookLoadArgs, HookLoadOutput, HookLoadReturn, HookNoopReturn, HookResolveIdArgs,
    HookResolveIdOutput, HookResolveIdReturn, HookTransformArgs, HookTransformAstArgs,
    HookTransformAstReturn, HookTransformOutput, HookTransformReturn, HookUsage, Plugin, PluginContext,
    SharedLoadPluginContext, SharedTransformPluginContext,
};
use rolldown_common::{ImportKind, ModuleInfo, NormalModule, RUNTIME_MODULE_KEY};

use super::OnParse;
use super::archives::ModuleReader;
use super::compile_typescript::compile;
use super::corrections::Corrections;
use super::devices::SpecialFileCheck;
use super::diagnostics::location_at_offset;
use super::execution_order::needs_strict_execution_order;
use super::module_facts::ModuleFacts;
use super::rewrite::apply_rules;
use super::sources::{ReadFailure, module_type, source_path};
use super::tsconfig::TsconfigFiles;
use crate::diagnostic::{Diagnostic, normalize_message};
use crate::integration::files::FileError;

/// The prefix in the names of virtual modules. Such a module replaces a `require` of a runtime module, such as `node:path`.
const REQUIRE_PREFIX: &str = "\0require:";

/// The rolldown plugin for one bundler run.
pub(super) struct RolldownPlugin {
    root: PathBuf,
    reader: ModuleReader,
    devices: SpecialFileCheck,
    pub(super) tsconfigs: TsconfigFiles,
    corrections: Corrections,
    on_parse: Option<OnParse>,
    facts: Mutex<ModuleFacts>,
}

impl fmt::Debug for RolldownPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RolldownPlugin").field("root", &self.root).finish_non_exhaustive()
    }
}

impl RolldownPlugin {
    /// Creates the plugin for the repository at `root`.
    pub(super) fn new(root: &Path, corrections: Corrections, on_parse: Option<OnParse>) -> Self {
        let (reader, tsconfigs) = (ModuleReader::new(root), TsconfigFiles::new(root));
        let (root, devices) = (root.to_owned(), SpecialFileCheck::default());
        Self { root, reader, devices, tsconfigs, corrections, on_parse, facts: Mutex::default() }
    }

    /// Removes and returns the facts collected so far.
    pub(super) fn take_facts(&self) -> ModuleFacts {
        std::mem::take(&mut self.lock_facts())
    }

    fn lock_facts(&self) -> MutexGuard<'_, ModuleFacts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report_error(&self, path: &Path, source: &str, span: Span, message: String, hint: Option<String>) {
        let location = location_at_offset(path, &self.root, source, span.start as usize);
        self.lock_facts().problems.push(Diagnostic::error(location, message).with_hint(hint));
    }

    /// Returns an error if the bundler would read a device to resolve an import.
    fn check_special_files(&self, specifier: &str, importer: Option<&str>) -> anyhow::Result<()> {
        let importer = importer.map(source_path);
        let folder = importer.as_deref().and_then(Path::parent).unwrap_or(&self.root);
        self.devices.check(specifier, folder).map_err(|problem| {
            let mut facts = self.lock_facts();
            if !facts.problems.contains(&problem) {
                facts.problems.push(*problem);
            }
            anyhow::anyhow!("the import was not resolved")
        })
    }

    /// Resolves a specifier by the options `paths` and `baseUrl` in the importer's `tsconfig.json`.
    async fn resolve_with_tsconfig(
        &self,
        ctx: &PluginContext,
        specifier: &str,
        importer: &str,
    ) -> HookResolveIdReturn {
        let options = self.tsconfigs.options(&source_path(importer));
        for candidate in options.candidate_paths(specifier) {
            self.check_special_files(&candidate.to_string_lossy(), Some(importer))?;
            if let Ok(resolved) = ctx.resolve(&candidate.to_string_lossy(), Some(importer), None).await? {
                return Ok(Some(HookResolveIdOutput::from_resolved_id(resolved)));
            }
        }
        Ok(None)
    }

    /// Resolves `./file?query` and `./file#hash` to the file with that full name if it exists, and otherwise to `./file`. Imports
    /// of `./file` with different suffixes become separate modules.
    async fn resolve_suffixed_path(
        &self,
        ctx: &PluginContext,
        specifier: &str,
        importer: &str,
    ) -> HookResolveIdReturn {
        let Some(suffix_start) = specifier.find(['?', '#']).filter(|start| *start > 0) else {
            return Ok(None);
        };
        let file_with_suffix = source_path(importer)
            .parent()
            .and_then(|folder| dunce::canonicalize(folder.join(specifier)).ok());
        if let Some(file) = file_with_suffix.filter(|file| file.is_file()) {
            return Ok(Some(HookResolveIdOutput::from_id(file.to_string_lossy().into_owned())));
        }
        let (specifier, suffix) = specifier.split_at(suffix_start);
        let Ok(resolved) = ctx.resolve(specifier, Some(importer), None).await? else { return Ok(None) };
        let output = HookResolveIdOutput::from_resolved_id(resolved);
        let id = format!("{}{suffix}", output.id).into();
        Ok(Some(HookResolveIdOutput { id, ..output }))
    }

    /// Reads the text of a file. Replaces invalid UTF-8 with U+FFFD.
    fn read_text(&self, path: &Path, module_type: &ModuleType) -> Result<String, ReadFailure> {
        let bytes = self.reader.read(path).map_err(|error| match error {
            FileError::Outside => ReadFailure::Outside,
            FileError::Io(error) => ReadFailure::Io(error.to_string()),
        })?;
        if *module_type == ModuleType::Empty {
            return Ok(String::new());
        }
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(match module_type {
            ModuleType::Json => text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
            _ => text,
        })
    }
}

/// Returns the specifiers in a file's namespace imports, such as `import * as a from 'b'`.
fn namespace_import_specifiers(program: &Program<'_>) -> Vec<String> {
    let imports = program.body.iter().filter_map(|statement| match statement.as_module_declaration()? {
        ModuleDeclaration::ImportDeclaration(import) => {
            let mut specifiers = import.specifiers.iter().flatten();
            let has_namespace = specifiers.any(|specifier| {
                matches!(specifier, ImportDeclarationSpecifier::ImportNamespaceSpecifier(_))
            });
            has_namespace.then(|| import.source.value.to_string())
        }
        ModuleDeclaration::ExportAllDeclaration(export) if export.exported.is_some() => {
            Some(export.source.value.to_string())
        }
        _ => None,
    });
    imports.collect()
}

/// Returns the specifiers in a file's `export * from` statements.
fn star_export_specifiers(program: &Program<'_>) -> Vec<String> {
    let exports = program.body.iter().filter_map(|statement| match statement.as_module_declaration()? {
        ModuleDeclaration::ExportAllDeclaration(export) if export.exported.is_none() => {
            Some(export.source.value.to_string())
        }
        _ => None,
    });
    exports.collect()
}

impl Plugin for RolldownPlugin {
    fn name(&self) -> Cow<'static, str> {
        "files".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::ResolveId
            | HookUsage::Load
            | HookUsage::Transform
            | HookUsage::TransformAst
            | HookUsage::ModuleParsed
            | HookUsage::BuildEnd
    }

    async fn resolve_id(&self, ctx: &PluginContext, args: &HookResolveIdArgs<'_>) -> HookResolveIdReturn {
        let specifier = args.specifier;
        if specifier.starts_with("node:") || specifier.starts_with("cloudflare:") {
            return Ok(Some(match args.kind {
                ImportKind::Require => HookResolveIdOutput::from_id(format!("{REQUIRE_PREFIX}{specifier}")),
                _ => HookResolveIdOutput {
                    external: Some(true.into()),
                    ..HookResolveIdOutput::from_id(specifier)
                },
            }));
        }
        let importer = args.importer.filter(|importer| !importer.starts_with('\0'));
        self.check_special_files(specifier, importer)?;
        let Some(importer) = importer else {
            return Ok(None);
        };
        if matches!(args.kind, ImportKind::Require | ImportKind::DynamicImport) {
            let mut facts = self.lock_facts();
            facts.namespace_imports.push((importer.to_owned(), specifier.to_owned()));
            if matches!(args.kind, ImportKind::Require) {
                facts.requiring_modules.insert(importer.to_owned());
            }
        }
        let is_path = specifier.starts_with('.') || Path::new(specifier).is_absolute();
        if !is_path && let Some(resolved) = self.resolve_with_tsconfig(ctx, specifier, importer).await? {
            return Ok(Some(resolved));
        }
        self.resolve_suffixed_path(ctx, specifier, importer).await
    }

    async fn load(&self, _ctx: SharedLoadPluginContext, args: &HookLoadArgs<'_>) -> HookLoadReturn {
        let loaded = |code: String, module_type| {
            Ok(Some(HookLoadOutput {
                code: code.into(),
                module_type: Some(module_type),
                ..HookLoadOutput::default()
            }))
        };
        if let Some(required) = args.id.strip_prefix(REQUIRE_PREFIX) {
            let code = format!("export {{ default as 'module.exports' }} from {required:?};");
            return loaded(code, ModuleType::Js);
        }
        let path = source_path(args.id);
        if !path.is_absolute() {
            return Ok(None);
        }
        self.on_parse.iter().for_each(|on_parse| on_parse(Some(&path)));
        let read = module_type(&path)
            .and_then(|module_type| Ok((self.read_text(&path, &module_type)?, module_type)));
        match read {
            Ok((code, module_type)) if self.corrections.sloppy_modules.contains(args.id) => {
                loaded(super::rewrite::to_strict(&code).unwrap_or(code), module_type)
            }
            Ok((code, module_type)) => loaded(code, module_type),
            Err(failure) => {
                self.lock_facts().read_failures.insert(path, failure);
                anyhow::bail!("the file was not read")
            }
        }
    }

    async fn transform(
        &self,
        _ctx: SharedTransformPluginContext,
        args: &HookTransformArgs<'_>,
    ) -> HookTransformReturn {
        let code =
            (args.id == RUNTIME_MODULE_KEY).then(|| super::runtime_helpers::with_esbuild_interop(args.code));
        Ok(code.map(|code| HookTransformOutput { code: Some(code), ..HookTransformOutput::default() }))
    }

    async fn transform_ast(
        &self,
        _ctx: &PluginContext,
        args: HookTransformAstArgs<'_>,
    ) -> HookTransformAstReturn {
        if matches!(args.module_type, ModuleType::Json | ModuleType::Text | ModuleType::Empty) {
            return Ok(args.ast);
        }
        let path = source_path(args.id);
        let settings = self.tsconfigs.options(&path);
        let rewritten = match apply_rules(args.ast, args.id, &settings, &self.corrections)? {
            Ok(rewritten) => rewritten,
            Err((source, unsupported)) => {
                for unsupported in unsupported {
                    self.report_error(
                        &path,
                        &source,
                        unsupported.span,
                        unsupported.message,
                        Some(unsupported.hint),
                    );
                }
                anyhow::bail!("the file contains unsupported code");
            }
        };
        let mut ast = rewritten.ast;
        if matches!(args.module_type, ModuleType::Ts | ModuleType::Tsx | ModuleType::Jsx) {
            let name = Path::new(args.stable_id);
            let compiled = ast.program.with_mut(|fields| {
                compile(fields.program, fields.allocator, name, &settings, rewritten.has_compiled_fields)
            });
            for error in compiled.err().unwrap_or_default() {
                let span = Span::empty(error.labels.first().map_or(0, |label| label.offset()));
                self.report_error(&path, ast.source(), span, normalize_message(&error.message), None);
            }
        }
        let namespace_imports = namespace_import_specifiers(ast.program())
            .into_iter()
            .map(|specifier| (args.id.to_owned(), specifier));
        let star_exports = star_export_specifiers(ast.program())
            .into_iter()
            .map(|specifier| (args.id.to_owned(), specifier));
        let mut facts = self.lock_facts();
        facts.namespace_imports.extend(namespace_imports);
        facts.star_exports.extend(star_exports);
        drop(facts);
        Ok(ast)
    }

    async fn module_parsed(
        &self,
        _ctx: &PluginContext,
        info: Arc<ModuleInfo>,
        module: &NormalModule,
    ) -> HookNoopReturn {
        let id = || info.id.as_str().to_owned();
        if info.id.as_str().starts_with('\0') {
            return Ok(());
        }
        let mut facts = self.lock_facts();
        let view = &module.ecma_view;
        if view.exports_kind.is_esm() && view.def_format.is_esm() {
            facts.node_es_modules.insert(id());
        }
        if info.is_entry {
            return Ok(());
        }
        facts.non_entry_modules.push(id());
        let is_this_module = |(script, _): &(String, String)| *script == info.id.as_str();
        if view.exports_kind.is_commonjs() {
            facts.commonjs_modules.insert(id());
            if view.source.contains("__esModule") {
                facts.transpiled_commonjs.push(id());
            }
        } else if !view.exports_kind.is_esm() || self.corrections.undefined_names.iter().any(is_this_module) {
            facts.plain_scripts.push(id());
        }
        Ok(())
    }

    async fn build_end(&self, ctx: &PluginContext, args: Option<&HookBuildEndArgs<'_>>) -> HookNoopReturn {
        self.on_parse.iter().for_each(|on_parse| on_parse(None));
        if args.is_some() {
            return Ok(());
        }
        let (plain_scripts, namespace_imports) = {
            let mut facts = self.lock_facts();
            (std::mem::take(&mut facts.plain_scripts), std::mem::take(&mut facts.namespace_imports))
        };
        // If a module without exports is imported as a namespace, the next run treats the module as CommonJS.
        if !plain_scripts.is_empty() {
            for (importer, specifier) in namespace_imports {
                if let Ok(resolved) = ctx.resolve(&specifier, Some(&importer), None).await?
                    && plain_scripts.iter().any(|script| *script == resolved.id.as_str())
                {
                    self.lock_facts()
                        .needed_corrections
                        .commonjs_modules
                        .insert(resolved.id.as_str().to_owned());
                }
            }
        }
        let (star_exports, commonjs_modules) = {
            let mut facts = self.lock_facts();
            (std::mem::take(&mut facts.star_exports), facts.commonjs_modules.clone())
        };
        for (importer, specifier) in star_exports.into_iter().filter(|_| !commonjs_modules.is_empty()) {
            if let Ok(resolved) = ctx.resolve(&specifier, Some(&importer), None).await?
                && commonjs_modules.contains(resolved.id.as_str())
            {
                self.lock_facts().needed_corrections.star_exports.insert((importer, specifier));
            }
        }
        let mut facts = self.lock_facts();
        facts.needed_corrections.keeps_import_order = needs_strict_execution_order(ctx, &facts);
        Ok(())
    }
}
