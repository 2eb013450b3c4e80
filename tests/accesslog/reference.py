"""An independent, recursive reading of RFC 6962, section 2.1, to compare ours with."""

import hashlib
from collections.abc import Sequence


class Reference:
    """The trees over all prefixes of *leaves*, straight from the definitions."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Remember what was computed: the definition alone is exponential."""
        self.leaves = leaves
        self._known: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, stop: int) -> bytes:
        """Give MTH(D[start:stop])."""
        if start == stop:
            return hashlib.sha256().digest()
        if (start, stop) not in self._known:
            if stop - start == 1:
                data = b"\x00" + self.leaves[start]
            else:
                k = _split(stop - start)
                data = b"\x01" + self.root(start, start + k) + self.root(start + k, stop)
            self._known[start, stop] = hashlib.sha256(data).digest()
        return self._known[start, stop]

    def path(self, m: int, start: int, stop: int) -> list[bytes]:
        """Give PATH(m, D[start:stop])."""
        if stop - start == 1:
            return []
        k = _split(stop - start)
        if m < k:
            return [*self.path(m, start, start + k), self.root(start + k, stop)]
        return [*self.path(m - k, start + k, stop), self.root(start, start + k)]

    def proof(self, m: int, stop: int) -> list[bytes]:
        """Give PROOF(m, D[0:stop])."""
        return self._subproof(m, 0, stop, True)

    def _subproof(self, m: int, start: int, stop: int, known: bool) -> list[bytes]:
        if m == stop - start:
            return [] if known else [self.root(start, stop)]
        k = _split(stop - start)
        if m <= k:
            return [*self._subproof(m, start, start + k, known), self.root(start + k, stop)]
        return [*self._subproof(m - k, start + k, stop, False), self.root(start, start + k)]


def _split(n: int) -> int:
    """Give the largest power of two smaller than *n*."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k
