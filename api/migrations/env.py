"""Alembic's entry: runs on the connection that `upgrade` opened, in its transaction."""

from alembic import context

from api.store.tables import METADATA

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=METADATA if attributes["which"] == "records" else None,
    version_table=f"alembic_{attributes['which']}",
)
with context.begin_transaction():
    context.run_migrations()
