"""What a sealed value is outside of this package: opaque bytes that show nothing."""

from typing import Any, NoReturn, final


@final
class Sealed:
    """Sealed bytes, ready for a column or read from one.

    Holding one proves nothing about what is inside; only `sealing.open_sealed` does.

    Attributes:
        data: the stored bytes (FORMAT.md, "Field").
    """

    __slots__ = ("data",)

    data: bytes

    def __init__(self, data: bytes) -> None:
        """Take *data* as it stands in the column.

        Raises:
            TypeError: it is not `bytes`, for example a plain `str`.
        """
        if type(data) is not bytes:
            raise TypeError("sealed data is bytes")
        object.__setattr__(self, "data", data)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a sealed value never changes."""
        raise AttributeError("a sealed value is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: a sealed value never changes."""
        raise AttributeError("a sealed value is immutable")

    def __eq__(self, other: object) -> bool:
        """Compare the sealed bytes, never what is inside: equal values differ sealed."""
        if type(other) is not Sealed:
            return NotImplemented
        return self.data == other.data

    def __hash__(self) -> int:
        """Hash the sealed bytes."""
        return hash(self.data)

    def __repr__(self) -> str:
        """Show nothing."""
        return "<sealed>"

    def __format__(self, spec: str) -> str:
        """Show nothing, whatever the format."""
        return "<sealed>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle is a copy outside of the store."""
        raise TypeError("a sealed value is not pickled or copied")
