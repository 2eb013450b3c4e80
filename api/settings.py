"""Everything an operator can set, read once at the entry points and passed down.

Read from the TOML file that the environment variable PERISAI_CONFIG names, and
from variables PERISAI_<NAME>, which win. No secret has a default.
"""

import os
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from api.errors import RefusesToStart

Face = Literal["agency", "partner", "oversight"]


class IssuerSettings(BaseModel):
    """Who signs the access tokens of one organisation.

    Attributes:
        url: the `iss` claim, compared byte for byte.
        jwks: an https address, or a path, of the issuer's public keys (RFC 7517).
    """

    model_config = ConfigDict(frozen=True)

    url: str
    organisation: str
    jwks: str


class Settings(BaseSettings):
    """The settings of one process.

    Attributes:
        records_url: SQLAlchemy address of the records, with the service's role.
        log_url: the same for the access log, whose role may only append.
        log_reader_url: the role that may read the log and fill its search tables.
        owners: organisations whose keys this process holds; no others are loaded.
        key_passphrase_file: a file that holds the passphrase of `key_file`.
        log_state: where the signer keeps its last size and root, outside the database.
        demo: synthetic data and the built-in issuer; never with real records.
    """

    model_config = SettingsConfigDict(env_prefix="PERISAI_", frozen=True, extra="forbid")

    records_url: SecretStr
    log_url: SecretStr
    log_reader_url: SecretStr
    key_file: Path
    key_passphrase_file: Path
    owners: tuple[str, ...] = Field(min_length=1)
    issuers: tuple[IssuerSettings, ...] = Field(min_length=1)
    audience: str
    log_origin: str
    log_signing_key: Path
    log_state: Path
    faces: tuple[Face, ...] = ("agency", "partner", "oversight")
    host: str = "127.0.0.1"
    port: int = 8463
    demo: bool = False

    @classmethod
    def at(cls, path: Path) -> "Settings":
        """Read a file alone, whatever the environment says."""
        return cls(**tomllib.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the file."""
        path = os.environ.get("PERISAI_CONFIG")
        if path is None:
            return (init_settings, env_settings)
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path))


def read_settings(config: Path | None = None) -> Settings:
    """Read the settings once, from *config* if given, else as the environment says.

    Raises:
        RefusesToStart: names each setting that is missing or unusable, never a value.
    """
    if config is not None:
        os.environ["PERISAI_CONFIG"] = str(config)
    path = os.environ.get("PERISAI_CONFIG")
    if path is not None and not Path(path).is_file():
        raise RefusesToStart(f"There is no settings file at {path}. Set PERISAI_CONFIG.")
    try:
        return Settings()  # type: ignore[call-arg]  # the sources give the fields
    except ValidationError as error:
        names = sorted({".".join(map(str, e["loc"])) for e in error.errors()})
        raise RefusesToStart(
            f"These settings are missing or unusable: {', '.join(names)}. "
            "See docs/operations.md, and set them in the file that PERISAI_CONFIG names."
        ) from None
