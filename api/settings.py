"""Everything an operator can set, read once at the entry points and passed down.

Read from the TOML file that the environment variable PERISAI_CONFIG names, and
from variables PERISAI_<NAME>, which win. No secret has a default.
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from api.errors import RefusesToStart
from api.vocabulary import Compartment, Role

#: What each key service cannot do without.
_NEEDED = {
    "file": ("key_file", "key_passphrase_file"),
    "openbao": ("openbao_address", "openbao_token_file"),
}
#: And each place of the log's signer.
_NEEDED_TO_SIGN = {
    "embedded": ("log_signing_key", "log_state"),
    "process": ("log_keys",),
}

#: What the address of a Redis begins with.
_REDIS = ("redis://", "rediss://", "unix://")

#: A web origin (RFC 6454, 6.2): https, or http on this machine.
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")

_Kind = TypeVar("_Kind", bound="_FromFile")

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


class ClockSettings(BaseModel):
    """Another length of a clock than the code list has.

    Attributes:
        code: as in `api/code_lists/clocks.json`.
        hours: no longer than what a law lets it be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    hours: float = Field(gt=0, le=24 * 366)


class WebhookSettings(BaseModel):
    """Where the alerts of one agency are sent.

    Attributes:
        url: https, or http on this machine; without a name or password in it.
        secret_file: a file with the secret of the signatures, `whsec_` and base64.
        ca_file: certificates that its certificate is checked with; else the system's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    organisation: str
    url: str = Field(
        pattern=r"^(https://[^/?#@\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)"
        r"(/[^?#\s]*)?$"
    )
    secret_file: Path
    ca_file: Path | None = None


class ConsoleClientSettings(BaseModel):
    """How people of one organisation sign in to the console: its client at their issuer.

    Attributes:
        client_id: by which the issuer knows the console.
        client_secret_file: a file with its secret; without one the client is a public one.
        metadata: where the issuer says its endpoints (OpenID Connect Discovery 1.0, 4): https, or
            http on this machine; None: at its address, as that standard has it.
        scope: what is asked for.
        resource: for which service, where the issuer wants to be told (RFC 8707).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    organisation: str
    client_id: str = Field(min_length=1)
    client_secret_file: Path | None = None
    metadata: str | None = Field(
        default=None,
        pattern=r"^(https://[^/?#@\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)"
        r"(/[^?#\s]*)?$",
    )
    scope: str = Field(default="openid", pattern=r"^([^\s]+ )*openid( [^\s]+)*$")
    resource: str | None = None


class _FromFile(BaseSettings):
    """Settings whose sources are arguments, the environment, and the file, in this order."""

    model_config = SettingsConfigDict(env_prefix="PERISAI_", frozen=True)

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


class SignerSettings(_FromFile):
    """What the log's signer needs, and no more: no key of an agency, no records.

    They have the meaning that they have in `Settings`, and may stand in the same file.
    """

    # What else stands in the file is the service's; `_known` refuses what is nobody's.
    model_config = SettingsConfigDict(extra="ignore")

    log_url: SecretStr | None = None
    log_signer_url: SecretStr | None = Field(default=None, validate_default=True)
    log_origin: str
    log_signing_key: Path
    log_state: Path
    log_epoch_approvers: tuple[str, ...] = ()
    log_reader_url: SecretStr | None = None
    log_witness_policy: Path | None = None
    log_witness_ca_file: Path | None = None

    @property
    def url(self) -> str:
        """Where the signer reads leaf hashes and puts checkpoints."""
        url = self.log_signer_url or self.log_url
        return "" if url is None else url.get_secret_value()

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: dict[str, object]) -> dict[str, object]:
        if not given.keys() <= Settings.model_fields.keys():
            raise ValueError("a name is no setting")
        return given

    @field_validator("log_signer_url", mode="after")
    @classmethod
    def _somewhere(cls, value: object, info: ValidationInfo) -> object:
        if value is None and info.data.get("log_url") is None:
            raise ValueError("the signer needs one of the two")
        return value


class Settings(_FromFile):
    """The settings of one process.

    Attributes:
        records_url: SQLAlchemy address of the records, with the service's role.
        log_url: the same for the access log, whose role may only append.
        log_reader_url: the role that may read the log and fill its search tables.
        log_signer_url: the role that may follow the log and store checkpoints; without it
            `log_url`, which is right for SQLite.
        key_retirement_days: how long a version of a key, and a backup of the keys, may
            be of use; so long erasure takes to reach backups.
        owners: organisations whose keys this process holds; no others are loaded.
        key_service: where the keys are: in a file, or in the Transit engine of OpenBao.
        key_passphrase_file: a file that holds the passphrase of `key_file`.
        key_cache_seconds: how long `openbao` keeps an opened data key; 0 keeps none.
        openbao_ca_file: certificates that OpenBao's is checked with; else the system's.
        openbao_time_out: seconds that a call may take; less than the 3 s of a permit.
        log_signer: who signs checkpoints: this process, or `perisai log sign`.
        log_keys: verifier keys of the log (C2SP vkeys): where another process signs, those
            that count; where this one does, older ones, for whoever verifies here.
        log_state: where the signer keeps its last size and root, outside the database.
        log_checkpoint_alarm: seconds that an event may be without a checkpoint before
            this process says that it is not ready.
        log_checkpoint_limit: seconds after which it takes no event, so that nothing opens.
        log_epoch_approvers: verifier keys of the persons of whom two let a restored log go on.
        log_witness_policy: which witnesses are asked to cosign, and what a quorum is; none
            are, and nothing stops, without it.
        log_witness_ca_file: certificates that theirs are checked with; else the system's.
        unwitnessed_minutes: how long a quorum may be missing.
        unwitnessed_stops: what opens for nobody after that, until a quorum is back.
        strong_acr: the `acr` values of access tokens with which somebody may break glass;
            nobody may without one.
        strong_sign_in_minutes: how long ago that sign-in may have been.
        emergency_quorum: how many leads sign an emergency protection before it begins; never one.
        openings_per_caller: how many people one member may open in an hour.
        openings_per_process: the same for all who ask this process.
        openings_alarm: share of either at which it is told.
        matches_per_member: how many people one member may ask other agencies for in a day.
        matches_per_agency: the same of an agency; also how many are looked up for another one.
        merge_undo_days: how long a merge of two records of one person can be undone.
        policy_authors, policy_approvers: verifier keys of the persons of whom one of each signs
            a change of the policy; without them none is adopted, and the shipped one stands.
        public_url: where callers reach the service, as they write it, without the paths that it
            serves; DPoP proofs are made for it. None: at `host` and `port`, without a proxy.
        points_per_hour: what one member may ask for in an hour, in points.
        points_url: a Redis in which the processes of one service count them together.
        requests_at_once: requests of one member under way, per process.
        request_seconds: how long one may take.
        streams_per_member: subscriptions of one member that are open, per process.
        streams_per_process: the same of all members.
        clocks: lengths of clocks that are not those of the code list.
        alert_lead_hours: how long before a deadline an alert is made, at the most.
        webhooks: where the alerts of agencies are sent.
        refusal_seconds: how long a refusal is held back that a client could repeat for ever.
        introspection_roles: who is told the schema.
        documents: folder of the trusted documents, with a folder for each face.
        cors_origins: web origins whose pages a browser lets read answers.
        console_clients: how people sign in by browser; without one there is no console.
        graphiql: folder in which npm installed GraphiQL, for the console's page with it; None:
            there is no such page.
        demo: synthetic data and the built-in issuer; never with real records.
        get_requests: GET beside POST, for an audit of the HTTP layer; in the demo only.
        adhoc_roles: who may send documents that are not trusted; a partner never, but for
            an audit.
    """

    model_config = SettingsConfigDict(extra="forbid")

    records_url: SecretStr
    log_url: SecretStr
    log_reader_url: SecretStr
    log_signer_url: SecretStr | None = None
    key_service: Literal["file", "openbao"] = "file"
    key_file: Path | None = Field(default=None, validate_default=True)
    key_passphrase_file: Path | None = Field(default=None, validate_default=True)
    key_retirement_days: int = Field(default=90, ge=1)
    key_cache_seconds: float = Field(default=60.0, ge=0, le=600)
    openbao_address: str | None = Field(default=None, validate_default=True)
    openbao_token_file: Path | None = Field(default=None, validate_default=True)
    openbao_ca_file: Path | None = None
    openbao_mount: str = "transit"
    openbao_key_prefix: str = "perisai-"
    openbao_time_out: float = Field(default=2.0, gt=0, lt=3)
    owners: tuple[str, ...] = Field(min_length=1)
    issuers: tuple[IssuerSettings, ...] = Field(min_length=1)
    audience: str
    log_origin: str
    log_signer: Literal["embedded", "process"] = "embedded"
    log_keys: tuple[str, ...] = Field(default=(), validate_default=True)
    log_signing_key: Path | None = Field(default=None, validate_default=True)
    log_state: Path | None = Field(default=None, validate_default=True)
    log_checkpoint_alarm: float = Field(default=60.0, gt=0)
    log_checkpoint_limit: float = Field(default=600.0, gt=0)
    log_epoch_approvers: tuple[str, ...] = ()
    log_witness_policy: Path | None = None
    log_witness_ca_file: Path | None = None
    unwitnessed_minutes: int = Field(default=10, ge=1)
    unwitnessed_stops: tuple[Compartment, ...] = (Compartment.WHEREABOUTS,)
    strong_acr: tuple[str, ...] = ()
    strong_sign_in_minutes: int = Field(default=5, ge=1, le=60)
    emergency_quorum: int = Field(default=2, ge=2, le=7)
    openings_per_caller: int = Field(default=300, ge=1)
    openings_per_process: int = Field(default=3_000, ge=1)
    openings_alarm: float = Field(default=0.8, gt=0, le=1)
    matches_per_member: int = Field(default=10, ge=1)
    matches_per_agency: int = Field(default=50, ge=1)
    merge_undo_days: int = Field(default=30, ge=1)
    policy_authors: tuple[str, ...] = ()
    policy_approvers: tuple[str, ...] = ()
    faces: tuple[Face, ...] = ("agency", "partner", "oversight")
    points_per_hour: int = Field(default=36_000, ge=1)
    points_url: SecretStr | None = None
    requests_at_once: int = Field(default=8, ge=1)
    request_seconds: float = Field(default=20.0, gt=0)
    streams_per_member: int = Field(default=4, ge=1)
    streams_per_process: int = Field(default=64, ge=1)
    clocks: tuple[ClockSettings, ...] = ()
    alert_lead_hours: float = Field(default=24.0, gt=0, le=24 * 31)
    webhooks: tuple[WebhookSettings, ...] = ()
    refusal_seconds: float = Field(default=0.5, ge=0, le=10)
    introspection_roles: tuple[Role, ...] = ()
    documents: Path | None = None
    cors_origins: tuple[str, ...] = ()
    console_clients: tuple[ConsoleClientSettings, ...] = ()
    graphiql: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8463
    public_url: str | None = Field(default=None, pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$")
    demo: bool = False
    get_requests: bool = False
    adhoc_roles: tuple[Role, ...] = ()

    @field_validator(
        "key_file", "key_passphrase_file", "openbao_address", "openbao_token_file", mode="after"
    )
    @classmethod
    def _needed(cls, value: object, info: ValidationInfo) -> object:
        """Ask for what the chosen key service needs, and for nothing of the other."""
        needed = _NEEDED.get(info.data.get("key_service", ""), ())
        if value is None and info.field_name in needed:
            raise ValueError("the key service needs it")
        return value

    @field_validator("issuers", mode="after")
    @classmethod
    def _one_each(cls, value: tuple[IssuerSettings, ...]) -> tuple[IssuerSettings, ...]:
        """Refuse a second issuer of one organisation, and one issuer of two."""
        for of in (
            [issuer.organisation for issuer in value],
            [issuer.url for issuer in value],
        ):
            if len(set(of)) != len(of):
                raise ValueError("an organisation has one issuer")
        return value

    @field_validator("webhooks", mode="after")
    @classmethod
    def _one_webhook_each(cls, value: tuple[WebhookSettings, ...]) -> tuple[WebhookSettings, ...]:
        if len({one.organisation for one in value}) != len(value):
            raise ValueError("an organisation has one webhook")
        return value

    @field_validator("log_keys", "log_signing_key", "log_state", mode="after")
    @classmethod
    def _needed_to_sign(cls, value: object, info: ValidationInfo) -> object:
        """Ask for a signing key only where this process signs."""
        needed = _NEEDED_TO_SIGN.get(info.data.get("log_signer", ""), ())
        if not value and info.field_name in needed:
            raise ValueError("the signer, or who checks it, needs it")
        return value

    @field_validator("points_url", mode="after")
    @classmethod
    def _a_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(_REDIS):
            raise ValueError("no address of a Redis")
        return value

    @field_validator("cors_origins", mode="after")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Take origins only, as a browser sends them: no path, and never everybody."""
        if not all(_ORIGIN.fullmatch(origin) for origin in value):
            raise ValueError("not an origin")
        return value

    @field_validator("console_clients", mode="after")
    @classmethod
    def _of_an_issuer(
        cls, value: tuple[ConsoleClientSettings, ...], info: ValidationInfo
    ) -> tuple[ConsoleClientSettings, ...]:
        """Refuse a second client of one organisation, and one of none that has an issuer."""
        named = [client.organisation for client in value]
        issuers = {issuer.organisation for issuer in info.data.get("issuers", ())}
        if len(set(named)) != len(named) or not issuers.issuperset(named):
            raise ValueError("an organisation with an issuer has one client")
        return value

    @field_validator("graphiql", mode="after")
    @classmethod
    def _in_the_console(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not info.data.get("console_clients"):
            raise ValueError("it is a page of the console")
        return value

    @field_validator("get_requests", mode="after")
    @classmethod
    def _in_the_demo(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("demo"):
            raise ValueError("addresses are kept by proxies and browsers")
        return value

    @field_validator("adhoc_roles", mode="after")
    @classmethod
    def _no_partner(cls, value: tuple[Role, ...], info: ValidationInfo) -> tuple[Role, ...]:
        """Refuse partners, unless the faces are audited, which is in the demo only."""
        if Role.PARTNER in value and not info.data.get("get_requests"):
            raise ValueError("partners send trusted documents only")
        return value

    @property
    def reached_at(self) -> str:
        """Where callers reach the service, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @classmethod
    def at(cls, path: Path) -> "Settings":
        """Read a file alone, whatever the environment says."""
        return cls(**tomllib.loads(path.read_text(encoding="utf-8")))

    def signer(self) -> SignerSettings:
        """Give the part that the signer needs.

        Raises:
            RefusesToStart: another process signs, so this one has no key to sign with.
        """
        if self.log_signing_key is None or self.log_state is None:
            raise RefusesToStart("The settings name no `log_signing_key` and `log_state`.")
        return SignerSettings.model_construct(
            log_url=self.log_url,
            log_signer_url=self.log_signer_url,
            log_origin=self.log_origin,
            log_signing_key=self.log_signing_key,
            log_state=self.log_state,
            log_reader_url=self.log_reader_url,
            log_witness_policy=self.log_witness_policy,
            log_witness_ca_file=self.log_witness_ca_file,
            log_epoch_approvers=self.log_epoch_approvers,
        )


def read_settings(config: Path | None = None) -> Settings:
    """Read the settings once, from *config* if given, else as the environment says.

    Raises:
        RefusesToStart: names each setting that is missing or unusable, never a value.
    """
    return _read(Settings, config)


def read_signer_settings(config: Path | None = None) -> SignerSettings:
    """Read what the signer needs, as `read_settings` does; nothing else need be there."""
    return _read(SignerSettings, config)


def _read(kind: type[_Kind], config: Path | None) -> _Kind:
    if config is not None:
        os.environ["PERISAI_CONFIG"] = str(config)
    path = os.environ.get("PERISAI_CONFIG")
    if path is not None and not Path(path).is_file():
        raise RefusesToStart(f"There is no settings file at {path}. Set PERISAI_CONFIG.")
    try:
        return kind()
    except ValidationError as error:
        names = sorted({".".join(map(str, e["loc"])) or "an unknown one" for e in error.errors()})
        raise RefusesToStart(
            f"These settings are missing or unusable: {', '.join(names)}. "
            "See docs/operations.md, and set them in the file that PERISAI_CONFIG names."
        ) from None
