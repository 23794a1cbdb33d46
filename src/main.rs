//! Runs the program with the environment and terminal of the process.

use std::process::ExitCode;

use gitbook_deploy::{Environment, OutputStreams};
use indicatif::ProgressDrawTarget;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "only `main` reads the environment")]
fn main() -> std::io::Result<ExitCode> {
    if gitbook_deploy::serve_bundler(std::env::args_os().skip(1), std::io::stdin().lock(), std::io::stdout)? {
        return Ok(ExitCode::SUCCESS);
    }
    // One thread is enough for signals and responses. The bundler has its own threads.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let folder = std::env::current_dir().unwrap_or_default();
    let environment =
        Environment::new(std::env::vars_os(), folder).with_program(std::env::current_exe().ok());
    let (output, log) = (Box::new(std::io::stdout()), Box::new(std::io::stderr()));
    let terminal = OutputStreams { output, log, screen: Some(ProgressDrawTarget::stderr()) };
    let code = runtime.block_on(gitbook_deploy::run(environment, std::env::args_os().skip(1), terminal));
    // After a signal, tasks may still run or wait for files. Dropping the runtime would wait for them.
    std::mem::forget(runtime);
    Ok(code.into())
}
