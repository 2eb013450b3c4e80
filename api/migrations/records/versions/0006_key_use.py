"""Rotations of the keys, what the running processes use, and below which version nothing goes.

A process that was held up may come back with a wrap under a version that was
destroyed meanwhile; what it writes then would be lost. So the database refuses it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

#: Table -> its columns with the owner and a version, and the kind of key of which it is one.
VERSIONED = {
    "data_key": ("owner", "kek_version", "kek"),
    "owner_secret": ("owner", "kek_version", "kek"),
    "defender_tag": ("agency", "index_version", "idx"),
}

#: Table -> what the service's role may do from here on, beside what it could before.
GRANTS = {
    "data_key": "update (kek_version, wrapped)",
    "owner_secret": "update (kek_version, wrapped)",
    "release": "update (body)",
    "key_rotation": "select, insert, update (finished_at)",
    "key_use": "select, insert, update (version, since, seen_at), delete",
    "key_floor": "select, insert, update (version)",
}

_BELOW = """
select 1 from key_floor where owner = new.{owner} and kind = '{kind}' and version > new.{column}
"""


def upgrade() -> None:
    """Make the tables and triggers; every data key that is there came with its record."""
    op.add_column(
        "data_key", sa.Column("rotation", sa.Integer(), nullable=False, server_default="0")
    )
    op.create_table(
        "key_rotation",
        _owner("key_rotation"),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("owner", "kind", "number", name=op.f("pk_key_rotation")),
    )
    op.create_table(
        "key_use",
        sa.Column("process", sa.Uuid(), nullable=False),
        _owner("key_use"),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process", "owner", "kind", name=op.f("pk_key_use")),
    )
    op.create_table(
        "key_floor",
        _owner("key_floor"),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "kind", name=op.f("pk_key_floor")),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table, (owner, column, kind) in VERSIONED.items():
        below = _BELOW.format(owner=owner, kind=kind, column=column)
        for statement in _triggers(table, column, below, postgresql):
            op.execute(statement)
    if postgresql:
        for table, rights in GRANTS.items():
            op.execute(f"grant {rights} on {table} to perisai_service")


def _owner(table: str) -> "sa.Column[str]":
    name = op.f(f"fk_{table}_owner_organisation")
    return sa.Column(
        "owner",
        sa.String(length=40),
        sa.ForeignKey("organisation.slug", name=name),
        nullable=False,
    )


def _triggers(table: str, column: str, below: str, postgresql: bool) -> list[str]:
    if not postgresql:
        return [
            f"create trigger {table}_{when}_below_floor before {what} on {table} "
            f"when exists ({below}) "
            "begin select raise(abort, 'this version of the key is no more'); end"
            for when, what in (("insert", "insert"), ("update", f"update of {column}"))
        ]
    return [
        f"""
        create function {table}_refuses_destroyed_versions() returns trigger
        language plpgsql as $$
        begin
            if exists ({below}) then
                raise check_violation using message = 'this version of the key is no more';
            end if;
            return new;
        end
        $$
        """,
        f"create trigger {table}_below_floor before insert or update of {column} on {table} "
        f"for each row execute function {table}_refuses_destroyed_versions()",
    ]
