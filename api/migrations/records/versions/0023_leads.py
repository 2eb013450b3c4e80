"""A change of the agency that leads: proposed, accepted, handed over; what it may then write."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

#: Table -> what the service's role may do. What goes over gets another seal, and some of it
#: names its agency.
GRANTS = {
    "lead_proposal": "select, insert",
    "lead_acceptance": "select, insert, update (taken_at, taken_event, signature, seal)",
    "lead_handover": "select, insert, delete",
    "lead_share": "select, insert, delete",
    "adversary": "update (seal)",
    "assessment": "update (seal)",
    "attachment": "update (seal)",
    "case_file": "update (lead_agency, event, seal)",
    "case_file_defender": "update (seal)",
    "closing": "update (agency, seal)",
    "consent": "update (agency, seal)",
    "defender": "update (agency)",
    "incident": "update (seal)",
    "legal_hold": "update (agency, seal)",
    "note": "update (seal)",
    "reason": "update (seal)",
    "step": "update (seal)",
    "tie": "update (agency, seal)",
    "triage": "update (seal)",
}


def upgrade() -> None:
    """Make the tables, and give what they need."""
    _step("lead_proposal")
    _step(
        "lead_acceptance",
        sa.Column("proposal", sa.BigInteger(), nullable=False),
        sa.Column("accepted_by", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_event", sa.BigInteger(), nullable=True),
    )
    _step(
        "lead_handover",
        sa.Column("acceptance", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
    )
    op.create_table(
        "lead_share",
        sa.Column("referral", sa.Uuid(), nullable=False),
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("compartment", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral"], ["referral.id"], name=op.f("fk_lead_share_referral_referral")
        ),
        sa.PrimaryKeyConstraint(
            "referral", "record", "compartment", "version", name=op.f("pk_lead_share")
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, what in GRANTS.items():
            op.execute(f"grant {what} on {table} to perisai_service")


def _step(table: str, *columns: "sa.Column[object]") -> None:
    """Make the table of one step; all name the referral and its sides."""
    points = {
        "referral": "referral.id",
        "case_file": "case_file.id",
        "giver": "organisation.slug",
        "recipient": "organisation.slug",
    }
    op.create_table(
        table,
        sa.Column("referral", sa.Uuid(), nullable=False),
        sa.Column("case_file", sa.Uuid(), nullable=False),
        sa.Column("giver", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        *columns,
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [there], name=op.f(f"fk_{table}_{column}_{there.split('.')[0]}")
            )
            for column, there in points.items()
        ),
        sa.PrimaryKeyConstraint("referral", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_case_file"), table, ["case_file"])
