//! Bare read-and-discard servers, the floor that a real server is compared with.
//!
//! Each runs as a process of its own on a single-threaded runtime, so that its CPU time can be read.

use std::process::{ExitCode, Stdio};

use anyhow::Context;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::command::{announce, until_stopped};

/// What a floor server does with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Baseline {
    /// Reads bytes and throws them away.
    RawTcp,
    /// Reads WebSocket messages (tokio-tungstenite, 4 KiB read buffer) and throws them away.
    Tungstenite,
}

impl Baseline {
    /// The name on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RawTcp => "raw-tcp",
            Self::Tungstenite => "tungstenite",
        }
    }
}

/// Read everything and throw it away; what `load --baseline` starts.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kind of server.
    kind: Baseline,
}

/// Serves until standard input closes.
///
/// # Errors
/// No port can be bound.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?.to_string();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || runtime.block_on(serve(listener, args.kind)));
    announce(args.kind.as_str(), &address, &[]);
    until_stopped().await.context("cannot listen to signals")?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(listener: std::net::TcpListener, kind: Baseline) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(async move {
            match kind {
                Baseline::RawTcp => discard_bytes(socket).await,
                Baseline::Tungstenite => discard_messages(socket).await,
            }
        });
    }
}

async fn discard_bytes(mut socket: TcpStream) {
    let mut buffer = vec![0; 4096];
    while socket.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

async fn discard_messages(socket: TcpStream) {
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0);
    let Ok(mut socket) = tokio_tungstenite::accept_async_with_config(socket, Some(config)).await
    else {
        return;
    };
    while let Some(Ok(_)) = socket.next().await {}
}

/// A floor server in a process of its own; it ends when this value is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// `HOST:PORT`.
    pub address: String,
}

impl Running {
    /// Starts this very program as a floor server, on one core when asked.
    ///
    /// # Errors
    /// The program cannot be started or says nothing.
    pub async fn start(kind: Baseline, core: Option<usize>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = match core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(["baseline", kind.as_str()]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .context("cannot start the baseline server")?;
        let output = child
            .stdout
            .take()
            .context("the baseline server has no output")?;
        let line = BufReader::new(output)
            .lines()
            .next_line()
            .await?
            .context("the baseline server ended at once")?;
        let listening: Value = serde_json::from_str(&line)?;
        let address = listening["url"]
            .as_str()
            .context("the baseline server told no address")?
            .to_owned();
        Ok(Self { child, address })
    }

    /// Process id; `taskset` replaces itself by the program, so it is the server's.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}
