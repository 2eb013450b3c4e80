"""One loaded policy for the session; a new gate, which remembers nothing, for each test."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from api.policies.engine import Policy
from api.policies.gate import Gate


@pytest.fixture(scope="session")
def policy() -> Policy:
    return Policy.shipped()


@pytest.fixture
def gate(policy: Policy) -> Gate:
    return Gate(policy)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A database of records; the tests that take it hold for SQLite and PostgreSQL."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    yield engine
    engine.dispose()
