"""Sealing and opening one value, against what others offer for the same.

Every peer is asked for its strongest promise that ours makes as well: AES-256-GCM,
the row bound as a context, a key commitment where it has one. Those that make a data
key for each message are compared with a new data key of ours, wrapped and unwrapped;
a record of ours shares its key among the fields of a compartment. No peer reaches the
network: their wrapping keys are local.
"""

import os
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from time import process_time
from typing import Any
from uuid import uuid4

import aws_encryption_sdk
import tink
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg,
    CreateRawAesKeyringInput,
)
from aws_encryption_sdk.identifiers import AlgorithmSuite
from sqlalchemy import Unicode
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy_utils import StringEncryptedType
from sqlalchemy_utils.types.encrypted.encrypted_type import AesGcmEngine
from tink import aead

from api.crypto.data_keys import DataKey
from api.crypto.sealing import open_sealed, seal
from api.vocabulary import Compartment
from benchmarks.sealing import FIELD, NAME, OWNER, keyring, print_times
from benchmarks.turns import Step, in_turns, repeated
from benchmarks.values import Value

WARM_UP = 10
ROUNDS = 60
#: Values within a round: a page.
CALLS = 100
#: The AWS Encryption SDK takes milliseconds for one.
CALLS_SLOW = 4


async def vs_sqlalchemy_utils() -> list[Value]:
    """Compare with StringEncryptedType on AesGcmEngine: a field under a key that is there.

    It cannot bind a value to its row or column, nor pad it, so it does less than ours.
    """
    peer = StringEncryptedType(Unicode, "x" * 32, AesGcmEngine)
    asyncpg = dialect()

    def theirs() -> None:
        stored = peer.process_bind_param(NAME, asyncpg)
        assert peer.process_result_value(stored, asyncpg) == NAME

    key, row = DataKey(uuid4(), Compartment.IDENTITY, 1, os.urandom(32)), uuid4()

    def ours() -> None:
        assert open_sealed(key, FIELD, row, seal(key, FIELD, row, NAME)) == NAME

    return await _compared(
        "vs_sqlalchemy_utils",
        f"SQLAlchemy-Utils {version('sqlalchemy-utils')}",
        theirs,
        repeated(CALLS, ours),
        CALLS,
    )


async def vs_aws_esdk() -> list[Value]:
    """Compare with the AWS Encryption SDK, a raw AES keyring and an encryption context.

    Its suite is the one that commits to the key and signs nothing: its default, with
    a signature, would be slower still and promise what ours does not.
    """
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    local = providers.create_raw_aes_keyring(
        input=CreateRawAesKeyringInput(
            key_namespace="perisai",
            key_name=OWNER,
            wrapping_key=os.urandom(32),
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        )
    )
    client = aws_encryption_sdk.EncryptionSDKClient()
    plain = NAME.encode()

    def theirs() -> None:
        context = {"table": FIELD.table, "column": FIELD.column, "row": str(uuid4())}
        message, _ = client.encrypt(
            source=plain,
            keyring=local,
            encryption_context=context,
            algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        )
        opened, _ = client.decrypt(source=message, keyring=local, encryption_context=context)
        assert opened == plain

    return await _enveloped(
        "vs_aws_esdk",
        f"AWS Encryption SDK {version('aws-encryption-sdk')}",
        theirs,
        CALLS_SLOW,
    )


async def vs_tink_envelope() -> list[Value]:
    """Compare with Tink's KmsEnvelopeAead over a local AES-256-GCM keyset.

    It binds the associated data to the value, but its wrapped key to nothing, and
    commits to no key, so it does less than ours.
    """
    aead.register()
    template = aead.aead_key_templates.AES256_GCM
    local = tink.new_keyset_handle(template).primitive(aead.Aead)
    envelope = aead.KmsEnvelopeAead(template, local)
    plain = NAME.encode()

    def theirs() -> None:
        associated = FIELD.prefix + uuid4().bytes
        sealed = envelope.encrypt(plain, associated)
        assert envelope.decrypt(sealed, associated) == plain

    return await _enveloped("vs_tink_envelope", f"Tink {version('tink')}", theirs, CALLS)


async def _enveloped(name: str, peer: str, theirs: Callable[[], None], calls: int) -> list[Value]:
    """Compare with as many data keys of ours as values: each made, wrapped and unwrapped.

    As in casework, the key service is asked once for all keys of a change and once for
    all of a page: it looks at its key file before it wraps, which no peer does.
    """
    with tempfile.TemporaryDirectory() as folder:
        ring = keyring(folder)

        async def ours() -> None:
            records = [uuid4() for _ in range(calls)]
            pairs = await ring.new_keys(OWNER, [(r, FIELD.compartment) for r in records])
            stored = [seal(key, FIELD, key.record, NAME) for key, _ in pairs]
            keys = await ring.open_keys(OWNER, [wrap for _, wrap in pairs])
            for key, sealed in zip(keys, stored, strict=True):
                assert open_sealed(key, FIELD, key.record, sealed) == NAME

        return await _compared(name, peer, theirs, ours, calls)


async def _compared(
    name: str, peer: str, theirs: Callable[[], Any], ours: Step, calls: int
) -> list[Value]:
    measured = await in_turns(
        repeated(calls, theirs),
        ours,
        warm_up=WARM_UP,
        rounds=ROUNDS,
        clock=process_time,
    )
    print_times(f"{name}: {peer}", measured.first / calls, measured.second / calls)
    return [Value(f"sealing.{name}", measured.ratio, "x", above=1.0)]
