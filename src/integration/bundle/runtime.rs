//! Adapts the bundler's runtime helpers to esbuild's.

/// Returns the helpers with esbuild's rules for CommonJS modules: `__esModule` alone makes an import of `default` read that
/// property, even where there is none.
pub(super) fn as_in_esbuild(helpers: &str) -> String {
    helpers.replace(" || !__hasOwnProp.call(mod, 'default')", "")
}
