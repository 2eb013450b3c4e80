"""The access log: entries, heads and checkpoints that only grow, and tables to search.

On PostgreSQL the schema belongs to the role that migrates. The service's role may
execute four functions and nothing else: append at the head, read the head and leaf
hashes, put a checkpoint. The reader's role may select, and fill the search tables.
Triggers refuse every change of what is evidence, to the owner as well. On SQLite,
which has no roles, the triggers also hold the order.
"""

from collections.abc import Sequence

from alembic import op

from api.errors import RefusesToStart

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

EVIDENCE = ("entry", "head", "checkpoint")
SEARCH = ("event", "event_record", "event_agency")
#: Name -> what it is on. The last two let the verification walk in the order of the log.
INDICES = {
    "ix_event_actor_idx": "event (actor, idx)",
    "ix_event_record_idx": "event_record (idx)",
    "ix_event_agency_idx": "event_agency (idx)",
}

SQLITE_TABLES = (
    """
    create table entry (
        idx integer primary key,
        body blob not null check (typeof(body) = 'blob'),
        hashes blob not null
            check (typeof(hashes) = 'blob' and length(hashes) between 32 and 2048)
    )
    """,
    """
    create table head (
        size integer primary key,
        start integer not null check (start >= 0 and start < size),
        root blob not null check (typeof(root) = 'blob' and length(root) = 32)
    )
    """,
    """
    create table checkpoint (
        size integer primary key,
        note text not null check (typeof(note) = 'text')
    )
    """,
    """
    create table event (
        idx integer primary key,
        at integer not null,
        actor text,
        organisation text,
        role text,
        action text not null,
        purpose text,
        decision text not null
    )
    """,
    """
    create table event_record (
        record text not null,
        idx integer not null,
        kind text not null,
        decision text not null,
        primary key (record, idx, kind, decision)
    ) without rowid
    """,
    """
    create table event_agency (
        agency text not null,
        idx integer not null,
        primary key (agency, idx)
    ) without rowid
    """,
)

# `insert or replace` deletes a row without asking the delete triggers; so an insert
# is accepted only where the log ends.
SQLITE_ORDER = (
    """
    create trigger entry_in_order before insert on entry
    when new.idx is not (select coalesce(max(idx) + 1, 0) from entry)
    begin select raise(abort, 'an entry is appended after the last one'); end
    """,
    """
    create trigger head_in_order before insert on head
    when new.start is not (select coalesce(max(size), 0) from head)
    begin select raise(abort, 'a head starts where the last one ends'); end
    """,
    """
    create trigger checkpoint_in_order before insert on checkpoint
    when new.size <= (select coalesce(max(size), 0) from checkpoint)
    begin select raise(abort, 'a checkpoint is newer than the last one'); end
    """,
)

POSTGRESQL_TABLES = (
    "create schema if not exists accesslog",
    "revoke all on schema accesslog from public",
    """
    create table accesslog.entry (
        idx bigint primary key check (idx >= 0),
        body bytea not null,
        hashes bytea not null
            check (octet_length(hashes) between 32 and 2048 and octet_length(hashes) % 32 = 0)
    )
    """,
    # The bodies are random by their nonces: compressing them costs more than it saves.
    "alter table accesslog.entry alter column body set storage external",
    "alter table accesslog.entry alter column hashes set storage plain",
    """
    create table accesslog.head (
        size bigint primary key,
        start bigint not null check (start >= 0 and start < size),
        root bytea not null check (octet_length(root) = 32)
    )
    """,
    """
    create table accesslog.checkpoint (
        size bigint primary key check (size > 0),
        note text not null
    )
    """,
    """
    create table accesslog.event (
        idx bigint primary key,
        at bigint not null,
        actor text,
        organisation text,
        role text,
        action text not null,
        purpose text,
        decision text not null
    )
    """,
    """
    create table accesslog.event_record (
        record text not null,
        idx bigint not null,
        kind text not null,
        decision text not null,
        primary key (record, idx, kind, decision)
    )
    """,
    """
    create table accesslog.event_agency (
        agency text not null,
        idx bigint not null,
        primary key (agency, idx)
    )
    """,
)

# Everything in them is qualified or in pg_catalog: a caller's search_path, which the
# `set` replaces, cannot slip in an operator or function of its own.
POSTGRESQL_FUNCTIONS = (
    """
    create function accesslog.refuse() returns trigger language plpgsql
    set search_path = pg_catalog, pg_temp as $$
    begin
        raise exception 'the access log only grows';
    end $$
    """,
    # The hashes of the peaks at a size, joined, largest first.
    """
    create function accesslog.peaks(wanted bigint) returns bytea language plpgsql
    set search_path = pg_catalog, pg_temp as $$
    declare
        peaks bytea := '';
        covered bigint := 0;
        node bytea;
    begin
        for level in reverse 62..0 loop
            if wanted & (1::bigint << level) <> 0 then
                covered := covered + (1::bigint << level);
                select substring(e.hashes from 32 * level + 1 for 32) into node
                    from accesslog.entry e where e.idx = covered - 1;
                if node is null or octet_length(node) <> 32 then
                    raise exception 'entry % does not hold its node', covered - 1;
                end if;
                peaks := peaks || node;
            end if;
        end loop;
        return peaks;
    end $$
    """,
    """
    create function accesslog.state(out size bigint, out root bytea, out peaks bytea)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    begin
        select h.size, h.root into state.size, state.root
            from accesslog.head h order by h.size desc limit 1;
        state.size := coalesce(state.size, 0);
        state.peaks := accesslog.peaks(state.size);
    end $$
    """,
    # Appends at the head or, if the head is not where the caller thinks, writes
    # nothing and tells where it is. A check of the settings at each batch: a session
    # may not lower what it was admitted with.
    """
    create function accesslog.append(
        expected bigint, bodies bytea[], hashes bytea[], new_root bytea,
        out done boolean, out size bigint, out root bytea, out peaks bytea
    ) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
        added int := cardinality(bodies);
        head bigint;
    begin
        if added is null or added = 0 or cardinality(hashes) is distinct from added then
            raise exception 'a batch has as many hashes as bodies, and at least one';
        end if;
        if current_setting('synchronous_commit') = 'off' or current_setting('fsync') <> 'on' then
            raise exception 'a commit would not be durable';
        end if;
        perform pg_advisory_xact_lock(7221, 6962);
        select max(h.size) into head from accesslog.head h;
        head := coalesce(head, 0);
        if head <> expected then
            done := false;
            select s.size, s.root, s.peaks into append.size, append.root, append.peaks
                from accesslog.state() s;
            return;
        end if;
        insert into accesslog.entry (idx, body, hashes)
            select expected + u.place - 1, u.body, u.hashes
            from unnest(bodies, append.hashes) with ordinality as u (body, hashes, place);
        insert into accesslog.head (size, start, root)
            values (expected + added, expected, new_root);
        done := true;
    end $$
    """,
    # The leaf hashes from one index to before another, joined; at most 65,536.
    """
    create function accesslog.leaf_hashes(first bigint, beyond bigint) returns bytea
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
        select coalesce(string_agg(substring(e.hashes from 1 for 32), ''::bytea order by e.idx), '')
        from accesslog.entry e
        where e.idx >= first and e.idx < least(beyond, first + 65536)
    $$
    """,
    """
    create function accesslog.put_checkpoint(at_size bigint, new_note text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
        insert into accesslog.checkpoint (size, note) values (at_size, new_note)
            on conflict do nothing;
    end $$
    """,
    "revoke all on all functions in schema accesslog from public",
    "grant usage on schema accesslog to perisai_service, perisai_log_reader",
    """
    grant execute on function
        accesslog.append(bigint, bytea[], bytea[], bytea),
        accesslog.state(),
        accesslog.leaf_hashes(bigint, bigint),
        accesslog.put_checkpoint(bigint, text)
    to perisai_service
    """,
    "grant select on all tables in schema accesslog to perisai_log_reader",
)


def upgrade() -> None:
    """Make the tables, the triggers and, on PostgreSQL, the functions and grants."""
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _sqlite() -> None:
    for statement in (*SQLITE_TABLES, *SQLITE_ORDER):
        op.execute(statement)
    for table in EVIDENCE:
        for change in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{change} before {change} on {table} "
                "begin select raise(abort, 'the access log only grows'); end"
            )
    for name, place in INDICES.items():
        op.execute(f"create index {name} on {place}")


def _postgresql() -> None:
    for statement in (*POSTGRESQL_TABLES, *POSTGRESQL_FUNCTIONS):
        op.execute(statement)
    for table in EVIDENCE:
        op.execute(
            f"create trigger {table}_only_grows "
            f"before update or delete or truncate on accesslog.{table} "
            "for each statement execute function accesslog.refuse()"
        )
        # Always: a session that calls itself a replica is refused as well.
        op.execute(f"alter table accesslog.{table} enable always trigger {table}_only_grows")
    for table in SEARCH:
        op.execute(f"grant insert on accesslog.{table} to perisai_log_reader")
    for name, place in INDICES.items():
        op.execute(f"create index {name} on accesslog.{place}")


def downgrade() -> None:
    """Refuse: evidence is never removed by a migration."""
    raise RefusesToStart("The access log is not removed by a migration. Keep its database.")
