//! Publishes GitBook integrations, and previews of them, from any CI system.

use std::process::ExitCode;

use gitbook_deploy::{Environment, Terminal};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
#[tokio::main]
async fn main() -> ExitCode {
    let folder = std::env::current_dir().unwrap_or_default();
    let environment = Environment::new(std::env::vars_os(), folder);
    let terminal = Terminal { output: Box::new(std::io::stdout()), log: Box::new(std::io::stderr()) };
    gitbook_deploy::run(environment, std::env::args_os().skip(1), terminal).await.into()
}
