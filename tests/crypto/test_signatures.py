"""Ed25519 keys: what they sign holds, and they show nothing of themselves."""

import pickle
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from api.crypto.signatures import SigningKey, signature_holds
from api.errors import RefusesToStart


def test_the_first_vector_of_rfc_8032_holds() -> None:
    """RFC 8032, 7.1, TEST 1: the empty message."""
    key = SigningKey.from_seed(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )

    assert key.public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
        "cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


def test_a_signature_holds_for_its_key_and_message_only() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = key.sign(b"message")

    assert signature_holds(key.public, signature, b"message")
    assert not signature_holds(key.public, signature, b"massage")
    assert not signature_holds(other.public, signature, b"message")
    for place in range(64):
        changed = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        assert not signature_holds(key.public, changed, b"message")


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), b"\xff" * 32])
def test_what_is_no_key_signed_nothing(public: bytes) -> None:
    assert not signature_holds(public, bytes(64), b"")
    assert not signature_holds(SigningKey.generate().public, b"", b"")


def test_a_key_comes_back_from_its_file(tmp_path: Path) -> None:
    key, path = SigningKey.generate(), tmp_path / "key.pem"
    key.save(path)

    assert SigningKey.load(path).public == key.public
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    key, path = SigningKey.generate(), tmp_path / "key.pem"
    key.save(path)

    with pytest.raises(FileExistsError):
        SigningKey.generate().save(path)
    assert SigningKey.load(path).public == key.public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_that_others_may_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    SigningKey.generate().save(path)
    path.chmod(mode)

    with pytest.raises(RefusesToStart, match="chmod 600"):
        SigningKey.load(path)


def test_other_files_are_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    ecdsa = generate_private_key(SECP256R1())
    for content in (
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ecdsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(RefusesToStart):
            SigningKey.load(path)
    with pytest.raises(RefusesToStart):
        SigningKey.load(tmp_path / "nowhere")


def test_a_key_shows_nothing() -> None:
    seed = bytes(range(32))
    key = SigningKey.from_seed(seed)

    for shown in (repr(key), str(key), f"{key}", repr([key]), repr(vars(SigningKey))):
        assert seed.hex() not in shown
    assert repr(key) == "<signing key>"
    with pytest.raises(TypeError):
        pickle.dumps(key)
