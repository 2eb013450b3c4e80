"""Checkpoints are numbered from 0 without gaps, so that one that is taken away is missed.

On SQLite a trigger gives the number after the row is there, which is the one change of
evidence that is let through: from no number to the next.
"""

from collections.abc import Sequence

from alembic import op

from api.errors import RefusesToStart

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SQLITE = (
    "drop trigger checkpoint_no_update",
    "alter table checkpoint add column number integer",
    "update checkpoint set number = (select count(*) from checkpoint c where c.size < checkpoint.size)",
    "create unique index uq_checkpoint_number on checkpoint (number)",
    """
    create trigger checkpoint_no_update before update on checkpoint
    when old.number is not null or new.size is not old.size or new.note is not old.note
    begin select raise(abort, 'the access log only grows'); end
    """,
    """
    create trigger checkpoint_numbered after insert on checkpoint
    begin
        update checkpoint set number = (select coalesce(max(number) + 1, 0) from checkpoint)
        where size = new.size and number is null;
    end
    """,
    # A number that somebody chose would make it look as if another was missing.
    """
    create trigger checkpoint_number_not_chosen before insert on checkpoint
    when new.number is not null
    begin select raise(abort, 'a checkpoint is given its number'); end
    """,
)

POSTGRESQL = (
    "alter table accesslog.checkpoint disable trigger checkpoint_only_grows",
    "alter table accesslog.checkpoint add column number bigint",
    """
    update accesslog.checkpoint set number = (
        select count(*) from accesslog.checkpoint c where c.size < checkpoint.size
    )
    """,
    "alter table accesslog.checkpoint alter column number set not null",
    "alter table accesslog.checkpoint add constraint uq_checkpoint_number unique (number)",
    "alter table accesslog.checkpoint enable always trigger checkpoint_only_grows",
    # Replaced, not made anew: whoever may execute it still may.
    """
    create or replace function accesslog.put_checkpoint(at_size bigint, new_note text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
        newest accesslog.checkpoint;
    begin
        -- Only a note of the head that stands here: nothing that is stored is ever removed.
        if not exists (
            select from accesslog.head h
            where h.size = at_size
              and split_part(new_note, E'\\n', 2) = h.size::text
              and split_part(new_note, E'\\n', 3) = encode(h.root, 'base64')
        ) then
            raise exception 'this is no checkpoint of a head of this log';
        end if;
        -- One at a time, so that two do not take the same number.
        perform pg_advisory_xact_lock(7221, 9162);
        select * into newest from accesslog.checkpoint c order by c.size desc limit 1;
        -- None before the newest, so that numbers rise with sizes.
        if newest is null or newest.size < at_size then
            insert into accesslog.checkpoint (size, note, number)
                values (at_size, new_note, coalesce(newest.number + 1, 0));
        end if;
    end $$
    """,
)


def upgrade() -> None:
    """Add the numbers, and the rules that give them."""
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: evidence is never removed by a migration."""
    raise RefusesToStart("The access log is not removed by a migration. Keep its database.")
