"""`perisai`: the entry of all commands."""

import typer

from api.cli import (
    demo,
    documents,
    erasure,
    importing,
    keys,
    log,
    log_changes,
    log_signer,
    members,
    policy,
    policy_asking,
    policy_changes,
    release,
    rotation,
    serving,
    witness,
)
from api.process import leave_nothing

app = typer.Typer(
    name="perisai",
    help="Run the service, its keys and its access log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(serving.serve)
app.command()(serving.migrate)
app.command()(demo.token)
app.command()(demo.seed)
app.command("import")(importing.import_records)
app.add_typer(documents.app, name="documents")
app.add_typer(erasure.app, name="erasure")
keys.app.command("rotate")(rotation.rotate_keys)
keys.app.command("retire")(rotation.retire_keys)
app.add_typer(keys.app, name="keys")
log.app.command("sign")(log_signer.sign)
log.app.command("change-key")(log_changes.change_key)
log.app.command("create-approver-key")(log_changes.create_approver_key)
log.app.command("prepare-epoch")(log_changes.prepare_epoch)
log.app.command("approve-epoch")(log_changes.approve_epoch)
log.app.command("new-epoch")(log_changes.new_epoch)
app.add_typer(log.app, name="log")
app.add_typer(witness.app, name="witness")
app.add_typer(members.organisations, name="organisations")
app.add_typer(members.members, name="members")
policy.app.command("create-key")(policy_changes.create_key)
policy.app.command("sign")(policy_changes.sign)
policy.app.command("adopt")(policy_changes.adopt)
policy.app.command("show")(policy_changes.show)
policy.app.command("explain")(policy_asking.explain)
policy.app.command("who-can-see")(policy_asking.who_can_see)
app.add_typer(policy.app, name="policy")
app.add_typer(release.app, name="release")


def main() -> None:
    """Run the command line."""
    leave_nothing()
    app()


if __name__ == "__main__":
    main()
