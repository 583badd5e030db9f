"""Hold the fixed text of the removal script: its header, and its functions in POSIX shell.

A step is one changing call, named as the AWS CLI names it. `change` is the only function that makes
such calls, `iam` the only one that calls IAM at all.
"""

from typing import Final

HEADER: Final = """\
#!/bin/sh
# shellcheck disable=SC1003,SC1112,SC2016  # names in quotes are data, nothing in them is to expand
# Deactivate or delete IAM users, as decided in an access review.
# Written by credreport, which itself changes nothing in AWS. Read this script before you run it.
#
#   sh FILE                shows what would be done, changes nothing, writes no log
#   APPLY=yes sh FILE      does it, and adds to the log credreport-removals.csv
#                          (REMOVAL_LOG=PATH: another log)
#
# Run it with the AWS CLI signed in to the account of the users; with several accounts, once for
# each. Running it again is safe: what is done is not done twice.
#
# Before anything else, each user is compared with the report. A user that was replaced by another
# of the same name, was used, or got a new credential since then is skipped.
#
# deactivate   makes the access keys and signing certificates inactive, which can be activated
#              again, and deletes the password, which cannot be restored: only a new one can be set.
#              SSH keys and service-specific credentials keep working.
# delete       deletes the user and all that is attached to it. This cannot be undone. AWS does not
#              record the use of SSH keys and service-specific credentials (Bedrock, CodeCommit):
#              the active ones are marked with ATTENTION. Look at them before you run with
#              APPLY=yes; to keep a user, delete its line below.
#
# After an error of one user the script goes on with the next user.
# Exit code: 0 no user failed (skipped users are listed), 1 a user failed, 2 nothing was done or
# the log could not be written.
"""
"""Comments for the person who runs the script."""

FUNCTIONS: Final = r"""set -uf
umask 077
export LC_ALL=C AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off

apply=${APPLY:-no}
log=${REMOVAL_LOG:-credreport-removals.csv}
tab=$(printf '\t')
count_done=0 count_gone=0 count_skipped=0 count_failed=0

say() { printf '%s\n' "$*"; }

stop() {
  printf '%s\n' "$*" >&2
  exit 2
}

one_line() { tr '[:cntrl:]' '[ *]'; }

# Print the last error of the AWS CLI, and what to do about it if that is known.
problem() {
  one_line <"$errors" | sed 's/^ *//; s/ *$//'
  if grep -q '(EntityTemporarilyUnmodifiable)' "$errors"; then
    printf '%s' ' (changed a moment ago: run this script again in some minutes)'
  fi
}

no_such_entity() { grep -q 'An error occurred (NoSuchEntity) when calling' "$errors"; }

# cell TEXT: print a cell of the log: quoted, on one line, no formula.
cell() {
  text=$1
  case $text in *[!A-Za-z0-9:/._,\ -]*) text=$(printf '%s' "$1" | one_line | sed 's/"/""/g') ;; esac
  case $text in [=+@-]*) text="'$text" ;; esac
  printf '"%s"' "$text"
}

# record STEP RESULT DETAIL: add a line to the log. Without a log nothing more is done.
record() {
  [ "$apply" = yes ] || return 0
  line=$(cell "$(date -u +%Y-%m-%dT%H:%M:%SZ)")
  for value in "$account" "$user" "$arn" "$created" "$decision" "$@"; do
    line=$line,$(cell "$value")
  done
  printf '%s\n' "$line" >>"$log" || stop "Stopped: cannot write to the log $log"
}

# iam COMMAND ARGUMENT...: one call. Without a user name some of them would act on the caller, so
# an empty value is refused.
iam() {
  for argument in "$@"; do
    if [ -z "${argument#--*=}" ]; then
      printf '%s\n' "empty value: $argument" >"$errors"
      return 1
    fi
  done
  aws iam "$@" --output=text </dev/null 2>"$errors"
}

skip() {
  result=skipped reason=$1
  return 1
}

fail() {
  result=failed reason="$1: $(problem)"
  return 1
}

# moment TIME: print the digits of a time in UTC, to the second; nothing for any other form.
moment() {
  case $1 in *Z | *+00:00) ;; *) return 1 ;; esac
  plain=${1%Z}
  plain=${plain%+00:00}
  plain=${plain%%.*}
  case $plain in
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]) ;;
    *) return 1 ;;
  esac
  printf '%s' "$plain" | tr -d ':T-'
}

same_time() { one=$(moment "$1") && other=$(moment "$2") && [ "$one" = "$other" ]; }

not_after() { one=$(moment "$1") && other=$(moment "$2") && [ "$one" -le "$other" ]; }

# expected_use TIME: is this last use none, or one that the report knew?
expected_use() {
  [ "$1" = None ] || { [ "$used_until" != never ] && not_after "$1" "$used_until"; }
}

check_user() {
  if ! live=$(iam get-user --user-name="$user" \
    --query='User.[CreateDate, PasswordLastUsed, Arn]'); then
    no_such_entity || { fail get-user; return 1; }
    result=gone reason='the user does not exist any more'
    return 1
  fi
  live_created=${live%%"$tab"*}
  live=${live#*"$tab"}
  signed_in=${live%%"$tab"*}
  [ "${live#*"$tab"}" = "$arn" ] || { skip "another user of this name: ${live#*"$tab"}"; return 1; }
  same_time "$live_created" "$created" ||
    { skip "another user of this name, created $live_created"; return 1; }
  expected_use "$signed_in" || skip "signed in at $signed_in: not in the report"
}

check_password() {
  has_password=yes
  if set_at=$(iam get-login-profile --user-name="$user" --query=LoginProfile.CreateDate); then
    not_after "$set_at" "$as_of" || skip "a password was set at $set_at: after the report"
  else
    has_password=no
    no_such_entity || fail get-login-profile
  fi
}

# list_items COMMAND LIST VALUE TIME: set items to what AWS lists of the user, a line each: status
# (or -), tab, creation time (or -), tab, value. Nothing of it may be newer than the report.
list_items() {
  if ! items=$(iam "$1" --user-name="$user" --query="${2}[].[not_null(Status, '-'), $4, $3]"); then
    fail "$1"
    return 1
  fi
  while IFS=$tab read -r status made_at value; do
    case $status$made_at in '' | None) continue ;; esac
    if [ -z "$value" ]; then
      result=failed reason="$1: unexpected answer: $status $made_at"
      return 1
    fi
    [ "$made_at" = - ] || not_after "$made_at" "$as_of" ||
      { skip "$value was created at $made_at: after the report ($1)"; return 1; }
  done <<EOF
$items
EOF
}

check_keys() {
  list_items list-access-keys AccessKeyMetadata AccessKeyId CreateDate || return 1
  keys=$items active=0
  while IFS=$tab read -r status _ key; do
    [ -n "$key" ] || continue
    if ! used_at=$(iam get-access-key-last-used --access-key-id="$key" \
      --query=AccessKeyLastUsed.LastUsedDate); then
      fail "get-access-key-last-used $key"
      return 1
    fi
    expected_use "$used_at" ||
      { skip "access key $key was used at $used_at: not in the report"; return 1; }
    [ "$status" = Inactive ] || active=$((active + 1))
  done <<EOF
$keys
EOF
  [ "$active" -le "$active_keys" ] ||
    skip "active access keys: $active, but $active_keys in the report"
}

check_other_credentials() {
  list_items list-signing-certificates Certificates CertificateId UploadDate &&
    certificates=$items &&
    list_items list-ssh-public-keys SSHPublicKeys SSHPublicKeyId UploadDate &&
    ssh_keys=$items &&
    list_items list-service-specific-credentials \
      ServiceSpecificCredentials ServiceSpecificCredentialId CreateDate &&
    service_credentials=$items &&
    list_items list-mfa-devices MFADevices SerialNumber EnableDate &&
    mfa_devices=$items
}

# Is the user the one in the report, with no use and no new credential since then?
check() { check_user && check_password && check_keys && check_other_credentials; }

# change STEP DETAIL ARGUMENT...: make one changing call and record it; in the preview, show it.
change() {
  step=$1 detail=$2
  shift 2
  changes=$((changes + 1))
  if [ "$apply" != yes ]; then
    say "  would $step $detail"
  elif iam "$step" "$@" >/dev/null; then
    say "  $step $detail"
    record "$step" ok "$detail"
  elif no_such_entity; then
    say "  $step $detail: does not exist any more"
    record "$step" ok "$detail: does not exist any more"
  else
    fail "$step $detail"
    record "$step" failed "$reason"
    return 1
  fi
}

# change_each STEP OPTION ITEMS [ARGUMENT...]: one step for each item; none for what is inactive
# and to be made so.
change_each() {
  each_step=$1 option=$2 items=$3
  shift 3
  while IFS=$tab read -r status made_at value; do
    case $each_step:$status in
      *: | update-*:Inactive) continue ;;
      delete-ssh-public-key:Active | delete-service-specific-credential:Active)
        say "  ATTENTION: $value is active, created $made_at, and may be in use"
        ;;
    esac
    [ -n "$value" ] || continue
    change "$each_step" "$value" --user-name="$user" "--$option=$value" "$@" || return 1
    # A virtual MFA device would stay behind, and its name could not be used again.
    case $each_step:$value in
      deactivate-mfa-device:arn:*:mfa/*)
        change delete-virtual-mfa-device "$value" "--serial-number=$value" || return 1
        ;;
    esac
  done <<EOF
$items
EOF
}

delete_password() {
  [ "$has_password" = no ] ||
    change delete-login-profile '(the password; it cannot be restored)' --user-name="$user"
}

deactivate_user() {
  change_each update-access-key access-key-id "$keys" --status=Inactive &&
    change_each update-signing-certificate certificate-id "$certificates" --status=Inactive &&
    delete_password
}

list_permissions() {
  list_items list-user-policies PolicyNames @ "'-'" && inline_policies=$items &&
    list_items list-attached-user-policies AttachedPolicies PolicyArn "'-'" &&
    attached_policies=$items &&
    list_items list-groups-for-user Groups GroupName "'-'" && groups=$items
}

# In the order that AWS gives; delete-user is refused while anything is attached.
delete_user() {
  list_permissions && delete_password &&
    change_each delete-access-key access-key-id "$keys" &&
    change_each delete-signing-certificate certificate-id "$certificates" &&
    change_each delete-ssh-public-key ssh-public-key-id "$ssh_keys" &&
    change_each delete-service-specific-credential \
      service-specific-credential-id "$service_credentials" &&
    change_each deactivate-mfa-device serial-number "$mfa_devices" &&
    change_each delete-user-policy policy-name "$inline_policies" &&
    change_each detach-user-policy policy-arn "$attached_policies" &&
    change_each remove-user-from-group group-name "$groups" &&
    change delete-user "$user" --user-name="$user"
}

# remove DECISION USER CREATED REPORT-AS-OF USED-UNTIL ACTIVE-KEYS ARN NOTE: check, then change.
# USED-UNTIL: the last use in the report, and the 15 minutes that AWS's record is precise to.
# Users of other accounts are left out.
remove() {
  decision=$1 user=$2 created=$3 as_of=$4 used_until=$5 active_keys=$6 arn=$7 note=$8
  case $arn in arn:"$partition":iam::"$account":*) ;; *) return ;; esac
  result='done' reason='' changes=0
  say '' && say "$decision $arn${note:+ ($note)}"
  record start ok "$note"
  if [ "$caller" = "$arn" ]; then
    skip 'this script is run by this very user'
  elif check; then
    case $decision in
      deactivate) deactivate_user ;;
      delete) delete_user ;;
    esac
  fi
  [ "$result:$changes" != done:0 ] || reason='nothing left to do'
  record end "$result" "$reason"
  case $result in
    done) count_done=$((count_done + 1)) ;;
    gone) count_gone=$((count_gone + 1)) ;;
    skipped) count_skipped=$((count_skipped + 1)) ;;
    failed) count_failed=$((count_failed + 1)) ;;
  esac
  [ "$apply" = yes ] || [ "$result" != "done" ] || result='would be done'
  say "  $result${reason:+: $reason}"
}

# begin PARTITION:ACCOUNT...: stop unless the credentials belong to one of these accounts.
begin() {
  command -v aws >/dev/null || stop 'Nothing done: the AWS CLI (aws) is not installed'
  errors=$(mktemp) || stop 'Nothing done: no temporary file could be created'
  trap 'rm -f "$errors"' EXIT
  trap 'exit 130' HUP INT TERM
  identity=$(aws sts get-caller-identity --query='[Account, Arn]' --output=text \
    </dev/null 2>"$errors") || stop "Nothing done: $(problem)"
  account=${identity%%"$tab"*} caller=${identity#*"$tab"}
  partition=${caller#arn:}
  partition=${partition%%:*}
  case " $* " in
    *" $partition:$account "*) ;;
    *) stop "Nothing done: signed in to account $partition:$account; this script is for: $*" ;;
  esac
  if [ "$apply" = yes ]; then
    [ -s "$log" ] || printf '%s\n' "$log_columns" >>"$log" ||
      stop "Nothing done: cannot write to the log $log"
    say "Account $partition:$account. Log: $log"
  else
    say "Account $partition:$account. Preview: nothing is changed; APPLY=yes makes the changes."
  fi
}

finish() {
  say '' && [ "$apply" = yes ] || printf '%s' 'would be '
  say "done $count_done, gone before $count_gone, skipped $count_skipped, failed $count_failed"
  [ "$count_failed" -eq 0 ] || exit 1
}

"""
"""Functions: `begin`, then `remove` for each user, then `finish`."""
