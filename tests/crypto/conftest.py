"""Key services and keyrings for the tests of crypto: real ones, with a cheap passphrase."""

from pathlib import Path

import pytest

from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.keyring import Keyring

PASSPHRASE = "pagar makan tanaman"
CHEAP = Cost(memory=8, iterations=1, lanes=1)


@pytest.fixture
def service(tmp_path: Path) -> FileKeyService:
    return FileKeyService.create(
        tmp_path / "keys", lambda: PASSPHRASE, ["komnas-ham", "lpsk"], cost=CHEAP
    )


@pytest.fixture
async def keyring(service: FileKeyService) -> Keyring:
    return await Keyring.start(service, await Keyring.new_secrets(service, "komnas-ham"))
