//! What can be typed, and what each command's exit code means.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::{check, demo, doctor, replay, serve};
use crate::config::{self, ConfigError, Environment, Loaded};

/// Moves a live phone call to the right human, with everything the caller already said.
///
/// Point your number's voice webhook at https://YOUR-HOST/twilio/voice and start `handoff serve`.
/// `handoff check` reads the configuration and says what is missing; `handoff doctor` tries the
/// credentials with harmless requests.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server.
    Serve {
        #[command(flatten)]
        config: ConfigFlag,
        /// Where to listen, over the configuration.
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<String>,
    },
    /// Reads the configuration and prints every problem, or what will be used. Exits 2 if `serve`
    /// would refuse it.
    Check {
        #[command(flatten)]
        config: ConfigFlag,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
        /// Prints the signals that rules may use, and nothing else.
        #[arg(long)]
        signals: bool,
    },
    /// Tries every credential with a request that changes nothing.
    Doctor {
        #[command(flatten)]
        config: ConfigFlag,
    },
    /// Plays a recorded call through a real server and prints the timeline.
    ///
    /// Server, carrier, recognizer, ticket and chat system are processes of their own on this
    /// machine; nothing leaves it.
    Replay(replay::Replay),
    /// Plays a recorded call and tells the whole story: timeline, documents, ticket, card.
    Demo(demo::Demo),
}

#[derive(clap::Args)]
struct ConfigFlag {
    /// The configuration file.
    #[arg(long, value_name = "FILE", env = "HANDOFF_CONFIG")]
    config: Option<PathBuf>,
}

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    // The one crypto backend; rustls panics at its first use if it has to choose by itself.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("handoff: another crypto provider is installed already");
        return ExitCode::FAILURE;
    }
    let outcome = match Arguments::parse().command {
        Command::Check { signals: true, .. } => {
            check::print_signals();
            return ExitCode::SUCCESS;
        }
        Command::Check {
            config,
            json,
            signals: false,
        } => {
            return check::run(load(&config, None), json);
        }
        Command::Serve { config, listen } => match load(&config, listen) {
            Ok(loaded) => serve::run(loaded),
            Err(error) => return check::refuse(&error),
        },
        Command::Doctor { config } => match load(&config, None) {
            Ok(loaded) => doctor::run(&loaded),
            Err(error) => return check::refuse(&error),
        },
        Command::Replay(replay) => replay.run(),
        Command::Demo(demo) => demo.run(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("handoff: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn load(flag: &ConfigFlag, listen: Option<String>) -> Result<Loaded, ConfigError> {
    let read = |name: &str| match (name, &listen) {
        ("HANDOFF_LISTEN", Some(listen)) => Some(listen.clone()),
        (name, _) => config::variable(name),
    };
    config::load(flag.config.as_deref(), &Environment(&read))
}
