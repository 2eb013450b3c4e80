"""Search by what an event is about, and for intents that nothing ended.

The search tables are a projection of the entries: they are emptied here, and whoever
searches next fills them again, with the new columns.
"""

from collections.abc import Sequence

from alembic import op

from api.errors import RefusesToStart

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SEARCH = ("event", "event_record", "event_agency", "event_word")
INDICES = {
    "ix_event_phase_idx": "event (phase, idx)",
    "ix_event_intent": "event (intent) where intent is not null",
}


def upgrade() -> None:
    """Add the columns and the indices, and empty the projection."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    schema = "accesslog." if postgresql else ""
    for table in SEARCH:
        op.execute(f"delete from {schema}{table}")
    op.execute(f"alter table {schema}event add column phase text")
    op.execute(
        f"alter table {schema}event add column intent {'bigint' if postgresql else 'integer'}"
    )
    for name, place in INDICES.items():
        op.execute(f"create index {name} on {schema}{place}")


def downgrade() -> None:
    """Refuse: evidence is never removed by a migration."""
    raise RefusesToStart("The access log is not removed by a migration. Keep its database.")
