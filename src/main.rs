//! The `handoff` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    handoff::cli::main()
}
