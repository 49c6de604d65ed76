//! The `handoff-simulator` command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use handoff_simulator::{load, recognizer, sinks};

/// Stand-ins for the world around handoff, on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Recognizer(recognizer::Args),
    Sinks(sinks::Args),
    Load(load::Args),
    #[command(hide = true)]
    Baseline(load::BaselineArgs),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Recognizer(args) => recognizer::run(args).await,
        Command::Sinks(args) => sinks::run(args).await,
        Command::Load(args) => load::run(args).await,
        Command::Baseline(args) => load::run_baseline(args).await,
    }
}
