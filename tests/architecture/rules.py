"""Rules over the syntax of our modules, for what import contracts cannot say.

A rule takes a module (its path below the root, its tree) and yields what is wrong.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Module:
    """One module: its path, as `api/app.py`, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> "Module":
        return cls(path, text, ast.parse(text))


Rule = Callable[[Module], Iterator[str]]

#: Who may name what of the module that makes and opens seals.
SEALING = {
    "api/casework/disclosure.py": {"open_sealed", "key_version"},
    "api/casework/resealing.py": {"seal", "open_sealed", "key_version"},
    "api/store/sealed_fields.py": {"Place"},
}
#: Who may name what of the module that seals and opens the streams of attachments.
STREAMS = {
    "api/casework/attachment_resealing.py": {"StreamSealer"},
    "api/casework/attachment_streams.py": {"Checked", "StreamCheck", "StreamOpener"},
    "api/casework/resealing.py": {"StreamSealer"},
}
#: Attributes of an open data key: with one of them a field can be opened past `open_sealed`.
KEY_PARTS = {"bound_to", "cipher", "own", "secret"}
#: Where a transaction may be committed: records, the two ledgers' databases, migrations.
#: A witness has a database of its own, with no other writer.
COMMITS = {
    "api/database.py",
    "api/accesslog/ledger_sqlite.py",
    "api/accesslog/witness_state.py",
    "api/migrations/__init__.py",
}
#: Where the time may be looked up: at the entries (a witness is a service of its own), and
#: when a key is made (its age is shown).
CLOCKS = {"api/app.py", "api/cli/witness_service.py", "api/crypto/file_key_service.py"}
#: Where a colleague's part in a look is proven: only there is it a fact.
LOOKS = "api/casework/looks.py"
#: SQL that takes away or changes; nothing of ours says it of the log.
CHANGING = re.compile(r"^\s*(update|delete|truncate|drop|alter|replace|vacuum)\b", re.IGNORECASE)


def fields_are_opened_in_disclosure_and_sealed_in_resealing(module: Module) -> Iterator[str]:
    if module.path.startswith("api/crypto/"):
        return
    opening = {"api.crypto.sealing": SEALING, "api.crypto.streams": STREAMS}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module in opening:
            allowed = opening[node.module].get(module.path, set())
            for name in node.names:
                if name.name not in allowed or name.asname not in (None, name.name):
                    yield f"{node.lineno}: imports {name.name}"
        elif isinstance(node, ast.Import | ast.ImportFrom) and {"sealing", "streams"} & {
            name.name.rsplit(".", 1)[-1] for name in node.names
        }:
            yield f"{node.lineno}: imports the module of seals as a whole"
        elif isinstance(node, ast.Attribute) and node.attr in KEY_PARTS:
            yield f"{node.lineno}: reaches into a data key (.{node.attr})"


def a_permit_is_made_in_the_gate(module: Module) -> Iterator[str]:
    if module.path == "api/policies/gate.py":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _name_of(node.func) in ("Permit", "__new__"):
            yield f"{node.lineno}: makes a {_name_of(node.func)}"
        elif isinstance(node, ast.Name | ast.Attribute) and _name_of(node) == "_GATE":
            yield f"{node.lineno}: names the gate's token"
        elif isinstance(node, ast.ImportFrom) and {n.name for n in node.names} & {
            "_GATE",
            "Permit",
        }:
            yield f"{node.lineno}: imports what only the gate makes"


def two_persons_look_in_looks(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            said = {keyword.arg for keyword in node.keywords}
            if "second_person" in said and module.path != "api/casework/facts.py":
                yield f"{node.lineno}: makes a fact of a second person"
            if "together" in said and module.path != LOOKS:
                yield f"{node.lineno}: reads as if two persons looked"
        elif isinstance(node, ast.ImportFrom) and module.path != LOOKS:
            for name in node.names:
                if name.name == "looking_together":
                    yield f"{node.lineno}: imports looking_together"


def commits_happen_in_the_database_and_the_ledger(module: Module) -> Iterator[str]:
    if module.path in COMMITS or "/versions/" in module.path:
        return  # A migration's functions begin and end in PL/pgSQL.
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("commit", "begin", "begin_nested"):
                yield f"{node.lineno}: calls {node.func.attr}()"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.match(r"\s*(commit|begin)\b", node.value, re.IGNORECASE):
                if not _is_docstring(module, node):
                    yield f"{node.lineno}: says {node.value.split()[0]!r} to a database"
            elif node.value == "AUTOCOMMIT":
                yield f"{node.lineno}: commits by itself"


def the_log_is_only_added_to(module: Module) -> Iterator[str]:
    of_the_log = module.path.startswith("api/accesslog/")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            names = {name.name for name in node.names}
            if of_the_log and node.module == "sqlalchemy" and names & {"update", "delete"}:
                yield f"{node.lineno}: imports update or delete"
            if not of_the_log and node.module == "api.accesslog.tables":
                yield f"{node.lineno}: reaches the log's tables"
        elif not of_the_log:
            continue
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("update", "delete", "on_conflict_do_update") and (
                isinstance(node.func.value, ast.Attribute | ast.Call)
            ):
                yield f"{node.lineno}: calls {node.func.attr}()"
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and CHANGING.match(node.value)
            and not _is_docstring(module, node)
        ):
            yield f"{node.lineno}: says {node.value.split()[0]!r}"


def the_time_comes_from_the_entry(module: Module) -> Iterator[str]:
    if module.path in CLOCKS:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            name = f"{_name_of(node.value)}.{node.attr}"
            if name in (
                "datetime.now",
                "datetime.utcnow",
                "datetime.today",
                "date.today",
                "time.time",
                "time.time_ns",
            ):
                yield f"{node.lineno}: {name}"
        elif (
            isinstance(node, ast.ImportFrom)
            and node.module == "time"
            and {name.name for name in node.names} & {"time", "time_ns"}
        ):
            yield f"{node.lineno}: imports the time"


def nothing_is_printed_or_left_to_do(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _name_of(node.func) in ("print", "breakpoint", "pprint"):
            if isinstance(node.func, ast.Name):
                yield f"{node.lineno}: {_name_of(node.func)}()"
        elif isinstance(node, ast.Assert):
            yield f"{node.lineno}: assert, which -O takes away"
    for number, line in enumerate(module.text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            yield f"{number}: something is left to do"
        if re.search(r"#\s*type:\s*ignore(\[[\w, -]+\])?\s*$", line):
            yield f"{number}: a check is silenced without a reason"


def a_module_begins_by_saying_what_it_is(module: Module) -> Iterator[str]:
    if ast.get_docstring(module.tree) is None:
        yield "1: no docstring"


RULES: tuple[Rule, ...] = (
    a_module_begins_by_saying_what_it_is,
    a_permit_is_made_in_the_gate,
    commits_happen_in_the_database_and_the_ledger,
    fields_are_opened_in_disclosure_and_sealed_in_resealing,
    nothing_is_printed_or_left_to_do,
    the_log_is_only_added_to,
    the_time_comes_from_the_entry,
    two_persons_look_in_looks,
)


def modules(root: Path) -> list[Module]:
    """Read every module of `api`."""
    return [
        Module.of(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted((root / "api").rglob("*.py"))
    ]


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_docstring(module: Module, constant: ast.Constant) -> bool:
    return any(
        isinstance(node, ast.Expr) and node.value is constant for node in ast.walk(module.tree)
    )
