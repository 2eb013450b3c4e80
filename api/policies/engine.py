"""A policy: Polar texts that were checked and loaded as a whole, and questions put to them.

Nothing else talks to Oso. Its messages and errors print the arguments of rules,
so none of them leaves this module, and of what Polar text can make a host do
(call methods, make objects, iterate, debug) only the reading of facts is served.
"""

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final, Self

from oso import Oso
from polar.expression import Expression, Pattern
from polar.ffi import PolarSource, lib, process_messages
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
    """

    __slots__ = ("_oso", "hash")

    def __init__(self, oso: Oso, digest: str) -> None:
        """Take an engine that `load` has filled and tested."""
        self._oso = oso
        self.hash = digest

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
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                oso, messages = _loaded(texts)
        except Exception as error:
            # Only texts of the policy can be in it: no question was put yet.
            raise PolicyRefused(f"The policy does not load: {error}") from None
        if messages:
            raise PolicyRefused("\n".join(messages))
        return cls(oso, _hash_of(texts))

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
        self.ffi_query.call_result(data["call_id"], self.host.to_polar(getattr(facts, name)))

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


def shipped_texts() -> dict[str, str]:
    """Read the .polar files beside this module: name -> text."""
    return {
        entry.name.removesuffix(".polar"): entry.read_text("utf-8")
        for entry in resources.files("api.policies").iterdir()
        if entry.name.endswith(".polar")
    }


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


def _hash_of(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(texts):
        for part in (name.encode(), texts[name].encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
