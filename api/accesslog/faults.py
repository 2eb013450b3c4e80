"""What a verification finds: the first fault of each kind, each with its place."""

from api.errors import LogBroken


class Faults:
    """Gathers faults; a log with one has often thousands that follow from it."""

    def __init__(self) -> None:
        """Start with none."""
        self._first: dict[tuple[str, str], LogBroken] = {}

    def __bool__(self) -> bool:
        """Tell whether there is one."""
        return bool(self._first)

    def add(self, table: str, place: object, what: str) -> None:
        """Take a fault at *place* of *table*; only the first that is *what* there counts."""
        self._first.setdefault((table, what), LogBroken(f"{table} {place}", what))

    def at_file(self, path: object, kind: str, what: str) -> None:
        """Take a fault of a file; only the first of its *kind* that is *what* counts."""
        name = str(path)
        # Whoever may write files may give them names that a terminal would act on.
        place = name if name.isprintable() else ascii(name)
        self._first.setdefault((kind, what), LogBroken(place, what))

    def end(self) -> None:
        """End the verification.

        Raises:
            LogBroken: the first fault, with the others beside it, if there is one.
        """
        if self._first:
            first, *others = self._first.values()
            raise LogBroken(first.place, first.what, others)


def places(run: range) -> str:
    """Name adjacent indices: "7", or "7 to 9"."""
    return str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}"
