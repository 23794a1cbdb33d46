//! Serves the embedded API from a folder to programs that are not this one: the tests of the contract put a validator
//! between it and the binary.
//!
//! It prints its root and runs until its input ends, which is when whoever started it does, however that came to be.

#![expect(clippy::print_stdout, reason = "who starts it has to know where it is")]

use std::io;
use std::path::PathBuf;

#[tokio::main]
async fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("tell the folder that keeps what is published"))?;
    println!("{}", gitbook_deploy::gitbook::sandbox::start(&folder).await?);
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    Ok(())
}
