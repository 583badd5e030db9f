"""Make the users of rules that random users meet too rarely."""

from tests.support.builders import Row, a_password, a_user


def rare_users(number: int) -> list[Row]:
    """Return users for whom such a rule fails, and for whom it is undecided, with this number."""
    return [
        a_user(f"BedrockAPIKey-{number}", password_enabled="?"),
        a_user(f"expiring-{number}", password=a_password(), password_next_rotation="?"),
    ]
