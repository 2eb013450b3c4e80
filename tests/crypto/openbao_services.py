"""Key services on a real OpenBao server, with the tokens and policies of docs/openbao.md."""

import re
from pathlib import Path

from api.crypto.openbao_key_service import OpenBaoKeyService
from api.crypto.transit import Transit
from tests.openbao import OpenBaoServer, token_file

PAGE = Path(__file__).parents[2] / "docs" / "openbao.md"


def policies(agency: str, prefix: str) -> tuple[str, str]:
    """Give the policies of the page for one agency: the service's, and the operator's."""
    blocks = re.findall(r"```hcl\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    service, keeper = (b.replace("perisai-AGENCY", f"{prefix}{agency}") for b in blocks)
    return service, keeper


def token_for(server: OpenBaoServer, prefix: str, *agencies: str, keeper: bool = False) -> str:
    """Make a token with the service's policy of each agency, and the operator's if asked for."""
    texts = [policies(agency, prefix) for agency in agencies]
    text = "".join(service + (keeping if keeper else "") for service, keeping in texts)
    name = server.policy(f"{prefix}{'-'.join(agencies)}{'-keys' if keeper else ''}", text)
    return server.token(name, no_default_policy=True)


def service_with(
    server: OpenBaoServer, folder: Path, token: str, prefix: str, *owners: str
) -> OpenBaoKeyService:
    """Open a service with *token*; nothing is called."""
    folder.mkdir(exist_ok=True)
    # The machine may be busy: what a slow answer leads to is tested in test_transit.py.
    transit = Transit(server.address, token_file(folder, token), time_out=20)
    return OpenBaoKeyService(transit, owners, prefix=prefix)


async def make_keys(server: OpenBaoServer, folder: Path, prefix: str, *owners: str) -> None:
    """Make the keys of *owners* with an operator's token."""
    keeper = token_for(server, prefix, *owners, keeper=True)
    service = service_with(server, folder / "keeper", keeper, prefix, *owners)
    try:
        await service.create()
    finally:
        await service.close()
