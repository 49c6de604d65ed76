//! The server as a process: the real binary, started, killed and started again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use handoff_simulator::witness::Observed;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Environment variables of the server, the only ones it has.
pub type Environment = Vec<(String, String)>;

/// A command of the binary under test, run to its end.
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A running server. Dropping it kills it.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    log: Observed<Vec<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts `handoff serve` and reads the line in which it says where it listens.
    pub async fn start(directory: &Path, environment: &Environment, within: Duration) -> Self {
        let mut child = command(directory, environment)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let log = Observed::new(Vec::new());
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut readers = vec![collect(child.stderr.take().expect("piped"), log.clone())];
        let first = timeout(within, lines.next_line())
            .await
            .expect("the server did not say where it listens")
            .expect("standard output can be read");
        let Some(first) = first else {
            let _ = child.wait().await;
            for reader in readers {
                let _ = reader.await;
            }
            panic!(
                "the server did not start:\n{}",
                log.read(|log| log.join("\n"))
            );
        };
        let address = first
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("the server began with {first:?}"))
            .parse()
            .expect("an address");
        readers.push(tokio::spawn(async move {
            while let Ok(Some(_)) = lines.next_line().await {}
        }));
        Self {
            address,
            child,
            log,
            readers,
        }
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> Vec<String> {
        self.log.read(Clone::clone)
    }

    /// Takes the process away between two instructions.
    pub async fn kill(mut self) -> Vec<String> {
        self.child.kill().await.expect("the server was running");
        self.rest().await
    }

    pub fn id(&self) -> Pid {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        id.and_then(Pid::from_raw).expect("the server is running")
    }

    /// Tells the process to stop, as an operator does.
    pub fn terminate(&self) {
        kill_process(self.id(), Signal::TERM).expect("the server is ours to signal");
    }

    /// Has the kernel refuse every write of the server to a file, as a disk that fails does, or
    /// allow them again.
    #[cfg(target_os = "linux")]
    pub fn let_write(&self, may: bool) {
        use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
        let usual = getrlimit(Resource::Fsize);
        let current = if may { usual.current } else { Some(0) };
        let maximum = usual.maximum;
        prlimit(
            Some(self.id()),
            Resource::Fsize,
            Rlimit { current, maximum },
        )
        .expect("the server is ours to limit");
    }

    /// Waits for the end that [`Server::terminate`] asked for.
    pub async fn exited(mut self, within: Duration) -> (ExitStatus, Vec<String>) {
        let Ok(status) = timeout(within, self.child.wait()).await else {
            panic!("the server did not stop:\n{}", self.log().join("\n"));
        };
        (status.expect("the server is our child"), self.rest().await)
    }

    async fn rest(self) -> Vec<String> {
        for reader in self.readers {
            reader.await.expect("reading does not fail");
        }
        self.log.read(Clone::clone)
    }
}

/// Runs a command of the binary to its end.
pub async fn run(arguments: &[&str], directory: &Path, environment: &Environment) -> Finished {
    let output = command(directory, environment).args(arguments).output();
    let output = timeout(Duration::from_secs(60), output)
        .await
        .expect("the command ended in time")
        .expect("the command can be run");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Finished {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The binary with nothing of our own environment but the way to programs.
fn command(directory: &Path, environment: &Environment) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handoff"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir(directory)
        .kill_on_drop(true);
    command
}

fn collect(
    from: impl AsyncRead + Unpin + Send + 'static,
    log: Observed<Vec<String>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            log.update(|log| log.push(line));
        }
    })
}
