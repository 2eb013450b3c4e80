"""What every answer and input is: a model that never prints what it holds."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel as PydanticModel
from pydantic import ConfigDict


class UnsetType:
    """Stands for an argument that is left out, where null would say something else."""

    def __bool__(self) -> bool:
        return False


UNSET = UnsetType()


class BaseModel(PydanticModel):
    """A model whose values stay out of tracebacks and logs."""

    model_config = ConfigDict(
        populate_by_name=True,
        validate_assignment=True,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from ()
