"""`perisai`: the entry of all commands."""

import typer

from api.cli import demo, keys, log, members, serving

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
app.add_typer(keys.app, name="keys")
app.add_typer(log.app, name="log")
app.add_typer(members.organisations, name="organisations")
app.add_typer(members.members, name="members")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
