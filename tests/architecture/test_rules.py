"""What import contracts cannot hold: where a field opens, a permit is made, a commit happens."""

from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.rules import RULES, Module, Rule

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule: Rule) -> None:
    broken = [f"{m.path}:{what}" for m in rules.modules(ROOT) for what in rule(m)]

    assert broken == []


BREAKING = [
    (rules.a_module_begins_by_saying_what_it_is, "api/x.py", "x = 1"),
    (rules.a_permit_is_made_in_the_gate, "api/casework/x.py", "Permit(token, frozenset(), 0, c)"),
    (rules.a_permit_is_made_in_the_gate, "api/casework/x.py", "Permit.__new__(Permit)"),
    (rules.a_permit_is_made_in_the_gate, "api/x.py", "from api.policies.gate import _GATE"),
    (rules.a_permit_is_made_in_the_gate, "api/x.py", "token = gate._GATE"),
    (rules.commits_happen_in_the_database_and_the_ledger, "api/store/x.py", "await c.commit()"),
    (rules.commits_happen_in_the_database_and_the_ledger, "api/store/x.py", "e.begin()"),
    (rules.commits_happen_in_the_database_and_the_ledger, "api/x.py", "c.execute('COMMIT')"),
    (rules.commits_happen_in_the_database_and_the_ledger, "api/x.py", "o(level='AUTOCOMMIT')"),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/search.py",
        "from api.crypto.sealing import open_sealed",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/disclosure.py",
        "from api.crypto.sealing import seal",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/key_exchange.py",
        "from api.crypto.sealing import open_sealed",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/disclosure.py",
        "from api.crypto.sealing import open_sealed as unseal",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/disclosure.py",
        "from api.crypto import sealing",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/disclosure.py",
        "import api.crypto.sealing",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/search.py",
        "plain = key.cipher.decrypt(nonce, body, data)",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/attachment_reading.py",
        "from api.crypto.streams import StreamOpener",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/attachment_streams.py",
        "from api.crypto.streams import StreamSealer",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/attachment_resealing.py",
        "from api.crypto.streams import StreamCheck",
    ),
    (
        rules.fields_are_opened_in_disclosure_and_sealed_in_resealing,
        "api/casework/attachment_streams.py",
        "from api.crypto import streams",
    ),
    (rules.nothing_is_printed_or_left_to_do, "api/x.py", "print(1)"),
    (rules.nothing_is_printed_or_left_to_do, "api/x.py", "assert x"),
    (rules.nothing_is_printed_or_left_to_do, "api/x.py", "x = 1  # TO" + "DO later"),
    (rules.nothing_is_printed_or_left_to_do, "api/x.py", "x = f()  # type: ignore[misc]"),
    (rules.the_log_is_only_added_to, "api/accesslog/x.py", "c.execute('delete from entry')"),
    (rules.the_log_is_only_added_to, "api/accesslog/x.py", "c.execute('UPDATE head set x=1')"),
    (rules.the_log_is_only_added_to, "api/accesslog/x.py", "from sqlalchemy import update"),
    (rules.the_log_is_only_added_to, "api/accesslog/x.py", "tables.entry.delete()"),
    (rules.the_log_is_only_added_to, "api/casework/x.py", "from api.accesslog.tables import t"),
    (rules.the_time_comes_from_the_entry, "api/casework/x.py", "datetime.now(UTC)"),
    (rules.the_time_comes_from_the_entry, "api/casework/x.py", "now = datetime.datetime.now"),
    (rules.the_time_comes_from_the_entry, "api/casework/x.py", "from time import time"),
    (rules.the_time_comes_from_the_entry, "api/cli/x.py", "date.today()"),
    (rules.two_persons_look_in_looks, "api/casework/x.py", "Reading(a, s, p, together=file)"),
    (rules.two_persons_look_in_looks, "api/casework/x.py", "replace(facts, second_person=True)"),
    (
        rules.two_persons_look_in_looks,
        "api/casework/x.py",
        "from api.casework.facts import looking_together",
    ),
]


@pytest.mark.parametrize(("rule", "path", "text"), BREAKING)
def test_a_module_that_breaks_the_rule_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Module.of(path, text)))


def test_every_rule_has_a_module_that_breaks_it() -> None:
    assert {rule for rule, _, _ in BREAKING} == set(RULES)


def test_the_places_that_rules_name_are_there() -> None:
    for path in (*rules.SEALING, *rules.STREAMS, *rules.COMMITS, *rules.CLOCKS, rules.LOOKS):
        assert (ROOT / path).is_file(), path
