"""The search tables anew: every filter of the officers' search has an index that leads with
the agency, and what an event may have several of (compartments, fields, grounds, agencies)
has a table of its own.

All search tables are emptied: they are a projection of the entries, which stay as they
are, and are filled again at the next start or search.
"""

from collections.abc import Sequence

from alembic import op

from api.errors import RefusesToStart

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: What one search may narrow by, each by one range of one index, newest event first; `at`
#: stands last so that a search in a time never leaves the index.
NARROWED = ("actor", "organisation", "role", "action", "purpose", "decision")

INDICES = {
    "ix_event_action_idx": "event (action, idx)",
    **{
        f"ix_event_agency_{column}_idx_at": f"event_agency (agency, {column}, idx, at)"
        for column in NARROWED
    },
    "ix_event_agency_at_idx": "event_agency (agency, at, idx)",
    # These two let the verification walk in the order of the log.
    "ix_event_agency_idx": "event_agency (idx)",
    "ix_event_word_idx": "event_word (idx, agency, word, at)",
}

#: {0}: the kind of a number; {1}: what ends a key; {2}: what ends a table; {3}: the schema.
TABLES = (
    """
    create table {3}event_agency (
        agency text not null,
        idx {0} not null,
        at {0} not null,
        actor text,
        organisation text,
        role text,
        action text not null,
        purpose text,
        decision text not null,
        primary key (agency, idx){1}
    ){2}
    """,
    """
    create table {3}event_word (
        agency text not null,
        word text not null,
        idx {0} not null,
        at {0} not null,
        primary key (agency, word, idx){1}
    ){2}
    """,
)


def upgrade() -> None:
    """Make the tables, the indices and, on PostgreSQL, the grants."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    schema = "accesslog." if postgresql else ""
    op.execute(f"drop index {schema}ix_event_actor_idx")
    op.execute(f"drop table {schema}event_agency")
    for table in ("event", "event_record"):
        op.execute(f"delete from {schema}{table}")
    how = ("bigint", " include (at)", "") if postgresql else ("integer", "", " without rowid")
    for table in TABLES:
        op.execute(table.format(*how, schema))
    for name, place in INDICES.items():
        op.execute(f"create index {name} on {schema}{place}")
    if postgresql:
        for table in ("event_agency", "event_word"):
            op.execute(f"grant select, insert on accesslog.{table} to perisai_log_reader")


def downgrade() -> None:
    """Refuse: the log's migrations only go on."""
    raise RefusesToStart("The access log is not taken back by a migration. Keep its database.")
