"""Keys: made once, checked when read, and never shown."""

import json
import stat
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from jwcrypto import jwk

from settings.keys import kept_signing_key, new_signing_key, private_key, public_keys

KEY = new_signing_key()
PUBLIC = jwk.JWK.from_json(KEY).export_public()
SMALL = jwk.JWK.generate(kty="RSA", size=1024)
CURVE = jwk.JWK.generate(kty="EC", crv="P-256")


def test_key_is_made_once_and_kept_for_its_owner(tmp_path):
    path = tmp_path / "folder" / "key.json"
    first = kept_signing_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_signing_key(path) == first
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_together_agree(tmp_path):
    code = f"from settings.keys import *; print(kept_signing_key(Path({str(tmp_path / 'key.json')!r})))"
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(4)]
    assert len({process.communicate()[0] for process in processes}) == 1


def test_printed_key_suits_production():
    printed = subprocess.run([sys.executable, "-m", "settings.keys"], capture_output=True, text=True, check=True)
    assert private_key(printed.stdout.strip(), name="A")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("-----BEGIN RSA PRIVATE KEY-----", id="PEM"),
        pytest.param("[]", id="list"),
        pytest.param("7", id="number"),
        pytest.param("{}", id="no key"),
        pytest.param('{"kty": "RSA"}', id="no numbers"),
        pytest.param('{"kty": "RSA", "n": 5, "e": 3}', id="wrong numbers"),
        pytest.param(PUBLIC, id="public part only"),
        pytest.param(SMALL.export_private(), id="small"),
        pytest.param(CURVE.export_private(), id="curve"),
        pytest.param('{"kty": "oct", "k": "c2VjcmV0"}', id="symmetric"),
    ],
)
def test_text_that_is_no_private_key_is_refused_by_name(text):
    with pytest.raises(ImproperlyConfigured, match="JWT_KEY") as refusal:
        private_key(text, name="JWT_KEY")
    assert len(text) < 20 or text not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="list"),
        pytest.param('{"keys": []}', id="no keys"),
        pytest.param('{"keys": "many"}', id="keys of a wrong type"),
        pytest.param('{"keys": [1]}', id="key of a wrong type"),
        pytest.param(PUBLIC, id="key without a set"),
        pytest.param(f'{{"keys": [{PUBLIC}, {CURVE.export_public()}]}}', id="one does not suit"),
        pytest.param(f'{{"keys": [{SMALL.export_public()}]}}', id="small"),
    ],
)
def test_text_that_is_no_key_set_is_refused_by_name(text):
    with pytest.raises(ImproperlyConfigured, match="LMS_KEYS"):
        public_keys(text, name="LMS_KEYS")


def test_private_parts_of_a_key_set_go_no_further():
    assert "d" not in public_keys(f'{{"keys": [{KEY}]}}', name="A")["keys"][0]


def test_keys_of_others_may_have_names_or_not():
    named = json.loads(PUBLIC) | {"kid": "their-key"}
    nameless = {name: value for name, value in json.loads(PUBLIC).items() if name != "kid"}
    kids = [key["kid"] for key in public_keys(json.dumps({"keys": [named, nameless]}), name="A")["keys"]]
    assert kids == ["their-key", jwk.JWK.from_json(KEY).thumbprint()]
