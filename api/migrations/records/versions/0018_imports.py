"""How far the import of a file came."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

#: Table -> what the service's role may do.
GRANTS = {
    "import_run": "select, insert, update (through, written, member, finished_at, event, seal)",
}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "import_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("through", sa.Integer(), nullable=False),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [there], name=op.f(f"fk_import_run_{column}_{table}"))
            for column, there, table in (
                ("agency", "organisation.slug", "organisation"),
                ("member", "member.id", "member"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sa.UniqueConstraint("agency", "file", name=op.f("uq_import_run_agency")),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")
