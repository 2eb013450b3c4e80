"""Take each condition out of the code that builds facts, one at a time: does a test notice?

    python -m tests.policies.mutating_builders

A mutant is the module with one condition less; it is put in the place of the module in a
process of its own, which runs the tests below. If they still pass, the mutant survives.

What "without the condition" means:

- an `if` that only refuses (its body ends in return, raise or continue) never fires, any
  other always does; a conditional expression takes its first value;
- an `and`, an `or`, SQL's `and_()` and `where()`, and a chain of filters in a
  comprehension lose one part;
- a truth value that is assigned, passed on or returned is true.
"""

import ast
import copy
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parents[2]

#: Module -> what in it builds facts: names of functions, methods and of module constants.
BUILDERS = {
    "api.policies.facts": {"__post_init__", "of", "as_referred"},
    "api.casework.facts": {
        "facts_of",
        "_of_another",
        "_assigned",
        "referred_of",
        "counts",
        "link_holds",
    },
    "api.casework.closed": {"closed_files", "proven", "stands", "waits"},
    "api.casework.consenting": {"stands", "chosen", "_covers", "rests_on"},
    "api.casework.delegating": {
        "in_person",
        "_flags",
        "handed_in",
        "_holds",
        "_giver_opens",
    },
    "api.casework.rights": {"holds", "member_behind", "member_of", "caseworker"},
    "api.casework.deciding": {
        "of",
        "feed",
        "attach",
        "allows",
        "_decide",
        "_also_erased",
        "verdicts",
    },
    "api.casework.looks": {"check_ready"},
    "api.casework.releases": {"_decide"},
    "api.casework.looking": {"may_see"},
    "api.store.assignments": {"live"},
    "api.store.case_file_statements": {"_mine", "_others"},
    "api.store.delegations": {"live", "_to_me", "_resting", "_among"},
    "api.store.members": {"_row", "row_of"},
    "api.store.referral_rights": {"live", "_among"},
    "api.store.releases": {"SCOPE"},
}

#: What must notice: module -> tests. They need no fixture of a conftest, whose imports
#: would take longer than they do.
TESTS = {
    "api.policies.facts": ("tests/policies/test_facts.py",),
    "api.casework.closed": ("tests/casework/test_closed.py",),
    "api.casework.consenting": ("tests/casework/test_consenting.py",),
    "api.casework.deciding": ("tests/casework/test_deciding.py",),
    "api.casework.looks": ("tests/casework/test_looks.py",),
}
OTHERWISE = ("tests/casework/test_building_facts.py",)

#: A mutant may loop; then it is stopped, and counts as noticed.
MOST_SECONDS = 120


@dataclass(frozen=True)
class Mutant:
    """One module with one condition less."""

    module: str
    line: int
    what: str
    source: str

    def __str__(self) -> str:
        return f"{self.module.replace('.', '/')}.py:{self.line}: {self.what}"


def mutants(every: int = 1) -> list[Mutant]:
    """Make every mutant, or every so-manieth."""
    return [
        mutant
        for module, names in BUILDERS.items()
        for mutant in _mutants_of(module, (ROOT / f"{module.replace('.', '/')}.py"), names)
    ][::every]


def _mutants_of(module: str, path: Path, names: set[str]) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    builders = [node for node in ast.walk(tree) if _name_of(node) in names]
    missing = names - {_name_of(node) for node in builders}
    if missing:
        raise LookupError(f"{module} has no {', '.join(sorted(missing))}")
    for place in [node for builder in builders for node in ast.walk(builder)]:
        for what, change in _changes(place):
            # Changed in a copy: the same walk finds the same node in it.
            at = next(i for i, node in enumerate(ast.walk(tree)) if node is place)
            changed = copy.deepcopy(tree)
            node = next(node for i, node in enumerate(ast.walk(changed)) if i == at)
            change(node)
            line = getattr(place, "lineno", 0)
            yield Mutant(module, line, what, ast.unparse(ast.fix_missing_locations(changed)))


def _name_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return None


Change = tuple[str, Callable[[ast.AST], None]]


def _changes(node: ast.AST) -> Iterator[Change]:
    """Give the ways in which *node* loses a condition."""
    match node:
        case ast.If(test=test, body=body):
            refuses = isinstance(body[-1], ast.Return | ast.Raise | ast.Continue)
            yield (
                f"`if {ast.unparse(test)}` {'never' if refuses else 'always'} holds",
                lambda n: setattr(n, "test", ast.Constant(not refuses)),
            )
        case ast.IfExp(test=test):
            yield (
                f"`... if {ast.unparse(test)}` always holds",
                lambda n: setattr(n, "test", ast.Constant(True)),
            )
        case ast.BoolOp(values=values):
            yield from _less("values", values)
        case ast.Call(func=func, args=args) if _callee(func) in ("and_", "where") and args:
            if len(args) > 1:
                yield from _less("args", args)
        case ast.comprehension(ifs=ifs):
            yield from _less("ifs", ifs)
        case ast.keyword(value=ast.Compare() as value):
            yield _true("value", value)
        case ast.Assign(value=ast.Compare() as value):
            yield _true("value", value)
        case ast.Return(value=ast.Compare() | ast.BoolOp() as value):
            yield _true("value", value)
        case ast.Return(value=ast.Call() as value) if _callee(value.func) == "holds":
            yield _true("value", value)
        case ast.Call(args=args):
            for at, argument in enumerate(args):
                if isinstance(argument, ast.Compare):
                    yield (
                        f"`{ast.unparse(argument)}` is true",
                        lambda n, at=at: n.args.__setitem__(at, ast.Constant(True)),  # type: ignore[misc]  # It is a call.
                    )


def _less(name: str, parts: list[ast.expr]) -> Iterator[Change]:
    for at, part in enumerate(parts):
        yield f"without `{ast.unparse(part)}`", lambda n, at=at: getattr(n, name).pop(at)  # type: ignore[misc]  # A default binds it.


def _true(name: str, value: ast.expr) -> Change:
    return f"`{ast.unparse(value)}` is true", lambda n: setattr(n, name, ast.Constant(True))


def _callee(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


class _Instead(MetaPathFinder, Loader):
    """Gives the mutant in the place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        wanted = fullname == self._mutant.module
        return spec_from_loader(fullname, self) if wanted else None

    def exec_module(self, module: ModuleType) -> None:
        code: CodeType = compile(self._mutant.source, f"<{self._mutant}>", "exec")
        exec(code, module.__dict__)  # noqa: S102  # Our own source, less one condition.


def noticed(mutant: Mutant, *, in_place: bool = True) -> bool:
    """Tell whether a test fails with *mutant* in place or, for comparison, with nothing changed.

    A process of its own is forked: what the parent has imported, none of it ours, need
    not be imported again.
    """
    child = os.fork()
    if child == 0:
        _run(TESTS.get(mutant.module, OTHERWISE), mutant if in_place else None)
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run(tests: Sequence[str], mutant: Mutant | None) -> None:
    """Run the tests in this process and leave it with their status; never returns."""
    status = 70
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(ROOT)
        for name in [n for n in sys.modules if n.split(".")[0] in ("api", "tests")]:
            del sys.modules[name]
        if mutant is not None:
            sys.meta_path.insert(0, _Instead(mutant))
        import pytest

        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        plugins = ["-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider"]
        status = int(pytest.main(["-x", "-q", "-m", "", "--noconftest", *plugins, *tests]))
    finally:
        os._exit(status)


def score(every: int = 1, said: Callable[[str], None] = lambda _: None) -> tuple[int, list[Mutant]]:
    """Make the mutants; give how many there were, and those that nobody noticed."""
    # Once for all the forked processes: what ours import. They forget ours, and import the
    # plugins of pytest themselves.
    for module in BUILDERS:
        import_module(module)
    made = mutants(every)
    for one in {mutant.module: mutant for mutant in made}.values():
        if noticed(one, in_place=False):
            raise RuntimeError(f"the tests of {one.module} fail with nothing changed")
    survivors = []
    for done, mutant in enumerate(made, 1):
        if not noticed(mutant):
            survivors.append(mutant)
            said(f"{mutant}: nobody notices")
        if done % 25 == 0:
            said(f"{done} of {len(made)}")
    return len(made), survivors


def in_a_process() -> "subprocess.CompletedProcess[str]":
    """Run `main` in a process that has no other thread, so that it can fork."""
    return subprocess.run(
        [sys.executable, "-m", "tests.policies.mutating_builders"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    """Print the score; exit status 1 where one survives."""

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    total, survivors = score(said=say)
    killed = total - len(survivors)
    say(f"{killed} of {total} mutants of the builders are noticed ({100 * killed / total:.1f}%).")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
