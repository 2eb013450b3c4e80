"""What the migration of the log asks of the server's roles, and gives them where it may."""

import psycopg
import pytest

from api.accesslog.ledger import Ledger
from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.accesslog.tree import Tree, leaf_hash
from api.errors import RefusesToStart
from api.migrations import upgrade
from tests.accesslog.events import read_of
from tests.postgresql import LOG_READER, LOG_SIGNER, SERVICE, PostgresServer, libpq_url


def _raw(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(libpq_url(url), autocommit=True)


async def test_a_migration_without_the_signers_role_says_what_to_do_and_changes_nothing(
    server: PostgresServer,
) -> None:
    database = server.create_database()
    await upgrade("log", database.owner_url, "0001")
    with _raw(database.superuser_url) as raw:
        raw.execute(f"alter role {LOG_SIGNER} rename to nobody_now".encode())
        try:
            with pytest.raises(RefusesToStart, match=f"{LOG_SIGNER} is missing"):
                await upgrade("log", database.owner_url)
            found = raw.execute("select version_num from alembic_log").fetchall()
        finally:
            raw.execute(f"alter role nobody_now rename to {LOG_SIGNER}".encode())
    server.drop_database(database)

    assert found == [("0001",)]


@pytest.mark.parametrize("administers", [False, True], ids=["owner", "administrator"])
async def test_who_administers_the_roles_gives_them_their_limits_by_migrating(
    server: PostgresServer, administers: bool
) -> None:
    database = server.create_database()
    await upgrade("log", database.superuser_url if administers else database.owner_url)
    with _raw(database.superuser_url) as raw:
        limited = raw.execute(
            "select r.rolname from pg_db_role_setting s join pg_roles r on r.oid = s.setrole "
            "join pg_database d on d.oid = s.setdatabase where d.datname = current_database() "
            "and 'idle_in_transaction_session_timeout' in "
            "(select split_part(setting, '=', 1) from unnest(s.setconfig) as c (setting))"
        ).fetchall()
    server.drop_database(database)

    roles = {SERVICE, LOG_SIGNER, LOG_READER} if administers else set()
    assert {name for (name,) in limited} == roles


async def test_a_log_of_the_first_version_goes_on_after_the_migration(
    server: PostgresServer,
) -> None:
    database = server.create_database()
    await upgrade("log", database.owner_url, "0001")
    tree = Tree()
    hashes = tree.append(leaf_hash(b"x"))
    with _raw(database.superuser_url) as raw:
        raw.execute(
            "select accesslog.append(0, array[%b]::bytea[], array[%b]::bytea[], %b)",
            (b"x", hashes, tree.root()),
        )
    await upgrade("log", database.owner_url)
    ledger = Ledger(PostgresqlWriter(database.service_url))
    await ledger.start()

    assert await ledger.append(read_of()) == 1

    await ledger.close()
    server.drop_database(database)
