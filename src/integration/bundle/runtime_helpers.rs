//! Changes rolldown's runtime helpers to behave like those of esbuild.

/// Returns rolldown's helpers with esbuild's rule for CommonJS modules: if a module sets `__esModule`, an import of `default`
/// reads the module's `default` property, even if that property does not exist.
pub(super) fn with_esbuild_interop(helpers: &str) -> String {
    helpers.replace(" || !__hasOwnProp.call(mod, 'default')", "")
}
