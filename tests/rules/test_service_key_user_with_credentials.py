import pytest

from tests.support.builders import Row, a_certificate, a_key, a_password, a_user, an_inactive_key
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

RULE = "service-key-user-with-credentials"
NAME = "BedrockAPIKey-ab1c"


@pytest.mark.parametrize(
    ("user", "outcome"),
    [
        pytest.param(a_user(NAME), None, id="nothing but its API key"),
        pytest.param(a_user(NAME, password=a_password()), FAILS, id="a password"),
        pytest.param(a_user(NAME, key_1=a_key()), FAILS, id="key 1"),
        pytest.param(a_user(NAME, key_2=a_key()), FAILS, id="key 2"),
        pytest.param(a_user(NAME, key_1=an_inactive_key()), None, id="an inactive key"),
        pytest.param(a_user(NAME, certificate_1=a_certificate()), None, id="a certificate"),
        pytest.param(a_user(NAME, password_enabled="?"), UNDECIDED, id="unknown password"),
        pytest.param(a_user(NAME, access_key_2_active="?"), UNDECIDED, id="unknown key"),
        pytest.param(a_user("AeaApiKey-ab12", key_1=a_key()), FAILS, id="of another service"),
        pytest.param(a_user("bedrockapikey-1", key_1=a_key()), FAILS, id="in small letters"),
        pytest.param(a_user("my-APIKEY-1", key_1=a_key()), FAILS, id="not at the start"),
        pytest.param(a_user("BedrockAPIKey", key_1=a_key()), None, id="no hyphen"),
        pytest.param(a_user("API-Key-1", key_1=a_key()), None, id="a hyphen between"),
        pytest.param(a_user("ann", password=a_password(), key_1=a_key()), None, id="other user"),
        pytest.param(a_user("ann", password_enabled="?"), None, id="other user, unknown"),
    ],
)
def test_a_service_key_user_with_another_credential_fails(user: Row, outcome: str | None) -> None:
    assert outcomes(RULE, user) == ({0: outcome} if outcome else {})


def test_a_name_that_another_row_contradicts_leaves_it_undecided() -> None:
    user = a_user("ann", key_1=a_key())
    assert outcomes(RULE, user, contradicted="user") == {0: UNDECIDED}
    assert outcomes(RULE, a_user("ann"), contradicted="user") == {}


def test_the_fact_lists_the_credentials() -> None:
    user = a_user(NAME, password=a_password(), key_2=a_key())
    assert fact(RULE, user) == "usable besides the API key: password, access key 2"
