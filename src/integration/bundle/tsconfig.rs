//! What the script's `tsconfig.json` changes, read as the vendor's CLI (esbuild) reads it.
//!
//! rolldown lets its own options go before the file's and takes React for JSX where neither says anything; it also
//! stops when the file extends one that is not installed, which GitBook's own integrations do.

use std::path::{Path, PathBuf};

use oxc_resolver::{CompilerOptions, Resolver};
use rolldown::{CompilerAssumptions, JsxOptions, TsConfig, TypeScriptOptions};

use crate::diagnostic::{Diagnostic, Place, lower_case};

/// The options that depend on the file.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) jsx: JsxOptions,
    pub(super) typescript: TypeScriptOptions,
    pub(super) assumptions: CompilerAssumptions,
    pub(super) tsconfig: TsConfig,
    /// The file's `paths`, where the bundler can't read it itself.
    pub(super) aliases: Vec<(String, Vec<Option<String>>)>,
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
            aliases: Vec::new(),
            warning,
        }
    }
}

/// Reads the nearest `tsconfig.json` above the script, at most up to `root`. An error when it is no JSON, with
/// comments, of the right types.
pub(super) fn settings(script: &Path, root: &Path) -> Result<Settings, Box<Diagnostic>> {
    let folders = script.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    let Some(path) = folders.map(|folder| folder.join("tsconfig.json")).find(|path| path.is_file()) else {
        // The bundler would look for one above the repository, too.
        let mut above = root.ancestors().skip(1).map(|folder| folder.join("tsconfig.json"));
        let tsconfig = TsConfig::Auto(!above.any(|path| path.is_file()));
        return Ok(Settings::of(&CompilerOptions::default(), tsconfig, None));
    };
    let own = own(&path)?;
    Ok(match Resolver::default().resolve_tsconfig(&path) {
        Ok(tsconfig) => Settings::of(&tsconfig.compiler_options, TsConfig::default(), None),
        Err(error) => {
            let aliases = aliases(&own, path.parent().unwrap_or(root));
            let message = format!("only this file itself is used: {}", lower_case(&error.to_string()));
            let warning = Diagnostic::warning(Place::file(path), message);
            Settings { aliases, ..Settings::of(&own, TsConfig::Auto(false), Some(warning)) }
        }
    })
}

/// The file's own options, without those that it extends.
fn own(path: &Path) -> Result<CompilerOptions, Box<Diagnostic>> {
    let place = Place::file(path);
    let text = std::fs::read_to_string(path)
        .map_err(|error| Box::new(Diagnostic::error(place.clone(), format!("it can't be read: {error}"))))?;
    let place = place.with_text(&text);
    match oxc_resolver::TsConfig::parse(true, path, path, text) {
        Ok(tsconfig) => Ok(tsconfig.compiler_options),
        Err(error) => {
            let place = place.at(error.line(), error.column().max(1));
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Err(Box::new(Diagnostic::error(place, format!("not a `tsconfig.json`: {message}"))))
        }
    }
}

/// `paths` as the resolver's aliases: `x` is exactly that, `x/*` whatever is below.
fn aliases(options: &CompilerOptions, folder: &Path) -> Vec<(String, Vec<Option<String>>)> {
    let base = options.base_url.as_ref().map_or_else(|| folder.to_owned(), |base| folder.join(base));
    let absolute = |target: &str| Some(base.join(target).to_string_lossy().into_owned());
    let paths = options.paths.iter().flatten();
    let alias = |(from, targets): (&String, &Vec<PathBuf>)| {
        let targets = targets.iter().map(|target| target.to_string_lossy());
        match from.strip_suffix("/*") {
            Some(from) => {
                let targets = targets.map(|target| absolute(target.trim_end_matches("/*")));
                (from.to_owned(), targets.collect())
            }
            None => (format!("{from}$"), targets.map(|target| absolute(&target)).collect()),
        }
    };
    paths.map(alias).collect()
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
