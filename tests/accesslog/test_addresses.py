"""One form of address, with its `ssl`, for all three database settings."""

from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.database import Records, engine_of
from api.migrations import upgrade
from tests.postgresql import PostgresServer


async def test_the_ledger_takes_the_same_address_as_the_records(server: PostgresServer) -> None:
    database = server.create_database()
    try:
        await upgrade("log", f"{database.owner_url}?ssl=prefer")
        address = f"{database.service_url}?ssl=prefer"
        records = Records(engine_of(address))
        await records.health()
        await records.close()
        writer = PostgresqlWriter(address)

        await writer.open()

        assert (await writer.state()).size == 0
        await writer.close()
    finally:
        server.drop_database(database)
