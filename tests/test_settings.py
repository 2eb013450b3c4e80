"""What the settings must say depends on the key service; what is missing is named."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.app import code_lists, key_service
from api.crypto.opened_keys import OpenedKeys
from api.errors import RefusesToStart
from api.key_settings import openbao
from api.settings import Settings, read_settings, read_signer_settings
from api.vocabulary import Role
from tests.openbao import token_file

COMMON = """
records_url = "sqlite+aiosqlite:///records.sqlite"
log_url = "sqlite+aiosqlite:///log.sqlite"
log_reader_url = "sqlite+aiosqlite:///log.sqlite"
owners = ["lpsk"]
audience = "perisai-test"
log_origin = "test.invalid/log"
issuers = [{url = "https://issuer.invalid", organisation = "lpsk", jwks = "jwks.json"}]
"""
SIGNER = 'log_signing_key = "log-key.pem"\nlog_state = "log-state"\n'
FILE = 'key_file = "keys"\nkey_passphrase_file = "passphrase"\n'
OPENBAO = """key_service = "openbao"
openbao_address = "http://127.0.0.1:1"
openbao_token_file = "{folder}/token"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PERISAI_CONFIG", raising=False)
    return tmp_path / "perisai.toml"


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ("", "key_file, key_passphrase_file"),
        ('key_file = "keys"', "key_passphrase_file"),
        ('key_service = "file"\nopenbao_address = "x"', "key_file, key_passphrase_file"),
        ('key_service = "openbao"', "openbao_address, openbao_token_file"),
        (f'key_service = "openbao"\n{FILE}', "openbao_address, openbao_token_file"),
        ('key_service = "openbao"\nopenbao_address = "secret"', "openbao_token_file"),
        (f'key_service = "hsm"\n{FILE}', "key_service"),
        (f"{FILE}openbao_time_out = 3", "openbao_time_out"),
        (f"{FILE}openbao_time_out = 0", "openbao_time_out"),
        (f"{FILE}key_cache_seconds = -1", "key_cache_seconds"),
        (f"{FILE}key_cache_seconds = 601", "key_cache_seconds"),
    ],
)
def test_what_the_key_service_needs_is_asked_for_by_name_and_no_value_is_shown(
    config: Path, keys: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(f"{keys}\n{SIGNER}{COMMON}")
    monkeypatch.setenv("PERISAI_CONFIG", str(config))

    with pytest.raises(RefusesToStart) as error:
        read_settings()

    assert f"missing or unusable: {missing}. See" in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ('public_url = "perisai.example.org"', "public_url"),
        ('public_url = "https://perisai.example.org/?a=b"', "public_url"),
        ('public_url = "https://user@perisai.example.org"', "public_url"),
        ('public_url = "ftp://perisai.example.org"', "public_url"),
    ],
)
def test_where_callers_reach_the_service_is_an_address(
    config: Path, more: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(f"{more}\n{FILE}{SIGNER}{COMMON}")
    monkeypatch.setenv("PERISAI_CONFIG", str(config))

    with pytest.raises(RefusesToStart, match=f"unusable: {wrong}. See"):
        read_settings()


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ("", "http://127.0.0.1:8463"),
        ('host = "::1"\nport = 80', "http://[::1]:80"),
        ('public_url = "https://perisai.example.org"', "https://perisai.example.org"),
        ('public_url = "https://example.org/perisai/"', "https://example.org/perisai"),
    ],
)
def test_callers_reach_the_service_where_the_settings_say(
    config: Path, more: str, address: str
) -> None:
    config.write_text(f"{more}\n{FILE}{SIGNER}{COMMON}")

    assert Settings.at(config).reached_at == address


@pytest.mark.parametrize(
    "second",
    [
        '{url = "https://second.invalid", organisation = "lpsk", jwks = "jwks.json"}',
        '{url = "https://issuer.invalid", organisation = "komnas-ham", jwks = "jwks.json"}',
    ],
)
def test_an_organisation_has_one_issuer_and_an_issuer_one_organisation(
    config: Path, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(FILE + SIGNER + COMMON.replace("}]", f"}}, {second}]"))
    monkeypatch.setenv("PERISAI_CONFIG", str(config))

    with pytest.raises(RefusesToStart, match=r"unusable: issuers\. See"):
        read_settings()


@pytest.mark.parametrize("keys", [FILE, 'key_service = "file"\n' + FILE, OPENBAO])
def test_what_the_other_key_service_needs_is_not_asked_for(config: Path, keys: str) -> None:
    config.write_text(f"{keys}\n{SIGNER}{COMMON}")

    Settings.at(config)


def test_openbao_stands_behind_a_cache(config: Path, tmp_path: Path) -> None:
    token_file(tmp_path, "s.token")
    config.write_text(OPENBAO.format(folder=tmp_path) + SIGNER + COMMON)

    service = key_service(Settings.at(config))

    assert isinstance(service, OpenedKeys)
    asyncio.run(service.close())


def test_settings_of_the_other_service_open_nothing(config: Path) -> None:
    config.write_text(FILE + SIGNER + COMMON)
    with pytest.raises(RefusesToStart, match="openbao_address"):
        openbao(Settings.at(config))


def test_a_setting_that_is_not_known_is_refused(config: Path) -> None:
    config.write_text(FILE + 'openbao_token = "s.token"\n' + SIGNER + COMMON)
    with pytest.raises(ValidationError):
        Settings.at(config)


@pytest.mark.parametrize(
    ("signer", "missing"),
    [
        ("", "log_signing_key, log_state"),
        ('log_signer = "embedded"\nlog_keys = ["x"]', "log_signing_key, log_state"),
        ('log_signing_key = "secret"', "log_state"),
        ('log_signer = "process"', "log_keys"),
        ('log_signer = "process"\nlog_keys = []', "log_keys"),
        ('log_signer = "elsewhere"', "log_signer"),
        (f"{SIGNER}log_checkpoint_alarm = 0", "log_checkpoint_alarm"),
        (f"{SIGNER}log_checkpoint_limit = -1", "log_checkpoint_limit"),
        (f"{SIGNER}openings_per_caller = 0", "openings_per_caller"),
        (f"{SIGNER}openings_per_process = 0", "openings_per_process"),
        (f"{SIGNER}openings_alarm = 1.1", "openings_alarm"),
    ],
)
def test_a_signing_key_is_asked_for_only_where_this_process_signs(
    config: Path, signer: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(f"{signer}\n{FILE}{COMMON}")
    monkeypatch.setenv("PERISAI_CONFIG", str(config))

    with pytest.raises(RefusesToStart) as error:
        read_settings()

    assert f"missing or unusable: {missing}. See" in str(error.value)
    assert "secret" not in str(error.value)


def test_a_service_that_does_not_sign_has_nothing_to_sign_with(config: Path) -> None:
    config.write_text(f'log_signer = "process"\nlog_keys = ["x"]\n{FILE}{COMMON}')
    settings = Settings.at(config)

    assert settings.log_signing_key is None
    with pytest.raises(RefusesToStart, match="log_signing_key"):
        settings.signer()


def test_the_signer_needs_a_few_settings_and_knows_the_others(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = f'log_origin = "test.invalid/log"\n{SIGNER}'
    monkeypatch.setenv("PERISAI_CONFIG", str(config))
    config.write_text(f'{few}log_url = "sqlite:///one"\nlog_signer_url = "sqlite:///two"')
    assert read_signer_settings().url == "sqlite:///two"
    config.write_text(FILE + SIGNER + COMMON)
    read = read_signer_settings()
    assert read.url == "sqlite+aiosqlite:///log.sqlite"
    own = Settings.at(config).signer()
    assert (read.url, read.log_origin, read.log_state) == (own.url, own.log_origin, own.log_state)

    for text, why in (
        (few, "log_signer_url"),
        (SIGNER + 'log_url = "sqlite:///one"', "log_origin"),
        (few + 'log_url = "sqlite:///one"\nlog_sate = "x"', "an unknown one"),
    ):
        config.write_text(text)
        with pytest.raises(RefusesToStart, match=f"unusable: {why}. See"):
            read_signer_settings()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('cors_origins = ["*"]', "cors_origins"),
        ('cors_origins = ["null"]', "cors_origins"),
        ('cors_origins = ["https://a.example/"]', "cors_origins"),
        ('cors_origins = ["http://a.example"]', "cors_origins"),
        ('cors_origins = ["https://*.example"]', "cors_origins"),
        ('points_url = "https://:secret@redis"', "points_url"),
        ("points_per_hour = 0", "points_per_hour"),
        ("requests_at_once = 0", "requests_at_once"),
        ("request_seconds = 0", "request_seconds"),
        ("streams_per_member = 0", "streams_per_member"),
        ("streams_per_process = 0", "streams_per_process"),
        ('introspection_roles = ["everybody"]', "introspection_roles.0"),
        ("get_requests = true", "get_requests"),
        ('adhoc_roles = ["everybody"]', "adhoc_roles.0"),
        ('adhoc_roles = ["partner"]', "adhoc_roles"),
        ('demo = true\nadhoc_roles = ["supervisor", "partner"]', "adhoc_roles"),
    ],
)
def test_what_would_open_the_front_door_too_far_is_refused(
    config: Path, line: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(f"{line}\n{FILE}{SIGNER}{COMMON}")
    monkeypatch.setenv("PERISAI_CONFIG", str(config))

    with pytest.raises(RefusesToStart, match=f"unusable: {re.escape(name)}\\. See") as error:
        read_settings()

    assert "secret" not in str(error.value)


def test_an_audit_is_of_the_demo_and_origins_are_as_a_browser_sends_them(config: Path) -> None:
    config.write_text(
        'demo = true\nget_requests = true\nadhoc_roles = ["partner"]\n'
        'cors_origins = ["https://app.example", "https://app.example:8443", "http://localhost:3000"]\n'
        f"{FILE}{SIGNER}{COMMON}"
    )

    audited = Settings.at(config)
    assert audited.get_requests
    assert audited.adhoc_roles == (Role.PARTNER,)


def test_clocks_and_webhooks_are_tables_of_their_own(config: Path) -> None:
    config.write_text(
        f"{FILE}{SIGNER}{COMMON}"
        '[[clocks]]\ncode = "first_response_urgent"\nhours = 12\n'
        '[[webhooks]]\norganisation = "lpsk"\nurl = "https://lpsk.example/alerts"\n'
        'secret_file = "secret"\n'
    )

    settings = Settings.at(config)
    assert code_lists(settings).clocks["first_response_urgent"].length == timedelta(hours=12)
    assert [one.organisation for one in settings.webhooks] == ["lpsk"]


@pytest.mark.parametrize(
    ("code", "hours"), [("no_such", 5), ("data_access", 73), ("referral_answer", 5)]
)
def test_a_clock_that_the_law_does_not_let_be_is_refused_at_the_start(
    config: Path, code: str, hours: int
) -> None:
    config.write_text(f'{FILE}{SIGNER}{COMMON}[[clocks]]\ncode = "{code}"\nhours = {hours}\n')
    with pytest.raises(RefusesToStart, match="longer than the law says"):
        code_lists(Settings.at(config))


@pytest.mark.parametrize(
    "url",
    [
        "http://lpsk.example/alerts",
        "https://user:secret@lpsk.example/",
        "https://lpsk.example/?token=secret",
        "http://127.0.0.1.example/",
        "http://localhost@lpsk.example/",
        "ftp://localhost/",
        "",
    ],
)
def test_a_webhook_is_https_or_on_this_machine(
    config: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(
        f"{FILE}{SIGNER}{COMMON}"
        f'[[webhooks]]\norganisation = "lpsk"\nurl = "{url}"\nsecret_file = "x"\n'
    )
    monkeypatch.setenv("PERISAI_CONFIG", str(config))
    with pytest.raises(RefusesToStart, match=r"webhooks\.0\.url") as error:
        read_settings()
    assert "secret" not in str(error.value)


def test_an_agency_has_one_webhook(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = '[[webhooks]]\norganisation = "lpsk"\nurl = "http://[::1]:80/"\nsecret_file = "x"\n'
    config.write_text(f"{FILE}{SIGNER}{COMMON}{one}{one}")
    monkeypatch.setenv("PERISAI_CONFIG", str(config))
    with pytest.raises(RefusesToStart, match="webhooks"):
        read_settings()
