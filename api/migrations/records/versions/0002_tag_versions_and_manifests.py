"""Which version of the index key made a tag; the manifest of each compartment of a record."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add them; every tag that is there was made under version 1.

    Raises:
        RuntimeError: there are records, for which nobody can make manifests here: that
            takes the keys. Only unreleased versions wrote such records.
    """
    bind = op.get_bind()
    if bind.scalar(sa.text("select count(*) from defender")):
        raise RuntimeError("records of an unreleased version have no manifests: set up anew")
    op.add_column(
        "defender_tag",
        sa.Column("index_version", sa.Integer(), nullable=False, server_default="1"),
    )
    op.create_table(
        "manifest",
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("compartment", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("record", "compartment", name=op.f("pk_manifest")),
    )
    if bind.dialect.name == "postgresql":
        op.execute("grant select, insert, update (revision, data) on manifest to perisai_service")
