"""The built server as a process, for the time of a test."""

import contextlib
import http.client
import os
import pathlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

PUBLIC_URL = "https://handoff.example.com"
TWILIO_ACCOUNT = "AC00000000000000000000000000000001"
TWILIO_TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PLIVO_ACCOUNT = "MA0000000000000000000001"
PLIVO_TOKEN = "ZmFrZS1wbGl2by10b2tlbi0wMDAx"

# A target of each kind whose documents name other URLs of ours.
CONFIG = """
[server]
drain = "0s"
[recognizer]
kind = "none"
[handoff]
last_resort = "voicemail"
[[target]]
name = "telephone"
number = "+15550100042"
accept = "key"
[[target]]
name = "line"
kind = "queue"
queue = "support"
[[target]]
name = "room"
kind = "conference"
number = "+15550100043"
"""
ROOM = "room"
TARGETS = f"telephone.line.{ROOM}"

NOBODY = "http://127.0.0.1:9"
ENDS_WITHIN = 10


@dataclass
class Answer:
    status: int
    content_type: str
    body: bytes


@dataclass
class Server:
    host: str
    port: int

    def ask(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"") -> Answer:
        """Sends a request exactly as it is given."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ENDS_WITHIN)
        with contextlib.closing(connection):
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers.get("Content-Type", ""), answer.read())


@contextlib.contextmanager
def running(binary: pathlib.Path) -> Iterator[Server]:
    """Starts the server on a port of its choice, with nothing of our environment, and ends it."""
    with tempfile.TemporaryDirectory(prefix="handoff-sdk-") as directory:
        folder = pathlib.Path(directory)
        (folder / "handoff.toml").write_text(CONFIG)
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HANDOFF_CONFIG": str(folder / "handoff.toml"),
            "HANDOFF_DATA_DIR": str(folder / "data"),
            "HANDOFF_LISTEN": "127.0.0.1:0",
            "HANDOFF_LOG": "info",
            "HANDOFF_PUBLIC_URL": PUBLIC_URL,
            "VOICE_AGENT_URL": "https://bot.example.com/voice",
            "TWILIO_ACCOUNT_SID": TWILIO_ACCOUNT,
            "TWILIO_AUTH_TOKEN": TWILIO_TOKEN,
            "TWILIO_BASE_URL": NOBODY,
            "PLIVO_AUTH_ID": PLIVO_ACCOUNT,
            "PLIVO_AUTH_TOKEN": PLIVO_TOKEN,
            "PLIVO_BASE_URL": NOBODY,
        }
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                [binary, "serve"],
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            first = process.stdout.readline().decode()
            says = "listening on http://"
            if not first.startswith(says):
                process.wait(ENDS_WITHIN)
                raise RuntimeError(f"the server did not start:\n{(folder / 'log').read_text()}")
            host, port = first.removeprefix(says).strip().rsplit(":", 1)
            yield Server(host, int(port))
        finally:
            status = end(process)
        if status != 0:
            raise RuntimeError(f"the server ended with {status}:\n{(folder / 'log').read_text()}")


def end(process: subprocess.Popen) -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
