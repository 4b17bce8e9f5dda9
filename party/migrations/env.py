"""Alembic's entry: run the migrations on the connection that `party.store` hands over."""

from alembic import context

from party.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
