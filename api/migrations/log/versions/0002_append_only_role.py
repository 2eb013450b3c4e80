"""The service may append and nothing else; the signer gets a role of its own.

On PostgreSQL only: SQLite has no roles. `append` checks what it is given, grows the
tree itself where another process was faster, and tells the head when it is given
nothing. The lock that keeps the appenders apart is one that only `append` can take:
an advisory lock is open to everybody who may connect.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

from api.errors import RefusesToStart

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SIGNER = "perisai_log_signer"

FUNCTIONS = (
    # Never holds a row; whoever has it locked appends. No vacuum comes to an empty table.
    "create table accesslog.turn ()",
    # The hashes of the peaks at a size, joined, largest first.
    """
    create or replace function accesslog.peaks(wanted bigint) returns bytea language plpgsql
    as $$
    declare
        peaks bytea := '';
        covered bigint := wanted;
        level int := 0;
        node bytea;
    begin
        while covered > 0 loop
            if covered & (1::bigint << level) <> 0 then
                select substring(e.hashes from 32 * level + 1 for 32) into node
                    from accesslog.entry e where e.idx = covered - 1;
                if node is null or octet_length(node) <> 32 then
                    raise exception 'entry % does not hold its node', covered - 1;
                end if;
                peaks := node || peaks;
                covered := covered - (1::bigint << level);
            end if;
            level := level + 1;
        end loop;
        return peaks;
    end $$
    """,
    # Adds leaves to the tree of a size, given by its peaks. In: of each leaf, its hash and
    # whatever follows. Out: the `hashes` of each entry (FORMAT.md), the root and the peaks
    # after them.
    """
    create function accesslog.grow(
        size bigint, inout peaks bytea, inout hashes bytea[], out root bytea
    ) language plpgsql as $$
    declare
        node bytea;
        completed bytea;
        above bigint;
        kept int := octet_length(peaks);
    begin
        for place in 1 .. cardinality(hashes) loop
            node := substring(hashes[place] from 1 for 32);
            completed := node;
            above := size + place - 1;
            while above & 1 = 1 loop
                kept := kept - 32;
                node := sha256('\\x01'::bytea || substring(peaks from kept + 1 for 32) || node);
                completed := completed || node;
                above := above >> 1;
            end loop;
            peaks := substring(peaks from 1 for kept) || node;
            kept := kept + 32;
            hashes[place] := completed;
        end loop;
        root := node;
        while kept > 32 loop
            kept := kept - 32;
            root := sha256('\\x01'::bytea || substring(peaks from kept - 31 for 32) || root);
        end loop;
    end $$
    """,
    # Appends a batch. Where the head is as the caller expects, the caller's hashes are
    # taken; where another was faster, they are made anew from the peaks, so that nobody
    # ever tries again, and `size`, `root` and `peaks` tell the head after the batch. Each
    # leaf hash is checked; the signer follows the rest. Where the log is shorter than
    # expected, nothing is written, and they tell the head as it is; an empty batch asks
    # for just that.
    """
    create or replace function accesslog.append(
        expected bigint, bodies bytea[], hashes bytea[], new_root bytea,
        out done boolean, out size bigint, out root bytea, out peaks bytea
    ) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
        added int := cardinality(bodies);
        head bigint;
        written int;
    begin
        done := false;
        if added = 0 then
            select s.size, s.root, s.peaks into append.size, append.root, append.peaks
                from accesslog.state() s;
            return;
        end if;
        if current_setting('synchronous_commit') = 'off' or current_setting('fsync') <> 'on' then
            raise exception 'a commit would not be durable';
        end if;
        if added is null or added > 1024 or cardinality(hashes) is distinct from added
            or octet_length(new_root) is distinct from 32 or expected is null or expected < 0
        then
            raise exception 'this is no batch of leaves with their hashes';
        end if;
        -- Nothing else conflicts with itself and is not looked for in every other session.
        lock table accesslog.turn in share update exclusive mode;
        select max(h.size) into head from accesslog.head h;
        head := coalesce(head, 0);
        if head < expected then
            select s.size, s.root, s.peaks into append.size, append.root, append.peaks
                from accesslog.state() s;
            return;
        end if;
        if head > expected then
            size := head + added;
            peaks := accesslog.peaks(head);
            select g.peaks, g.hashes, g.root into append.peaks, append.hashes, append.root
                from accesslog.grow(head, append.peaks, append.hashes) g;
            new_root := root;
        end if;
        insert into accesslog.entry (idx, body, hashes)
            select head + u.place - 1, u.body, u.hashes
            from unnest(bodies, append.hashes) with ordinality as u (body, hashes, place)
            where octet_length(u.body) between 1 and 65535
                and substring(u.hashes from 1 for 32) = sha256('\\x00'::bytea || u.body)
                and octet_length(u.hashes) % 32 = 0
                and (1::bigint << (octet_length(u.hashes) / 32 - 1))
                    = ((head + u.place) & -(head + u.place));
        get diagnostics written = row_count;
        if written <> added then
            raise exception 'this is no batch of leaves with their hashes';
        end if;
        insert into accesslog.head (size, start, root) values (head + added, head, new_root);
        done := true;
    end $$
    """,
    "revoke all on function accesslog.grow(bigint, bytea, bytea[]) from public",
    """
    revoke execute on function
        accesslog.state(), accesslog.leaf_hashes(bigint, bigint),
        accesslog.put_checkpoint(bigint, text)
    from perisai_service
    """,
    f"grant usage on schema accesslog to {SIGNER}",
    f"""
    grant execute on function
        accesslog.state(), accesslog.leaf_hashes(bigint, bigint),
        accesslog.put_checkpoint(bigint, text)
    to {SIGNER}
    """,
    # The revision, so that a service that is written for another one does not start.
    "grant select on alembic_log to perisai_log_reader",
)

#: What a session of each role gets unless it asks for something else (docs/operations.md).
LIMITS = {
    "perisai_service": {
        "statement_timeout": "10s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "10s",
    },
    SIGNER: {
        "statement_timeout": "10s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "10s",
    },
    "perisai_log_reader": {
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
    },
}


def upgrade() -> None:
    """Change the function, the grants and the limits; on SQLite nothing."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    if not connection.scalar(
        text("select exists (select from pg_roles where rolname = :name)"), {"name": SIGNER}
    ):
        raise RefusesToStart(
            f"The role {SIGNER} is missing. Make it first, as docs/operations.md says."
        )
    for statement in FUNCTIONS:
        op.execute(statement)
    for role, limits in LIMITS.items():
        for name, value in limits.items():
            # Only who administers the role may; else whoever made it has said it there.
            op.execute(
                f"""
                do $$ begin
                    execute format(
                        'alter role {role} in database %I set {name} = ''{value}''',
                        current_database()
                    );
                exception when insufficient_privilege then null;
                end $$
                """
            )


def downgrade() -> None:
    """Refuse: the service would get back what it must not have."""
    raise RefusesToStart("The access log's rights are not widened by a migration.")
