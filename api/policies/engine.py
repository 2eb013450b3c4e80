"""A policy: Polar texts that were checked and loaded as a whole, and questions put to them.

Nothing else talks to Oso. Its messages and errors print the arguments of rules,
so none of them leaves this module, and of what Polar text can make a host do
(call methods, make objects, iterate, debug) only the reading of facts is served.
"""

import hashlib
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self

from oso import Oso
from polar.expression import Expression, Pattern
from polar.ffi import PolarSource, ffi_serialize, lib, process_messages
from polar.predicate import Predicate
from polar.query import Query
from polar.variable import Variable

from api.errors import PolicyFailed, PolicyRefused
from api.policies.facts import CLASSES, FIELD_TYPES, Facts
from api.policies.lint import findings

#: The engine warns when no rule is named `allow`; the questions here have other names.
_NO_ALLOW_RULE: Final = "[warning] Your policy does not contain an allow rule"

_ROW_NAME: Final = "row"

#: What a question leaves open, for the engine to find.
ACTION: Final = Variable("action")
COMPARTMENT: Final = Variable("compartment")
GROUND: Final = Variable("ground")
ROW: Final = Variable(_ROW_NAME)

#: Settings of the engine by which it prints what it evaluates.
_ENGINE_LOG: Final = ("POLAR_LOG", "POLAR_EXPLAIN")


class Policy:
    """One loaded policy; it never changes. Made by `load` and `shipped`.

    Attributes:
        hash: SHA-256, in hex, over the names and texts, ordered by name. It
            stands in every event, so that the text in force is known later.
        texts: name without ".polar" -> Polar text, for who explains an answer.
    """

    __slots__ = ("_oso", "hash", "texts")

    def __init__(self, oso: Oso, digest: str, texts: Mapping[str, str] | None = None) -> None:
        """Take an engine that `load` has filled with *texts* and tested."""
        self._oso = oso
        self.hash = digest
        self.texts: Mapping[str, str] = dict(texts or {})

    @classmethod
    def shipped(cls) -> Self:
        """Load the .polar files beside this module."""
        return cls.load(shipped_texts())

    @classmethod
    def load(cls, texts: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Self:
        """Load *texts* (name without ".polar" -> Polar text), all or nothing.

        Raises:
            PolicyRefused: the lint, the engine (a warning counts) or an inline
                test refuses; its sentence says where and what.
        """
        if any(environment.get(name, "0") not in ("0", "off") for name in _ENGINE_LOG):
            raise PolicyRefused(f"Unset {' and '.join(_ENGINE_LOG)}: they print what is decided.")
        found = findings(texts)
        if found:
            raise PolicyRefused("\n".join(str(finding) for finding in found))
        try:
            with _warnings_of_this_thread() as warned:
                oso, messages = _loaded(texts)
            messages += warned
        except Exception as error:
            # Only texts of the policy can be in it: no question was put yet.
            raise PolicyRefused(f"The policy does not load: {error}") from None
        if messages:
            raise PolicyRefused("\n".join(messages))
        return cls(oso, hash_of(texts), texts)

    def answers(self, rule: str, *args: object) -> frozenset[tuple[str, ...]]:
        """Ask *rule*; each answer gives the values of the unknowns among *args*, in order.

        No answer means that the rule does not hold. Without an unknown the one
        answer is the empty tuple.

        Raises:
            PolicyFailed: the engine raised, or a value is not a text.
        """
        unknown = [str.__str__(arg) for arg in args if type(arg) is Variable]
        try:
            found = frozenset(
                tuple(result[name] for name in unknown) for result in self._ask(rule, args)
            )
        except Exception:
            raise PolicyFailed from None  # Polar's trace prints its arguments.
        if not all(type(value) is str for answer in found for value in answer):
            raise PolicyFailed
        return found

    def conditions_on(self, row: type[Facts], rule: str, *args: object) -> list[Expression]:
        """Ask *rule* with ROW among *args*: what must a row of that class be?

        Each returned expression is one way in which the rule holds.

        Raises:
            PolicyFailed: the engine raised, or an answer is no expression.
        """
        start = Expression("And", [Expression("Isa", [ROW, Pattern(row.polar_name, {})])])
        try:
            found = [result[_ROW_NAME] for result in self._ask(rule, args, {_ROW_NAME: start})]
        except Exception:
            raise PolicyFailed from None
        if not all(type(answer) is Expression for answer in found):
            raise PolicyFailed
        return found

    def _ask(
        self, rule: str, args: tuple[object, ...], start: dict[str, Expression] | None = None
    ) -> Iterator[dict[str, Any]]:
        host = self._oso.host.copy()  # It keeps what a question names; the copy is thrown away.
        host.set_accept_expression(start is not None)
        query = self._oso.ffi_polar.new_query_from_term(host.to_polar(Predicate(rule, args)))
        for result in _Question(query, host=host, bindings=start).run():
            yield result["bindings"]


class _Question(Query):  # type: ignore[misc]  # Oso's classes are untyped here.
    """A query that can read the facts it was given and reach nothing else of Python."""

    _may_make_facts = False

    def __init__(self, ffi_query: Any, **given: Any) -> None:
        pointer = ffi_query.ptr  # Not the object: a cycle would keep every query alive.

        def refuse_messages() -> None:
            if list(process_messages(lambda: lib.polar_next_query_message(pointer))):
                raise PolicyFailed

        ffi_query.process_messages = refuse_messages
        super().__init__(ffi_query, **given)

    def handle_external_call(self, data: dict[str, Any]) -> None:
        """Read one declared field of some facts."""
        facts = self.host.to_python(data["instance"])
        name = data["attribute"]
        if data["args"] is not None or name not in FIELD_TYPES[type(facts).polar_name]:
            raise PolicyFailed
        query, term = self.ffi_query, _term(getattr(facts, name))
        query.check_result(lib.polar_call_result(query.ptr, data["call_id"], term))

    def handle_make_external(self, data: dict[str, Any]) -> None:
        """Make facts in an inline test, refuse elsewhere."""
        if not self._may_make_facts:
            raise PolicyFailed
        super().handle_make_external(data)

    def _refuse(self, _data: dict[str, Any]) -> None:
        raise PolicyFailed

    handle_external_op = _refuse
    handle_external_isa_with_path = _refuse
    handle_next_external = _refuse
    handle_debug = _refuse
    handle_relation = _refuse


class _InlineTest(_Question):
    _may_make_facts = True


@contextmanager
def _warnings_of_this_thread() -> Iterator[list[str]]:
    """Collect what Python warns of; other threads, which serve meanwhile, warn as before."""
    mine = threading.get_ident()
    warned: list[str] = []
    with warnings.catch_warnings():
        show = warnings.showwarning

        def keep(message: Warning | str, *rest: Any, **more: Any) -> None:
            if threading.get_ident() == mine:
                warned.append(f"A warning: {message}")
            else:
                show(message, *rest, **more)

        warnings.simplefilter("always")
        warnings.showwarning = keep
        yield warned


@lru_cache(maxsize=1024, typed=True)  # Typed, since True is not 1.
def _term(value: str | int | bool) -> Any:
    """Print a value of some facts for the engine, which asks for the same few again and again."""
    if type(value) is bool:
        return ffi_serialize({"value": {"Boolean": value}})
    if type(value) is int:
        return ffi_serialize({"value": {"Number": {"Integer": value}}})
    if type(value) is str:
        return ffi_serialize({"value": {"String": value}})
    raise PolicyFailed


def shipped_texts() -> dict[str, str]:
    """Read the .polar files beside this module: name -> text."""
    return {
        entry.name.removesuffix(".polar"): entry.read_text("utf-8")
        for entry in resources.files("api.policies").iterdir()
        if entry.name.endswith(".polar")
    }


def texts_in(folder: Path) -> dict[str, str]:
    """Read the .polar files in *folder*: name -> text.

    Raises:
        PolicyRefused: there is none, or one is not UTF-8.
    """
    try:
        texts = {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.polar"))}
    except (OSError, UnicodeDecodeError):
        raise PolicyRefused(f"A .polar file in {folder} cannot be read.") from None
    if not texts:
        raise PolicyRefused(f"There is no .polar file in {folder}.")
    return texts


def _loaded(texts: Mapping[str, str]) -> tuple[Oso, list[str]]:
    """Load into a new engine, run the inline tests, return it with what it complained of."""
    oso = Oso()
    messages: list[str] = []

    def keep_messages() -> None:
        messages.extend(process_messages(oso.ffi_polar.next_message))

    oso.ffi_polar.process_messages = keep_messages
    for name, cls in CLASSES.items():
        oso.register_class(cls, name=name)
    oso.ffi_polar.load([PolarSource(texts[name], f"{name}.polar") for name in sorted(texts)])
    while (test := oso.ffi_polar.next_inline_query()) is not None:
        if next(_InlineTest(test, host=oso.host.copy()).run(), None) is None:
            messages.append(f"An inline test fails: {test.source()}")
    return oso, [message for message in messages if not message.startswith(_NO_ALLOW_RULE)]


def hash_of(texts: Mapping[str, str]) -> str:
    """Give the hash by which a policy is known, in hex (api/casework/FORMAT.md)."""
    digest = hashlib.sha256()
    for name in sorted(texts):
        for part in (name.encode(), texts[name].encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
