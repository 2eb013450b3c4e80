"""Cosignatures of witnesses, beside the checkpoints that they are of.

Like the rest of the evidence they are only added. Whoever may put a checkpoint may put
a cosignature, by a function; the reader's role may select. Whether one holds is no
question for the database: whoever reads it checks the signature.
"""

from collections.abc import Sequence

from alembic import op

from api.errors import RefusesToStart

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SQLITE = (
    """
    create table cosignature (
        size integer not null,
        witness text not null check (typeof(witness) = 'text'),
        at integer not null check (at >= 0),
        line text not null check (typeof(line) = 'text' and length(line) <= 1024),
        primary key (size, witness, at)
    ) without rowid
    """,
    # `insert or replace` deletes a row without asking the delete trigger.
    """
    create trigger cosignature_in_order before insert on cosignature
    when not exists (select 1 from checkpoint where size = new.size)
        or exists (
            select 1 from cosignature
            where size = new.size and witness = new.witness and at = new.at
        )
    begin select raise(abort, 'a cosignature is new, and of a checkpoint'); end
    """,
    *(
        f"create trigger cosignature_no_{change} before {change} on cosignature "
        "begin select raise(abort, 'the access log only grows'); end"
        for change in ("update", "delete")
    ),
)

POSTGRESQL = (
    """
    create table accesslog.cosignature (
        size bigint not null,
        witness text not null,
        at bigint not null check (at >= 0),
        line text not null check (octet_length(line) <= 1024),
        primary key (size, witness, at)
    )
    """,
    """
    create trigger cosignature_only_grows
    before update or delete or truncate on accesslog.cosignature
    for each statement execute function accesslog.refuse()
    """,
    "alter table accesslog.cosignature enable always trigger cosignature_only_grows",
    # Everything in it is qualified or in pg_catalog, as in the functions of 0001.
    """
    create function accesslog.put_cosignature(
        at_size bigint, by_witness text, at_moment bigint, new_line text
    ) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    begin
        if not exists (select from accesslog.checkpoint c where c.size = at_size) then
            raise exception 'there is no checkpoint of this size';
        end if;
        insert into accesslog.cosignature (size, witness, at, line)
            values (at_size, by_witness, at_moment, new_line)
            on conflict do nothing;
    end $$
    """,
    "revoke all on function accesslog.put_cosignature(bigint, text, bigint, text) from public",
    "grant select on accesslog.cosignature to perisai_log_reader",
)

#: Whoever may put a checkpoint, under whichever name the migrations before this gave it.
POSTGRESQL_GRANTS = """
do $$
declare
    putter name;
begin
    for putter in
        select r.rolname from pg_catalog.pg_roles r
        where r.rolname in ('perisai_service', 'perisai_log_signer')
          and pg_catalog.has_function_privilege(
              r.oid, 'accesslog.put_checkpoint(bigint, text)', 'execute')
    loop
        execute pg_catalog.format(
            'grant execute on function '
            'accesslog.put_cosignature(bigint, text, bigint, text) to %I', putter);
    end loop;
end $$
"""


def upgrade() -> None:
    """Make the table, its triggers and, on PostgreSQL, the function and the grants."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in (*POSTGRESQL, POSTGRESQL_GRANTS):
            op.execute(statement)
    else:
        for statement in SQLITE:
            op.execute(statement)


def downgrade() -> None:
    """Refuse: evidence is never removed by a migration."""
    raise RefusesToStart("The access log is not removed by a migration. Keep its database.")
