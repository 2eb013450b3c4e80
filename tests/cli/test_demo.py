"""`perisai demo` as a newcomer starts it: a real process in an empty folder."""

import html
import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from tests.processes import PERISAI, Running, environment, free_port, perisai

UP = "log verify"

#: Seconds. The cold one is for the set-up on two busy cores; a newcomer is promised 120.
COLD, WARM = 60.0, 5.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which a demo was set up, and run once."""
    home = tmp_path_factory.mktemp("newcomer")
    with Running("demo", "--port", str(free_port()), folder=home) as demo:
        demo.wait_for(UP, COLD)
        assert demo.end() in (0, 130)
    return home


@pytest.fixture
def demo(home: Path) -> Iterator[tuple[Running, int]]:
    """Serve that demo again."""
    port = free_port()
    with Running("demo", "--port", str(port), folder=home) as demo:
        assert demo.wait_for(UP) < WARM
        yield demo, port


def test_the_four_requests_answer_as_the_demo_promises(demo: tuple[Running, int]) -> None:
    running, port = demo
    text = running.text()
    for face in ("agency", "partner", "oversight"):
        assert f"http://127.0.0.1:{port}/graphql/{face}" in text
    for subject in ("sari", "wayan", "ratna", "tuti", "budi"):
        token = (running.output.parent / ".demo" / "tokens" / subject).read_text()
        assert token in text

    answers = [_paste(command, running.output.parent) for command in _commands(text)]

    mine, foreign, released, events = answers
    assert mine["data"]["mine"]["defenders"][0]["fullName"] == "Mochammad Joesoef Hidayat"
    other = mine["data"]["other"]["defenders"][0]
    assert (other["fullName"], other["nik"], other["phones"]) == (None, None, None)
    assert {w["field"] for w in other["withheld"]} == {"fullName", "nik", "phones"}
    assert len(mine["data"]["caseFiles"]["edges"]) == 3
    assert foreign["data"] == {"caseFile": None}
    assert foreign["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    [edge] = released["data"]["releases"]["edges"]
    assert edge["node"]["content"]["summary"]
    nodes = [edge["node"] for edge in events["data"]["accessEvents"]["edges"]]
    assert [n["organisation"] for n in nodes[:2]] == ["lpsk", "komnas-ham"]
    assert "Joesoef" not in json.dumps(events)

    home = running.output.parent
    verified = perisai("log", "verify", cwd=home)
    assert verified.returncode == 0, verified.stderr
    fresh = perisai("token", "sari", cwd=home)
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", fresh.stdout)
    assert perisai("keys", "status", cwd=home).returncode == 0


def test_in_a_browser_one_of_its_people_signs_in_and_asks(demo: tuple[Running, int]) -> None:
    """The service asks itself for a token meanwhile, since the issuer stands beside it."""
    running, port = demo
    address = f"http://127.0.0.1:{port}"
    assert f"{address}/console" in running.text()
    with httpx.Client(base_url=address, trust_env=False, timeout=20) as browser:
        first = browser.get("/console")
        assert 'href="/console/sign-in/komnas-ham"' in first.text
        page = browser.get("/console/sign-in/komnas-ham", follow_redirects=True)
        [link] = [
            html.unescape(one)
            for one in re.findall(r'href="(\?[^"]*)"', page.text)
            if one.endswith("picked=sari")
        ]
        done = browser.get(page.url.join(link), follow_redirects=True)
        assert done.status_code == 200, done.text
        answer = browser.post(
            "/graphql/agency",
            json={"query": "{ viewer { role } }"},
            headers={
                "origin": address,
                "perisai-console": "1",
                "sec-fetch-site": "same-origin",
            },
        )

    assert answer.json()["data"] == {"viewer": {"role": "CASE_OFFICER"}}


def test_an_interrupt_ends_the_demo_and_frees_its_port(demo: tuple[Running, int]) -> None:
    running, port = demo

    status = running.end(signal.SIGINT)

    assert status in (0, 130), running.text()
    assert "Traceback" not in running.text()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


def test_a_port_that_is_taken_gets_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        refused = perisai("demo", "--port", str(port), cwd=tmp_path)

    _one_sentence(refused, f"Port {port} is taken")
    assert not (tmp_path / ".demo").exists()


def test_a_set_up_that_was_interrupted_says_what_to_do(tmp_path: Path) -> None:
    with Running("demo", "--port", str(free_port()), folder=tmp_path) as interrupted:
        interrupted.wait_for("Making a demo", COLD)
        folder = tmp_path / ".demo"
        while not folder.exists():
            assert interrupted.process is not None
            assert interrupted.process.poll() is None, interrupted.text()
        interrupted.end(signal.SIGKILL)
    assert not (folder / "demo.json").exists()

    refused = perisai("demo", "--port", str(free_port()), cwd=tmp_path)

    _one_sentence(refused, "make clean")


@pytest.mark.parametrize(
    "marker",
    [
        {"form": 1, "day": (date(2020, 1, 1)).isoformat()},
        {"form": 0, "day": date.today().isoformat()},  # noqa: DTZ011  # the demo's own day
        {"form": 1, "day": (date(2999, 1, 1) + timedelta(days=1)).isoformat()},
        {},
        [],
        "rubbish",
    ],
)
def test_old_or_strange_data_says_what_to_do(tmp_path: Path, marker: object) -> None:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "demo.json").write_text(json.dumps(marker))

    refused = perisai("demo", "--port", str(free_port()), cwd=tmp_path)

    _one_sentence(refused, "make clean")


def test_a_marker_without_its_data_says_what_to_do(tmp_path: Path, home: Path) -> None:
    (tmp_path / ".demo").mkdir()
    shutil.copy(home / ".demo" / "demo.json", tmp_path / ".demo")

    refused = perisai("demo", "--port", str(free_port()), cwd=tmp_path)

    _one_sentence(refused, "make clean")


def test_outside_the_demo_there_is_no_token_and_no_invented_record(
    tmp_path: Path, home: Path
) -> None:
    real = (home / ".demo" / "perisai.toml").read_text().replace("demo = true", "demo = false")
    config = tmp_path / "perisai.toml"
    config.write_text(real)

    _one_sentence(perisai("token", "sari", config=config), "in the demo only")
    _one_sentence(perisai("seed", config=config), "for a demo")
    _one_sentence(perisai("token", "sari", cwd=tmp_path), "PERISAI_CONFIG")


def test_a_person_who_is_not_there_gets_no_token(home: Path) -> None:
    _one_sentence(perisai("token", "nobody", cwd=home), "nobody of that name")


def _one_sentence(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def _commands(text: str) -> list[str]:
    """Give the commands to paste, as printed."""
    found = re.findall(r"^(?:curl -s |\.venv/).*?'\n\n", text, flags=re.MULTILINE | re.DOTALL)
    assert len(found) == 4, text
    return found


def _paste(command: str, home: Path) -> dict[str, dict[str, object]]:
    """Run a printed command as it stands; where there is no curl, do what it says."""
    command = command.replace(".venv/bin/perisai", shlex.join(PERISAI))
    if shutil.which("curl"):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=home,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
        answer: dict[str, dict[str, object]] = json.loads(done.stdout)
        return answer
    before, _, command = command.rpartition("curl -s ")
    address = command.split()[0]
    headers = dict(re.findall(r"-H ['\"]([\w-]+): ([^'\"]*)['\"]", command))
    if before:
        made = perisai(*shlex.split(before.rstrip(" |\\\n"))[len(PERISAI) :], cwd=home).stdout
        headers |= dict(line.split(": ") for line in made.splitlines())
    else:
        token = re.search(r"\$\(cat ([^)]*)\)", command)
        assert token is not None
        headers["Authorization"] = "Bearer " + (home / token[1]).read_text()
    body = re.search(r"-d '(.*)'\n", command, flags=re.DOTALL)
    assert body is not None
    sent = httpx.post(address, headers=headers, content=body[1], timeout=20, trust_env=False)
    answered: dict[str, dict[str, object]] = sent.json()
    return answered
