//! The stand-ins, each as a program of its own.

#![forbid(unsafe_code)]

mod cli;

use clap::Parser;

/// Stand-ins for the world around handoff. Each runs alone, on loopback, and checks what it is sent.
#[derive(Debug, Parser)]
#[command(name = "handoff-simulator", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Carrier(cli::CarrierCommand),
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Carrier(command) => command.run().await,
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("handoff-simulator: {error:#}");
            std::process::ExitCode::from(2)
        }
    }
}
