"""The import contracts of pyproject.toml hold, and those that matter most are there."""

import tomllib
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]


def test_every_import_contract_holds() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_the_contracts_say_who_may_reach_what() -> None:
    """Weakening a contract is seen here as well as in its own line."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    allowed = {
        module: contract["allowed_importers"]
        for contract in contracts
        if contract["type"] == "protected"
        for module in contract["protected_modules"]
    }

    assert allowed["api.crypto.sealing"] == [
        "api.casework.disclosure",
        "api.casework.resealing",
        "api.store.sealed_fields",
    ]
    assert allowed["api.crypto.streams"] == [
        "api.casework.attachment_resealing",
        "api.casework.attachment_streams",
        "api.casework.resealing",
    ]
    assert allowed["api.casework.attachment_streams"] == [
        "api.casework.attachment_reading",
        "api.casework.attachment_resealing",
    ]
    assert allowed["cryptography"] == ["api.crypto"]
    assert allowed["oso"] == allowed["polar"] == ["api.policies"]
    assert allowed["strawberry"] == allowed["graphql"] == ["api.schema"]
    assert allowed["joserfc"] == ["api.identity", "api.demo.client", "api.demo.issuer"]
    assert allowed["authlib"] == allowed["httpx2"] == ["api.console.providers"]
    assert allowed["httpx"] == [
        "api.identity",
        "api.cli",
        "api.crypto.transit",
        "api.accesslog.witness_client",
        "api.webhooks",
    ]
    assert allowed["api.demo"] == ["api.cli"]
    assert all("ignore_imports" not in contract for contract in contracts)
    layers = next(c for c in contracts if c["type"] == "layers" and c["containers"] == ["api"])
    assert layers["exhaustive"] is True
