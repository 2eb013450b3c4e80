"""Ties to reported adversaries, and the tags of the institutions that are reported."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

#: Table -> what the service's role may do from here on, beside what it could before.
GRANTS = {
    "tie": "select, insert, update (withdrawn_by, withdrawn_at, event, seal)",
    # An erasure takes the tags of a case file away.
    "adversary_tag": "select, insert, delete",
    "release": "update (tied_at)",
    "case_file": "update (adversary_institutions)",
}


def upgrade() -> None:
    """Make the tables, the mark of a release that a tie closes, and the sealed names."""
    op.add_column("release", sa.Column("tied_at", sa.DateTime(timezone=True), nullable=True))
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.add_column(
        "case_file",
        sa.Column(
            "adversary_institutions",
            sa.LargeBinary(),
            nullable=False,
            server_default=sa.text("''::bytea" if postgresql else "x''"),
        ),
    )
    op.create_table(
        "tie",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=True),
        sa.Column("partner", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=True),
        sa.Column("tag", sa.String(length=32), nullable=True),
        sa.Column("declared_by", sa.Uuid(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [there], name=op.f(f"fk_tie_{column}_{table}"))
            for column, there, table in (
                ("agency", "organisation.slug", "organisation"),
                ("member", "member.id", "member"),
                ("partner", "organisation.slug", "organisation"),
                ("case_file", "case_file.id", "case_file"),
                ("declared_by", "member.id", "member"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tie")),
    )
    op.create_index(op.f("ix_tie_member"), "tie", ["member"], unique=False)
    op.create_index(op.f("ix_tie_partner_agency"), "tie", ["partner", "agency"], unique=False)
    op.create_table(
        "adversary_tag",
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["organisation.slug"], name=op.f("fk_adversary_tag_agency_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["case_file"], ["case_file.id"], name=op.f("fk_adversary_tag_case_file_case_file")
        ),
        sa.PrimaryKeyConstraint("agency", "tag", "case_file", name=op.f("pk_adversary_tag")),
    )
    op.create_index(op.f("ix_adversary_tag_case_file"), "adversary_tag", ["case_file"])
    if postgresql:
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")
