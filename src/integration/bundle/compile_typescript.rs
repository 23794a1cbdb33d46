//! Compiles TypeScript and JSX to JavaScript with the compiler options of each file.

use std::path::Path;

use oxc::allocator::Allocator;
use oxc::ast::ast::Program;
use oxc::diagnostics::{OxcDiagnostic, Severity};
use oxc::semantic::SemanticBuilder;
use oxc::transformer::{
    CompilerAssumptions, DecoratorOptions, JsxOptions, JsxRuntime, TransformOptions, Transformer,
    TypeScriptOptions,
};

use super::tsconfig::{CompilerOptions, Jsx};

/// Compiles the TypeScript and JSX in a parsed file to JavaScript, in place. `has_compiled_fields` is true if the
/// rewrite rules have already compiled the class fields.
///
/// # Errors
/// Returns an error for each use of syntax that the compiler does not support.
pub(super) fn compile<'a>(
    program: &mut Program<'a>,
    allocator: &'a Allocator,
    path: &Path,
    settings: &CompilerOptions,
    has_compiled_fields: bool,
) -> Result<(), Vec<OxcDiagnostic>> {
    // TypeScript's semantic errors are ignored, as in esbuild. The bundler checks the resulting JavaScript.
    let scoping = SemanticBuilder::new().with_enum_eval(true).build(program).semantic.into_scoping();
    let options = transform_options(settings, has_compiled_fields);
    let result = Transformer::new(allocator, path, &options).build_with_scoping(scoping, program);
    let errors = only_errors(result.diagnostics);
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn only_errors(diagnostics: impl IntoIterator<Item = OxcDiagnostic>) -> Vec<OxcDiagnostic> {
    diagnostics.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect()
}

fn transform_options(settings: &CompilerOptions, has_compiled_fields: bool) -> TransformOptions {
    let assigns_class_fields = !settings.defines_class_fields() && !has_compiled_fields;
    let mut typescript = TypeScriptOptions {
        remove_class_fields_without_initializer: assigns_class_fields,
        only_remove_type_imports: settings.keeps_unused_imports(),
        ..TypeScriptOptions::default()
    };
    let jsx = match settings.jsx() {
        Jsx::Classic { factory, fragment } => {
            // The source uses these names only through JSX, so oxc would otherwise remove their imports.
            typescript.jsx_pragma = factory.clone().into();
            typescript.jsx_pragma_frag = fragment.clone().into();
            JsxOptions {
                runtime: JsxRuntime::Classic,
                pragma: Some(factory),
                pragma_frag: Some(fragment),
                ..JsxOptions::default()
            }
        }
        Jsx::Automatic { import_source, is_development } => JsxOptions {
            runtime: JsxRuntime::Automatic,
            import_source: Some(import_source),
            development: is_development,
            ..JsxOptions::default()
        },
    };
    TransformOptions {
        assumptions: CompilerAssumptions {
            set_public_class_fields: assigns_class_fields,
            ..CompilerAssumptions::default()
        },
        typescript,
        // `@gitbook/cli` supports only legacy decorators, regardless of the settings.
        decorator: DecoratorOptions { legacy: true, ..DecoratorOptions::default() },
        jsx,
        ..TransformOptions::default()
    }
}
