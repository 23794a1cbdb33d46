//! What the script's `tsconfig.json` changes, read as the vendor's CLI (esbuild) reads it.
//!
//! rolldown lets its own options go before the file's and takes React for JSX where neither says anything; it also
//! stops when the file extends one that is not installed, which GitBook's own integrations do.

use std::path::Path;

use oxc_resolver::{CompilerOptions, Resolver};
use rolldown::{CompilerAssumptions, JsxOptions, TsConfig, TypeScriptOptions};

use crate::diagnostic::{Diagnostic, Place};

/// The options that depend on the file.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) jsx: JsxOptions,
    pub(super) typescript: TypeScriptOptions,
    pub(super) assumptions: CompilerAssumptions,
    pub(super) tsconfig: TsConfig,
    pub(super) warning: Option<Diagnostic>,
}

impl Settings {
    fn of(options: &CompilerOptions, tsconfig: TsConfig, warning: Option<Diagnostic>) -> Self {
        let assign_fields = Some(!defines_fields(options));
        Self {
            jsx: jsx(options),
            typescript: TypeScriptOptions {
                remove_class_fields_without_initializer: assign_fields,
                ..TypeScriptOptions::default()
            },
            assumptions: CompilerAssumptions {
                set_public_class_fields: assign_fields,
                ..CompilerAssumptions::default()
            },
            tsconfig,
            warning,
        }
    }
}

/// Reads the nearest `tsconfig.json` above the script, at most up to `root`.
pub(super) fn settings(script: &Path, root: &Path) -> Settings {
    let folders = script.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    let Some(path) = folders.map(|folder| folder.join("tsconfig.json")).find(|path| path.is_file()) else {
        return Settings::of(&CompilerOptions::default(), TsConfig::default(), None);
    };
    match Resolver::default().resolve_tsconfig(&path) {
        Ok(tsconfig) => Settings::of(&tsconfig.compiler_options, TsConfig::default(), None),
        Err(error) => match own(&path) {
            Some(own) => {
                let message = format!("only this file itself is used: {error}");
                let warning = Diagnostic::warning(Place::file(path), message);
                Settings::of(&own, TsConfig::Auto(false), Some(warning))
            }
            // The bundler's own error tells where it is broken.
            None => Settings::default(),
        },
    }
}

/// The file's own options, without those that it extends.
fn own(path: &Path) -> Option<CompilerOptions> {
    let text = std::fs::read_to_string(path).ok()?;
    let tsconfig = oxc_resolver::TsConfig::parse(true, path, path, text).ok()?;
    Some(tsconfig.compiler_options)
}

fn jsx(options: &CompilerOptions) -> JsxOptions {
    match options.jsx.as_deref() {
        Some("react") => JsxOptions {
            runtime: Some("classic".to_owned()),
            pragma: options.jsx_factory.clone(),
            pragma_frag: options.jsx_fragment_factory.clone(),
            ..JsxOptions::default()
        },
        other => JsxOptions {
            runtime: Some("automatic".to_owned()),
            development: (other == Some("react-jsxdev")).then_some(true),
            import_source: options.jsx_import_source.clone().or_else(|| Some("@gitbook/runtime".to_owned())),
            ..JsxOptions::default()
        },
    }
}

/// Whether a class field that is only declared is there, which is TypeScript's default from ES2022 on.
fn defines_fields(options: &CompilerOptions) -> bool {
    options.use_define_for_class_fields.unwrap_or_else(|| {
        let target = options.target.as_deref().unwrap_or_default().to_ascii_lowercase();
        let year = target.strip_prefix("es").and_then(|year| year.parse::<u32>().ok());
        target == "esnext" || year.is_some_and(|year| year >= 2022)
    })
}
