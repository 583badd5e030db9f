"""Hold the part of the removal script that compares a user in AWS with what the reviewer saw.

A check ends with an error where AWS shows more access or use, or where an answer is missing: then
`result` and `reason` say so, and nothing is changed. What AWS lists stays in variables for the
changes, and as JSON in `backup`.
"""

from typing import Final

CHECKS: Final = r"""
# A user is gone if this script deleted it, or if no other user has its creation time: such a one
# may be the same user, renamed.
check_gone() {
  same_account || return 1
  result=gone reason='the user does not exist any more'
  ! is_logged delete-user ok || return 1
  [ -n "$users" ] || users=$(iam list-users --query='Users[].[CreateDate, UserName]') ||
    fail list-users || return 1
  names=$(say "$users" | sed -n "s/^${created%Z}[^$tab]*$tab//p" | one_line)
  [ -z "$names" ] || skip "possibly renamed to ${names% }: created at the same time"
  return 1
}

check_user() {
  if ! live=$(iam get-user --user-name="$user" --query="User.[CreateDate,
    not_null(PasswordLastUsed, '-'), Arn, to_string(Tags[].Key), to_string(@)]"); then
    if error_is NoSuchEntity; then check_gone; else fail get-user; fi
    return 1
  fi
  IFS=$tab read -r created_at use live_arn tags user_json <<EOF
$live
EOF
  [ "$live_arn" = "$arn" ] || skip "another user of this name: $live_arn" || return 1
  moment "$created_at"
  [ "$utc" = "$created" ] || skip "another user of this name, created at $utc" || return 1
  case $(say "$tags" | tr '[:upper:]' '[:lower:]') in
    *'"credreport:keep"'*) skip 'it has the tag credreport:keep' || return 1 ;;
  esac
  known_use "$use" "$signed_in" || skip "signed in at $use: not in the report"
}

check_password() {
  has_password=no
  if ! live=$(iam get-login-profile --user-name="$user" \
    --query='LoginProfile.[CreateDate, to_string(@)]'); then
    error_is NoSuchEntity || fail get-login-profile
    return
  fi
  has_password=yes
  IFS=$tab read -r created_at json <<EOF
$live
EOF
  backup="$backup, \"get-login-profile\": $json"
  not_after "$created_at" "$password" || skip "a password was set at $created_at: not in the report"
}

# list_items COMMAND LIST [VALUE [TIME]]: set items to what AWS lists of the user, a line each:
# status (or -), creation time (or -), value, JSON, with tabs between them; and save the JSON.
list_items() {
  items=$(iam "$1" --user-name="$user" \
    --query="${2}[].[not_null(Status, '-'), ${4:-'-'}, ${3:-@}, to_string(@)]") ||
    fail "$1" || return 1
  [ "$items" != None ] || items=''
  list=''
  while IFS=$tab read -r status created_at value json; do
    [ -n "$status" ] || continue
    [ -n "$json" ] || { say "unexpected answer: $items" >"$errors"; fail "$1"; } || return 1
    list="$list${list:+, }$json"
  done <<EOF
$items
EOF
  [ -z "${3:-}" ] || backup="$backup, \"$1\": [$list]"
}

# comparable [use]: print the items for `compare`: creation time, last use, state, id.
comparable() {
  while IFS=$tab read -r status created_at id _; do
    [ -n "$id" ] || continue
    moment "$created_at"
    line=$utc state=active use=-
    [ "$status" != Inactive ] || state=inactive
    [ "${1:-}" != use ] || use=$(iam get-access-key-last-used --access-key-id="$id" \
      --query="not_null(AccessKeyLastUsed.LastUsedDate, '-')") || return 1
    moment "$use"
    say "$line $utc $state $id"
  done <<EOF
$items
EOF
}

# compare KIND LIVE SEEN: is each line of LIVE one of SEEN (words: time,state,use), and not more?
# Both are sorted. The creation time is all that a report has to know a key by. Several of the same
# second are compared in their order, which finds more access or use in all of them together.
compare() {
  left=$3 times=' '
  while read -r created_at use state id; do
    [ -n "$id" ] || continue
    seen='' rest=''
    for one in $left; do
      case $seen$one in "$created_at",*) seen=${one#*,} ;; *) rest="$rest $one" ;; esac
    done
    left=$rest times="$times$created_at "
    [ -n "$seen" ] || skip "$1 $id, created at $created_at: not in the report" || return 1
    [ "$state,${seen%,*}" != active,inactive ] ||
      skip "$1 $id is active: inactive in the report" || return 1
    known_use "$use" "${seen#*,}" || skip "$1 $id was used at $use: not in the report" || return 1
  done <<EOF
$2
EOF
  for one in $left; do
    case $times in *" ${one%%,*} "*)
      skip "one $1 created at ${one%%,*} is gone, and which one is not known" || return 1 ;;
    esac
  done
}

check_keys_and_certificates() {
  list_items list-access-keys AccessKeyMetadata AccessKeyId CreateDate || return 1
  access_keys=$items
  live=$(comparable use) || fail get-access-key-last-used || return 1
  compare 'access key' "$(say "$live" | sort)" "$keys" &&
    list_items list-signing-certificates Certificates CertificateId UploadDate || return 1
  signing_certificates=$items
  compare 'signing certificate' "$(comparable | sort)" "$certificates"
}

# check_new KIND: was one of the items created after the report? No report shows SSH keys and
# service-specific credentials: while one is active, a user may be deactivated, not deleted.
check_new() {
  while IFS=$tab read -r status created_at value _; do
    [ -n "$value" ] || continue
    not_after "$created_at" "$baseline" ||
      skip "$1 $value was created at $created_at: after the report" || return 1
    case $decision:$1:$status in
      deactivate:* | *:'MFA device':* | *:Inactive | *:Expired) ;;
      *) skip "$1 $value is active: deactivate first, or decide with AWS's list" || return 1 ;;
    esac
  done <<EOF
$items
EOF
}

check_other_credentials() {
  list_items list-ssh-public-keys SSHPublicKeys SSHPublicKeyId UploadDate &&
    ssh_keys=$items && check_new 'SSH public key' &&
    list_items list-service-specific-credentials \
      ServiceSpecificCredentials ServiceSpecificCredentialId CreateDate &&
    services=$items && check_new 'service-specific credential' &&
    list_items list-mfa-devices MFADevices SerialNumber EnableDate &&
    mfa_devices=$items && check_new 'MFA device' || return 1
  [ "$mfa" = yes ] || [ -z "$items" ] || skip 'an MFA device is registered: not in the report'
}

list_permissions() {
  list_items list-groups-for-user Groups GroupName && groups=$items &&
    list_items list-attached-user-policies AttachedPolicies PolicyArn && policies=$items &&
    list_items list-user-policies PolicyNames && inline_policies=$items || return 1
  list=''
  while IFS=$tab read -r _ _ name _; do
    [ -n "$name" ] || continue
    json=$(iam get-user-policy --user-name="$user" --policy-name="$name" \
      --query='to_string(@)') && [ -n "$json" ] || fail get-user-policy || return 1
    list="$list${list:+, }$json"
  done <<EOF
$inline_policies
EOF
  backup="$backup, \"get-user-policy\": [$list]"
}

not_the_caller() { [ "$caller" != "$arn" ] || skip 'this script is run by this very user'; }

# Is the user what the reviewer saw, with no more access and no later use?
check() {
  backup=''
  not_the_caller && check_user && check_password && check_keys_and_certificates &&
    check_other_credentials && list_permissions
}
"""
"""Functions from `check_gone` to `check`, which calls the others in order."""
