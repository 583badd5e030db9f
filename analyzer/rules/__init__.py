"""Judge everything that a report alone can decide: one file a rule, all of them in RULES.

Lists of rules keep this order. A new rule is a file, a line here and a test.
"""

from typing import Final

from analyzer.rules import (
    active_signing_certificate,
    bedrock_key_user_with_credentials,
    console_user_without_mfa,
    expired_password,
    idle_access_key,
    idle_password,
    initial_setup_access_key,
    password_and_access_key,
    password_expires_soon,
    retired_user,
    root_access_key,
    root_certificate,
    root_password,
    root_used,
    root_without_mfa,
    two_active_access_keys,
    unrotated_access_key,
    unused_user,
    user_without_mfa,
)
from analyzer.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    unused_user.RULE,
    retired_user.RULE,
    idle_password.RULE,
    idle_access_key.RULE,
    unrotated_access_key.RULE,
    two_active_access_keys.RULE,
    initial_setup_access_key.RULE,
    console_user_without_mfa.RULE,
    user_without_mfa.RULE,
    expired_password.RULE,
    password_expires_soon.RULE,
    password_and_access_key.RULE,
    bedrock_key_user_with_credentials.RULE,
    active_signing_certificate.RULE,
    root_access_key.RULE,
    root_without_mfa.RULE,
    root_used.RULE,
    root_certificate.RULE,
    root_password.RULE,
)
