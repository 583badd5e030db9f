from tests.support.builders import a_key, a_password, a_user
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact

RULE = "service-key-user-with-credentials"
NAME = "BedrockAPIKey-ab1c"


def test_a_service_key_user_with_another_credential_fails() -> None:
    users = {
        "nothing but its API key": (a_user(NAME), None),
        "a password": (a_user(NAME, password=a_password()), FAILS),
        "unknown password": (a_user(NAME, password_enabled="?"), UNDECIDED),
        "of another service": (a_user("AeaApiKey-ab12", key_1=a_key()), FAILS),
        "in small letters": (a_user("bedrockapikey-1", key_1=a_key()), FAILS),
        "not at the start": (a_user("my-APIKEY-1", key_1=a_key()), FAILS),
        "no hyphen": (a_user("BedrockAPIKey", key_1=a_key()), None),
        "a hyphen between": (a_user("API-Key-1", key_1=a_key()), None),
        "a name that is not understood": (a_user("a b", key_1=a_key()), UNDECIDED),
        "other user": (a_user("ann", password=a_password(), key_1=a_key()), None),
    }
    check_outcomes(RULE, users)


def test_the_fact_lists_the_credentials() -> None:
    user = a_user(NAME, password=a_password(), key_2=a_key())
    assert fact(RULE, user) == "usable besides the API key: password, access key 2"
