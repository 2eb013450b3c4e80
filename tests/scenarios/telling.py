"""How exhaustive tests say how much they tried: a line each at the end of the run."""

from collections.abc import Callable
from typing import TypeAlias

Tell: TypeAlias = Callable[[str], None]
