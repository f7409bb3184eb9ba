"""The algorithms that an operator may choose: RFC 7518 section 3.1, RFC 8037 section 3.1."""

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from toolkit.client import tokens
from toolkit.person import Person
from toolkit.wire import send


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("ES256", "EC"), ("RS256", "RSA"), ("EdDSA", "OKP")], ids=["ES256", "RS256", "EdDSA"]
)
def test_RFC9068_a_token_of_each_algorithm_is_verified_by_the_published_keys(new_server, algorithm, kind):
    server = new_server(environment={"LATCHKEY_SIGNING_ALGORITHM": algorithm})
    seam = server.create_client("--partner", "seam", "--access-token", "jwt", name="Seam")
    account = server.create_account()
    server.start()
    issued = tokens(seam.exchange(Person(server, account).authorize(seam).code))

    keys = send("GET", server.base + "/oauth/jwks").json()
    assert [key["kty"] for key in keys["keys"]] == [kind]
    metadata = send("GET", server.base + "/.well-known/oauth-authorization-server").json()
    assert metadata["jwks_uri"] == server.issuer + "/oauth/jwks"

    token = jwt.decode(issued.access, KeySet.import_key_set(keys), algorithms=[algorithm])
    assert token.header["alg"] == algorithm
    assert token.header["typ"] == "at+jwt"
    assert token.claims["iss"] == server.issuer
    assert token.claims["sub"] == account.user_id
