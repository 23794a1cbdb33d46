//! Serves the embedded sandbox from a folder as a separate process, so that the contract tests can put a validating proxy
//! between the sandbox and the program.
//!
//! It prints its URL and runs until standard input ends. It therefore also ends when its parent process crashes.

#![expect(clippy::print_stdout, reason = "prints the URL of the server")]

use std::io;
use std::path::PathBuf;

#[tokio::main]
async fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder =
        folder.ok_or_else(|| io::Error::other("missing argument: the folder for published integrations"))?;
    println!("{}", gitbook_deploy::gitbook::sandbox::start(&folder).await?);
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    Ok(())
}
