"""Be an AWS account with users, as the AWS CLI shows it to the removal script."""

import json
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ACCOUNT = "111122223333"
ADMIN = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/session"
DOCUMENT = json.dumps({"Id": "it's \\ $(touch stolen)"})
"""The document of each inline policy."""

REMOVAL_STEPS = {
    "delete-access-key": ("list-access-keys", "access-key-id"),
    "delete-signing-certificate": ("list-signing-certificates", "certificate-id"),
    "delete-ssh-public-key": ("list-ssh-public-keys", "ssh-public-key-id"),
    "delete-service-specific-credential": (
        "list-service-specific-credentials",
        "service-specific-credential-id",
    ),
    "deactivate-mfa-device": ("list-mfa-devices", "serial-number"),
    "delete-user-policy": ("list-user-policies", "policy-name"),
    "detach-user-policy": ("list-attached-user-policies", "policy-arn"),
    "remove-user-from-group": ("list-groups-for-user", "group-name"),
}
"""The list of a user that a step shortens, and the option that names the item."""

UPDATE_STEPS = {
    step.replace("delete-", "update-"): REMOVAL_STEPS[step] for step in list(REMOVAL_STEPS)[:4]
}


def stated(moment: datetime, form: str = "Z") -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}{form}"


class AwsError(Exception):
    """Say with which code AWS refuses a call."""


@dataclass
class User:
    """Describe a user; each list has items of status (or -), time (or -) and name."""

    arn: str
    created: str
    id: str = "AIDA1"
    signed_in: str = "-"
    password: str | None = None
    tags: list[str] = field(default_factory=list)
    lists: dict[str, list[list[str]]] = field(
        default_factory=lambda: {name: [] for name, _ in REMOVAL_STEPS.values()}
    )

    @property
    def has_access(self) -> bool:
        """Return whether there is a password, or a credential that is active."""
        rows = [row for name, _ in UPDATE_STEPS.values() for row in self.lists[name]]
        return self.password is not None or any(row[0] == "Active" for row in rows)


@dataclass
class AwsAccount:
    """Answer the calls of the AWS CLI, version 1 or 2: rows of text, as the script asks for them.

    `refusals` are codes and `answers` whole answers, by command or by command and user name (or
    access key). `meanwhile` is called before the answer to a command.
    """

    version: int = 1
    account: str = ACCOUNT
    caller: str = ADMIN
    users: dict[str, User] = field(default_factory=dict)
    uses: dict[str, str] = field(default_factory=dict)
    unassigned: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    meanwhile: dict[str, Any] = field(default_factory=dict)

    def add(self, arn: str, created: datetime) -> User:
        """Let a user exist that has nothing."""
        user = self.users[arn.rpartition("/")[2]] = User(arn, stated(created))
        return user

    def copy(self) -> tuple[dict[str, User], list[str]]:
        """Return what changes can change."""
        return deepcopy((self.users, self.unassigned))

    def answer(self, command: str, options: dict[str, str]) -> str:
        """Return the answer to a call, which may change the account; raises AwsError."""
        subject = options.get("user-name", options.get("access-key-id", ""))
        for key in (f"{command} {subject}", command):
            if key in self.meanwhile:
                self.meanwhile.pop(key)()
            if key in self.refusals:
                raise AwsError(self.refusals[key])
            if key in self.answers:
                return self.answers[key]
        if command.startswith("list-") and command in User("", "").lists:
            return self._list(self._user(subject), command)
        answer: str = getattr(self, f"_{command.replace('-', '_')}", self._step)(command, options)
        return answer

    def _user(self, name: str) -> User:
        if name not in self.users:
            raise AwsError("NoSuchEntity")
        return self.users[name]

    def _row(self, *cells: str) -> str:
        texts = (
            f"{text[:-1]}+00:00" if self.version == 2 and _is_time(text) else text for text in cells
        )
        return "\t".join(texts) + "\n"

    def _list(self, user: User, command: str) -> str:
        rows = user.lists[command]
        last = (lambda row: row[2]) if command == "list-user-policies" else _json
        text = "".join(self._row(*row, last(row)) for row in rows)
        return text or ("None\n" if self.version == 2 else "")

    def _get_caller_identity(self, _: str, options: dict[str, str]) -> str:
        asked = [self.account, self.caller][: 1 if options["query"] == "Account" else 2]
        return self._row(*asked)

    def _list_users(self, *_: Any) -> str:
        return "".join(self._row(user.created, name) for name, user in self.users.items())

    def _list_virtual_mfa_devices(self, _: str, options: dict[str, str]) -> str:
        assert options["assignment-status"] == "Unassigned"
        return "".join(self._row(serial) for serial in self.unassigned) or "None\n"

    def _get_access_key_last_used(self, _: str, options: dict[str, str]) -> str:
        return self._row(self.uses.get(options["access-key-id"], "-"))

    def _get_user(self, _: str, options: dict[str, str]) -> str:
        user = self._user(options["user-name"])
        if options["query"] == "User.UserId":
            return self._row(user.id)
        tags = json.dumps(user.tags or None)
        known = json.dumps({"Arn": user.arn, "Tags": user.tags})
        return self._row(user.created, user.signed_in, user.arn, user.id, tags, known)

    def _get_login_profile(self, _: str, options: dict[str, str]) -> str:
        password = self._user(options["user-name"]).password
        if password is None:
            raise AwsError("NoSuchEntity")
        return self._row(password, json.dumps({"CreateDate": password}))

    def _get_user_policy(self, _: str, options: dict[str, str]) -> str:
        policy = {"PolicyName": options["policy-name"], "PolicyDocument": json.loads(DOCUMENT)}
        return self._row(DOCUMENT, json.dumps(policy))

    def _delete_login_profile(self, _: str, options: dict[str, str]) -> str:
        user = self._user(options["user-name"])
        if user.password is None:
            raise AwsError("NoSuchEntity")
        user.password = None
        return ""

    def _delete_virtual_mfa_device(self, _: str, options: dict[str, str]) -> str:
        serial = options["serial-number"]
        assigned = (row for user in self.users.values() for row in user.lists["list-mfa-devices"])
        if any(row[2] == serial for row in assigned):
            raise AwsError("DeleteConflict")
        if serial not in self.unassigned:
            raise AwsError("NoSuchEntity")
        self.unassigned.remove(serial)
        return ""

    def _put_user_policy(self, _: str, options: dict[str, str]) -> str:
        assert options["policy-document"] == DOCUMENT
        return self._attach("list-user-policies", options, "policy-name")

    def _attach_user_policy(self, _: str, options: dict[str, str]) -> str:
        return self._attach("list-attached-user-policies", options, "policy-arn")

    def _add_user_to_group(self, _: str, options: dict[str, str]) -> str:
        return self._attach("list-groups-for-user", options, "group-name")

    def _attach(self, name: str, options: dict[str, str], option: str) -> str:
        self._user(options["user-name"]).lists[name].append(["-", "-", options[option]])
        return ""

    def _delete_user(self, _: str, options: dict[str, str]) -> str:
        name = options["user-name"]
        user = self._user(name)
        if user.password is not None or any(user.lists.values()):
            raise AwsError("DeleteConflict")
        del self.users[name]
        return ""

    def _step(self, command: str, options: dict[str, str]) -> str:
        rows, row = self._item(command, options)
        if command in UPDATE_STEPS:
            row[0] = options["status"]
            return ""
        rows.remove(row)
        if command == "deactivate-mfa-device" and ":mfa/" in row[2]:
            self.unassigned.append(row[2])
        return ""

    def _item(self, command: str, options: dict[str, str]) -> tuple[list[list[str]], list[str]]:
        name, option = (REMOVAL_STEPS | UPDATE_STEPS)[command]
        rows = self._user(options["user-name"]).lists[name]
        for row in rows:
            if row[2] == options[option]:
                return rows, row
        raise AwsError("NoSuchEntity")


def _is_time(text: str) -> bool:
    return len(text) == len("2026-05-01T12:00:30Z") and text[10] == "T" and text[-1] == "Z"


def _json(row: list[str]) -> str:
    service = "codecommit.amazonaws.com"
    named = {"Status": row[0], "CreateDate": row[1], "Id": row[2], "ServiceName": service}
    return json.dumps(named)
