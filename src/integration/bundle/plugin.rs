//! Reads, resolves and compiles files for the bundler as the vendor's CLI does.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
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

use super::Traced;
use super::archives::Archives;
use super::corrections::Corrections;
use super::devices::Devices;
use super::lower::lower;
use super::order::keeps_order;
use super::problems::in_source;
use super::rewrite::rewrite;
use super::sources::{Unread, file_of, module_type};
use super::tsconfig::TsconfigFiles;
use crate::diagnostic::Diagnostic;
use crate::integration::files::FileError;

/// The start of the name of a module that stands for `require` of a module of the runtime.
const REQUIRED: &str = "\0require:";

/// The vendor's CLI as a plugin, for one run of the bundler.
pub(super) struct Files {
    root: PathBuf,
    archives: Archives,
    devices: Devices,
    pub(super) tsconfigs: TsconfigFiles,
    corrections: Corrections,
    traced: Option<Traced>,
    found: Mutex<Found>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Facts about the files that were read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) problems: Vec<Diagnostic>,
    pub(super) unread: HashMap<PathBuf, Unread>,
    /// The corrections that the next run needs.
    pub(super) needed: Corrections,
    /// Modules and the specifiers that they import as a namespace, lazily or by `require`.
    namespaces: Vec<(String, String)>,
    /// Modules and the specifiers of those all of whose names they export.
    stars: Vec<(String, String)>,
    /// Modules that call `require`.
    pub(super) requiring: HashSet<String>,
    /// CommonJS modules.
    pub(super) commonjs: HashSet<String>,
    /// All modules but the entry.
    pub(super) modules: Vec<String>,
    /// Modules without any import or export.
    scripts: Vec<String>,
    /// CommonJS modules with `__esModule`.
    pub(super) transpiled: Vec<String>,
    /// Modules that Node takes for ES modules.
    pub(super) node_modules: HashSet<String>,
}

impl Files {
    /// Prepares for the repository at `root`.
    pub(super) fn new(root: &Path, corrections: Corrections, traced: Option<Traced>) -> Self {
        let (archives, tsconfigs) = (Archives::new(root), TsconfigFiles::new(root));
        let (root, devices) = (root.to_owned(), Devices::default());
        Self { root, archives, devices, tsconfigs, corrections, traced, found: Mutex::default() }
    }

    /// Takes the facts found so far.
    pub(super) fn take_found(&self) -> Found {
        std::mem::take(&mut self.found())
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, path: &Path, source: &str, span: Span, message: String, hint: Option<String>) {
        let place = in_source(path, &self.root, source, span.start as usize);
        self.found().problems.push(Diagnostic::error(place, message).hint(hint));
    }

    /// Fails if the bundler would read a device to resolve an import.
    fn check_devices(&self, specifier: &str, importer: Option<&str>) -> anyhow::Result<()> {
        let importer = importer.map(file_of);
        let folder = importer.as_deref().and_then(Path::parent).unwrap_or(&self.root);
        self.devices.check(specifier, folder).map_err(|problem| {
            let mut found = self.found();
            if !found.problems.contains(&problem) {
                found.problems.push(*problem);
            }
            anyhow::anyhow!("not resolved")
        })
    }

    /// Resolves a specifier by the `paths` and `baseUrl` of the importer's `tsconfig.json`.
    async fn by_tsconfig(&self, ctx: &PluginContext, specifier: &str, importer: &str) -> HookResolveIdReturn {
        let options = self.tsconfigs.options(&file_of(importer));
        for candidate in options.candidates(specifier) {
            self.check_devices(&candidate.to_string_lossy(), Some(importer))?;
            if let Ok(found) = ctx.resolve(&candidate.to_string_lossy(), Some(importer), None).await? {
                return Ok(Some(HookResolveIdOutput::from_resolved_id(found)));
            }
        }
        Ok(None)
    }

    /// Resolves `./file?query` and `./file#hash`, of which each is a module of its own, unless a file has that very name.
    async fn without_suffix(
        &self,
        ctx: &PluginContext,
        specifier: &str,
        importer: &str,
    ) -> HookResolveIdReturn {
        let Some(at) = specifier.find(['?', '#']).filter(|at| *at > 0) else { return Ok(None) };
        let named =
            file_of(importer).parent().and_then(|folder| dunce::canonicalize(folder.join(specifier)).ok());
        if let Some(file) = named.filter(|file| file.is_file()) {
            return Ok(Some(HookResolveIdOutput::from_id(file.to_string_lossy().into_owned())));
        }
        let (specifier, suffix) = specifier.split_at(at);
        let Ok(found) = ctx.resolve(specifier, Some(importer), None).await? else { return Ok(None) };
        let found = HookResolveIdOutput::from_resolved_id(found);
        let id = format!("{}{suffix}", found.id).into();
        Ok(Some(HookResolveIdOutput { id, ..found }))
    }

    /// Returns the text of a file.
    fn read(&self, path: &Path, module_type: &ModuleType) -> Result<String, Unread> {
        let bytes = self.archives.read(path).map_err(|error| match error {
            FileError::Outside => Unread::Outside,
            FileError::Io(error) => Unread::Io(error.to_string()),
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

/// Returns the specifiers that a file imports as a namespace.
fn namespaces(program: &Program<'_>) -> Vec<String> {
    let imports = program.body.iter().filter_map(|statement| match statement.as_module_declaration()? {
        ModuleDeclaration::ImportDeclaration(import) => {
            let mut specifiers = import.specifiers.iter().flatten();
            let has_namespace =
                specifiers.any(|one| matches!(one, ImportDeclarationSpecifier::ImportNamespaceSpecifier(_)));
            has_namespace.then(|| import.source.value.to_string())
        }
        ModuleDeclaration::ExportAllDeclaration(export) if export.exported.is_some() => {
            Some(export.source.value.to_string())
        }
        _ => None,
    });
    imports.collect()
}

/// Returns the specifiers of the modules all of whose names a file exports.
fn stars(program: &Program<'_>) -> Vec<String> {
    let exports = program.body.iter().filter_map(|statement| match statement.as_module_declaration()? {
        ModuleDeclaration::ExportAllDeclaration(export) if export.exported.is_none() => {
            Some(export.source.value.to_string())
        }
        _ => None,
    });
    exports.collect()
}

impl Plugin for Files {
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
                ImportKind::Require => HookResolveIdOutput::from_id(format!("{REQUIRED}{specifier}")),
                _ => HookResolveIdOutput {
                    external: Some(true.into()),
                    ..HookResolveIdOutput::from_id(specifier)
                },
            }));
        }
        let importer = args.importer.filter(|importer| !importer.starts_with('\0'));
        self.check_devices(specifier, importer)?;
        let Some(importer) = importer else {
            return Ok(None);
        };
        if matches!(args.kind, ImportKind::Require | ImportKind::DynamicImport) {
            let mut found = self.found();
            found.namespaces.push((importer.to_owned(), specifier.to_owned()));
            if matches!(args.kind, ImportKind::Require) {
                found.requiring.insert(importer.to_owned());
            }
        }
        let is_path = specifier.starts_with('.') || Path::new(specifier).is_absolute();
        if !is_path && let Some(found) = self.by_tsconfig(ctx, specifier, importer).await? {
            return Ok(Some(found));
        }
        self.without_suffix(ctx, specifier, importer).await
    }

    async fn load(&self, _ctx: SharedLoadPluginContext, args: &HookLoadArgs<'_>) -> HookLoadReturn {
        let loaded = |code: String, module_type| {
            Ok(Some(HookLoadOutput {
                code: code.into(),
                module_type: Some(module_type),
                ..HookLoadOutput::default()
            }))
        };
        if let Some(required) = args.id.strip_prefix(REQUIRED) {
            let code = format!("export {{ default as 'module.exports' }} from {required:?};");
            return loaded(code, ModuleType::Js);
        }
        let path = file_of(args.id);
        if !path.is_absolute() {
            return Ok(None);
        }
        self.traced.iter().for_each(|traced| traced(Some(&path)));
        let read =
            module_type(&path).and_then(|module_type| Ok((self.read(&path, &module_type)?, module_type)));
        match read {
            Ok((code, module_type)) if self.corrections.sloppy.contains(args.id) => {
                loaded(super::rewrite::sloppy(&code).unwrap_or(code), module_type)
            }
            Ok((code, module_type)) => loaded(code, module_type),
            Err(unread) => {
                self.found().unread.insert(path, unread);
                anyhow::bail!("not read")
            }
        }
    }

    async fn transform(
        &self,
        _ctx: SharedTransformPluginContext,
        args: &HookTransformArgs<'_>,
    ) -> HookTransformReturn {
        let code = (args.id == RUNTIME_MODULE_KEY).then(|| super::runtime::as_in_esbuild(args.code));
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
        let path = file_of(args.id);
        let settings = self.tsconfigs.options(&path);
        let rewritten = match rewrite(args.ast, args.id, &settings, &self.corrections)? {
            Ok(rewritten) => rewritten,
            Err((source, refusals)) => {
                for refusal in refusals {
                    self.report(&path, &source, refusal.span, refusal.message, Some(refusal.hint));
                }
                anyhow::bail!("refused");
            }
        };
        let mut ast = rewritten.ast;
        if matches!(args.module_type, ModuleType::Ts | ModuleType::Tsx | ModuleType::Jsx) {
            let name = Path::new(args.stable_id);
            let lowered = ast.program.with_mut(|fields| {
                lower(fields.program, fields.allocator, name, &settings, rewritten.has_no_fields)
            });
            for error in lowered.err().unwrap_or_default() {
                let span = Span::empty(error.labels.first().map_or(0, |label| label.offset()));
                self.report(&path, ast.source(), span, crate::diagnostic::lower_case(&error.message), None);
            }
        }
        let imported = namespaces(ast.program()).into_iter().map(|specifier| (args.id.to_owned(), specifier));
        let stars = stars(ast.program()).into_iter().map(|specifier| (args.id.to_owned(), specifier));
        let mut found = self.found();
        found.namespaces.extend(imported);
        found.stars.extend(stars);
        drop(found);
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
        let mut found = self.found();
        let view = &module.ecma_view;
        if view.exports_kind.is_esm() && view.def_format.is_esm() {
            found.node_modules.insert(id());
        }
        if info.is_entry {
            return Ok(());
        }
        found.modules.push(id());
        let is_undefined = |(script, _): &(String, String)| *script == info.id.as_str();
        if view.exports_kind.is_commonjs() {
            found.commonjs.insert(id());
            if view.source.contains("__esModule") {
                found.transpiled.push(id());
            }
        } else if !view.exports_kind.is_esm() || self.corrections.undefined.iter().any(is_undefined) {
            found.scripts.push(id());
        }
        Ok(())
    }

    async fn build_end(&self, ctx: &PluginContext, args: Option<&HookBuildEndArgs<'_>>) -> HookNoopReturn {
        self.traced.iter().for_each(|traced| traced(None));
        if args.is_some() {
            return Ok(());
        }
        let (scripts, namespaces) = {
            let mut found = self.found();
            (std::mem::take(&mut found.scripts), std::mem::take(&mut found.namespaces))
        };
        if !scripts.is_empty() {
            for (importer, specifier) in namespaces {
                if let Ok(resolved) = ctx.resolve(&specifier, Some(&importer), None).await?
                    && scripts.iter().any(|script| *script == resolved.id.as_str())
                {
                    self.found().needed.commonjs.insert(resolved.id.as_str().to_owned());
                }
            }
        }
        let (stars, commonjs) = {
            let mut found = self.found();
            (std::mem::take(&mut found.stars), found.commonjs.clone())
        };
        for (importer, specifier) in stars.into_iter().filter(|_| !commonjs.is_empty()) {
            if let Ok(resolved) = ctx.resolve(&specifier, Some(&importer), None).await?
                && commonjs.contains(resolved.id.as_str())
            {
                self.found().needed.evaluated.insert((importer, specifier));
            }
        }
        let mut found = self.found();
        found.needed.keeps_order = keeps_order(ctx, &found);
        Ok(())
    }
}
