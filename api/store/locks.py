"""What only one process of a deployment may do at a time: an advisory lock for each."""

from sqlalchemy import text

from api.database import Connection

#: Making alerts: their numbers grow with the commits.
ALERTS = int.from_bytes(b"alerts")
#: Giving outcomes to intents that have none.
FINISHING = int.from_bytes(b"finish")
#: Saying in the log that the policy changed, and adopting one.
POLICY = int.from_bytes(b"policy")
#: Closing and opening releases for ties.
RELEASES = int.from_bytes(b"release")


async def alone(change: Connection, key: int) -> None:
    """Wait for everybody else who holds *key*, and hold it until the commit.

    SQLite has one writer, which a transaction becomes with its first statement.
    """
    if change.dialect.name == "postgresql":
        await change.execute(text("select pg_advisory_xact_lock(:key)"), {"key": key})
    else:
        await change.execute(text("select 1"))
