//! The stand-ins, each as a program of its own.

#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

use clap::Parser;
use handoff_simulator::{load, recognizer, sinks};

/// Stand-ins for the world around handoff. Each runs alone, on loopback, and checks what it is sent.
#[derive(Debug, Parser)]
#[command(name = "handoff-simulator", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Carrier(Box<cli::CarrierCommand>),
    Recognizer(recognizer::Args),
    Sinks(sinks::Args),
    Load(load::Args),
    #[command(hide = true)]
    Baseline(load::BaselineArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Carrier(command) => command.run().await,
        Command::Recognizer(args) => recognizer::run(args).await,
        Command::Sinks(args) => sinks::run(args).await,
        Command::Load(args) => load::run(args).await,
        Command::Baseline(args) => load::run_baseline(args).await,
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("handoff-simulator: {error:#}");
            ExitCode::from(2)
        }
    }
}
