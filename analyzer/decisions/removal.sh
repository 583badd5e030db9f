# Deactivate or delete IAM users, as decided in an access review.
# Written by credreport, which itself changes nothing in AWS. Read this script before you run it.
#
#   sh FILE                       shows what would be done; changes nothing and writes no file
#   APPLY=111122223333 sh FILE    does it in this account, and writes
#                                   credreport-removals.csv (REMOVAL_LOG=PATH: another log),
#                                   credreport-removals.csv.backup/: each user as it was before,
#                                   undo-credreport-removals.sh: says what cannot be restored of
#                                   each user, before it is changed, and restores the rest
#
# Run it with the AWS CLI signed in to the account of the users; with several accounts, once for
# each. The ledgers and exemptions named below must be in the folder of this script, or together in
# another (LEDGER_FOLDER=PATH); a copy lacks what is decided later. Running it again is safe: what is done is not done twice. To
# keep a user, delete its line below, or tag the user in AWS with credreport:keep.
#
# deactivate   makes access keys, signing certificates and service-specific credentials inactive,
#              which can be undone, and deletes the password, which cannot be restored: only a new
#              one can be set. Sessions that are open end by themselves, within hours.
# delete       takes groups and policies from the user, which can be undone as long as it is there,
#              then deletes its credentials and in the end itself, which cannot. It skips a user
#              with anything active (also SSH keys and service-specific credentials of CodeCommit
#              and Bedrock), and one with a password that was ever used: deactivate it first.
#
# Both skip a user that shows more access or use in AWS than the reviewer saw, one with an active SSH
# key or service-specific credential that no report and no list named, and one whose creation second
# now holds other users: perhaps the user was renamed, and another has its name. They look again
# before each change, and go no further if it shows more by then; what happens in the few seconds
# between that look and the change, they cannot see. If an existing password was changed since, only
# a newer report shows it: plan from the newest. In a line below:
#   baseline      what was created later was not in the report
#   confirmed     the newest report in which the user was the same
#   expires       the end of day 60 after the report decided on: nothing is done later
#   password      the latest creation time that it may have; signed-in: the last sign-in
#   key           creation, state, and the latest last-used time accepted: the report's plus 15
#                 minutes (-: never); certificate: the same without use
#   mfa           an MFA device was registered
#   service       a service of which AWS's list showed an active service-specific credential
#   beside        another user that was created in the same second; leaving: one that is to be
#                 deleted too, and may be gone. All else was not in the report.
#
# After an error of one user the script goes on with the next; it ends if a change is denied or the
# credentials are no longer valid. Exit code: 0 all users are done, 1 a user was skipped or failed
# or the script ended early, 2 nothing was done.

set -uf
umask 077
export LC_ALL=C AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off AWS_CLI_ERROR_FORMAT=legacy

apply=${APPLY:-}
log=${REMOVAL_LOG:-credreport-removals.csv}
case $log in /*) ;; *) log=./$log ;; esac
undo=$(dirname "$log")/undo-$(basename "$log" .csv).sh
undo_title='# Written by credreport: restores what its removal script changed, as far as it can.'
undo_functions='# Delete the lines of what is to stay as it is, then run this file (sh FILE)
# with the AWS CLI signed in to the account of the users. Lines of other accounts do nothing, nor do
# those of a user who was deleted. For groups and policies it needs iam:AddUserToGroup,
# iam:AttachUserPolicy and iam:PutUserPolicy. Exit code: 1 if something could not be restored.
account=$(aws sts get-caller-identity --query=Account --output=text | tr -d "\r")
[ -n "$account" ] || exit 2
code=0
trap "exit \$code" EXIT

# restore ACCOUNT USER-ID COMMAND --user-name=USER ARGUMENT...: one call, about this very user.
restore() {
  [ "$account" = "$1" ] || return 0
  id=$(aws iam get-user "$4" --query=User.UserId --output=text | tr -d "\r")
  [ "$id" != "$2" ] || { shift 2; ! aws iam "$@"; } || return 0
  printf "%s\n" "Not restored: $*" >&2
  code=1
}
'
tab=$(printf '\t')
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
run=$(printf '%s' "$now" | tr -d ':-')-$$
users='' stopped='' ledgers='' would='would be ' code=2
lines=0 number=0 n_done=0 n_gone=0 n_skipped=0 n_failed=0

say() { printf '%s\n' "$*"; }

summary() {
  say ''
  say "${would}done $n_done, gone before $n_gone, skipped $n_skipped, failed $n_failed"
}

# stop REASON: end with 2, or with 1 if a user was begun.
stop() {
  again='Run this script again: it goes on where it stopped.'
  if [ "$code" = 2 ]; then say "Nothing done: $*"; else summary; say "Stopped: $*. $again"; fi >&2
  exit "$code"
}

one_line() { tr '[:cntrl:]' ' '; }

# Is the last error of the AWS CLI, version 1 or 2, one of these: CODE|CODE...?
error_is() { grep -Eq "^(aws: \[ERROR\]: )?An error occurred \(($1)\) when calling" "$errors"; }

# Print the last error of the AWS CLI, and what to do about it if that is known.
problem() {
  one_line <"$errors" | sed 's/^ *//; s/ *$//'
  ! error_is EntityTemporarilyUnmodifiable ||
    printf '%s' ' (changed a moment ago: run this script again in some minutes)'
}

# ask SERVICE COMMAND ARGUMENT...: one call; of the lines of the AWS CLI for Windows without the CR.
ask() {
  answer=$(aws "$@" --output=text </dev/null 2>"$errors") || return 1
  say "$answer" | tr -d '\r'
}

# iam COMMAND ARGUMENT...: one call. Without a user name some of them would act on the caller, so
# an empty value is refused.
iam() {
  for argument in "$@"; do
    [ -n "${argument#--*=}" ] || { say "empty value: $argument" >"$errors"; return 1; }
  done
  ask iam "$@"
}

# identify: set caller, and owner to the partition and account that the credentials belong to.
identify() {
  identity=$(ask sts get-caller-identity --query='[Account, Arn]') || return 1
  caller=${identity#*"$tab"}
  owner=${caller#arn:}
  owner=${owner%%:*}:${identity%%"$tab"*}
}

# Are the credentials valid, and still of the same account? Otherwise the script ends.
same_account() {
  if ! identify; then
    stopped="the credentials are no longer valid: $(problem)"
  elif [ "$owner" != "$partition:$account" ]; then
    stopped="the credentials are of $owner now, not of $partition:$account"
  else
    return 0
  fi
  result=failed reason=$stopped
  return 1
}

# These two end with an error, so that `|| skip ... || return` leaves a function.
skip() {
  result=skipped reason=$1
  return 1
}

fail() {
  result=failed reason="$1: $(problem)"
  same_account || reason="$1: $stopped"
  return 1
}

# moment TIME: set utc to a time in one form, and digits to it as a number; fail for other forms.
moment() {
  utc=$1 digits=0
  case $1 in *Z) plain=${1%Z} ;; *+00:00) plain=${1%+00:00} ;; *) return 1 ;; esac
  plain=${plain%%.*}
  case $plain in
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]) ;;
    *) return 1 ;;
  esac
  IFS=-T: read -r year month day hour minute second <<EOF
$plain
EOF
  utc=${plain}Z digits=$year$month$day$hour$minute$second
}

# Compared as text: the numbers are too large for some shells, such as mksh.
not_after() {
  moment "$1" && first=$digits && moment "$2" && expr "x$first" '<=' "x$digits" >/dev/null
}
known_use() { [ "$1" = - ] || not_after "$1" "$2"; }

# cells TEXT...: print each as a cell of the log after a comma: quoted, on one line, no formula.
cells() {
  for text in "$@"; do
    case $text in
      *[!A-Za-z0-9:/._,\ -]*) text=$(printf '%s' "$text" | one_line | sed 's/"/""/g') ;;
    esac
    case $text in [=+@-]*) text="'$text" ;; esac
    printf ',"%s"' "$text"
  done
}

# record STEP RESULT DETAIL: add a line to the log. Without a log nothing more is done.
record() {
  [ -n "$apply" ] || return 0
  row=$(cells "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$run" "$account" "$caller" "$script" "$ledgers")
  say "${row#,}$user_cells$(cells "$@")" >>"$log" || stop "cannot write to the log $log"
}

# Does the log say this of the user, an earlier one of the same name excluded: STEP RESULT [DETAIL]?
is_logged() { grep -qsF -e "$(cells "$arn" "$created" "$@")" "$log"; }

# skip, if AWS contradicts itself or answers only in part: it may be late.
unclear() { skip "$1: unclear, run this script again in some minutes"; }

is_listed() { say "$users" | cut -f 2- | grep -qxF -e "$user"; }

# A user is gone if this script deleted it; or if its name is not listed any more, and no other user
# has its creation time: such a one may be the same user, renamed.
check_gone() {
  same_account || return 1
  result=gone reason='the user does not exist any more'
  ! is_logged delete-user ok || return 1
  # A list with this name is older than the end of the user, or AWS is late with it.
  if [ -z "$users" ] || is_listed; then
    list_users || return 1
  fi
  ! is_listed || unclear 'get-user does not find the user, and list-users shows it' || return 1
  names=$(names_of_second | one_line)
  [ -z "$names" ] || skip "possibly renamed to ${names% }: created at the same time"
  return 1
}

# An answer without any user is none: it shows nothing of who was renamed.
list_users() {
  users=$(iam list-users --query='Users[].[CreateDate, UserName]') || fail list-users || return 1
  case $users in *"$tab"*) ;; *) users='' && unclear 'list-users shows no user' ;; esac
}

# The names of all users that were created in the second of this one, a line each.
names_of_second() { say "$users" | sed -n "s/^${created%Z}[^$tab]*$tab//p"; }

# Does the second in which the user was created hold the names that were seen, and no other? A user
# keeps its creation time when it is renamed. Who is to be deleted too may be gone.
check_second() {
  [ -n "$users" ] || list_users || return 1
  names=" $(names_of_second | one_line) "
  case $names in *" $user "*) ;; *)
    unclear 'get-user finds the user, and list-users does not show it' || return 1 ;;
  esac
  for name in $names; do
    case " $user $beside $leaving " in *" $name "*) ;; *)
      skip "user $name was created in the same second: not in the report" || return 1 ;;
    esac
  done
  for name in $beside; do
    case $names$leaving in *" $name "*) ;; *)
      skip "user $name, created in the same second, is gone: perhaps this is that user" ||
        return 1 ;;
    esac
  done
}

check_user() {
  if ! live=$(iam get-user --user-name="$user" --query="User.[CreateDate,
    not_null(PasswordLastUsed, '-'), Arn, UserId, to_string(Tags[].Key), to_string(@)]"); then
    if error_is NoSuchEntity; then check_gone; else fail get-user; fi
    return 1
  fi
  IFS=$tab read -r created_at use live_arn live_id tags user_json <<EOF
$live
EOF
  [ -n "$user_json" ] || unclear 'get-user gave a part of the answer' || return 1
  [ "$live_arn" = "$arn" ] ||
    { same_account && skip "another user of this name: $live_arn"; } || return 1
  moment "$created_at"
  [ "$utc" = "$created" ] || skip "another user of this name, created at $utc" || return 1
  [ "${user_id:=$live_id}" = "$live_id" ] || skip "another user has this name by now" || return 1
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
  not_after "$created_at" "$password" ||
    skip "a password was set at $created_at: not in the report" || return 1
  [ -z "$if_active" ] || [ "$decision:$use" = delete:- ] ||
    skip "it has a password, last used at $use: $if_active"
}

# list_items COMMAND LIST [VALUE [TIME KIND]]: set items to what AWS lists of the user, a line each:
# status (or -), creation time (or -), value, JSON, with tabs between them; and save the JSON. What
# has a kind is a credential, and kept as such too.
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
  credentials="$credentials${5:+$(say "$items" | sed -n "s/./$5$tab&/p")
}"
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
    case $use in '' | *[!0-9A-Za-z:.+-]*) say "unexpected answer: $use" >"$errors"; return 1 ;; esac
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

# Access keys come last: the less time passes until the change.
list_credentials() {
  credentials=''
  list_items list-ssh-public-keys SSHPublicKeys SSHPublicKeyId UploadDate 'SSH public key' &&
    ssh_keys=$items &&
    list_items list-service-specific-credentials ServiceSpecificCredentials \
      ServiceSpecificCredentialId CreateDate 'service-specific credential' && services=$items &&
    list_items list-mfa-devices MFADevices SerialNumber EnableDate 'MFA device' &&
    mfa_devices=$items &&
    list_items list-signing-certificates Certificates CertificateId UploadDate \
      'signing certificate' && signing_certificates=$items &&
    list_items list-access-keys AccessKeyMetadata AccessKeyId CreateDate 'access key' &&
    access_keys=$items
}

compare_with_report() {
  items=$access_keys
  live=$(comparable use) || fail get-access-key-last-used || return 1
  compare 'access key' "$(say "$live" | sort)" "$keys" || return 1
  items=$signing_certificates
  compare 'signing certificate' "$(comparable | sort)" "$certificates"
}

# Is this a service-specific credential of a service that AWS's list named?
is_named() {
  for service in $services_seen; do
    case $(say "$1" | tr -d ' ') in *"\"ServiceName\":\"$service\""*) return 0 ;; esac
  done
  return 1
}

# Was a credential created after the report? Is one active that must not be, or that nothing named?
check_credentials() {
  while IFS=$tab read -r kind status created_at value json; do
    [ -n "$value" ] || continue
    not_after "$created_at" "$baseline" ||
      skip "$kind $value was created at $created_at: after the report" || return 1
    case $kind:$status in
      *:Inactive) ;;
      'SSH public key':*) skip "$kind $value is active: no report shows it" || return 1 ;;
      'service-specific credential:Active') is_named "$json" ||
        skip "$kind $value is active: no report and no list named it" || return 1 ;;
    esac
    case ${if_active:+$kind:$status} in
      '' | 'MFA device':* | *:Inactive | 'service-specific credential:Expired') ;;
      *) skip "$kind $value is active: $if_active" || return 1 ;;
    esac
  done <<EOF
$credentials
EOF
  [ "$mfa" = yes ] || [ -z "$mfa_devices" ] ||
    skip 'an MFA device is registered: not in the report'
}

list_permissions() {
  list_items list-groups-for-user Groups GroupName && groups=$items &&
    list_items list-attached-user-policies AttachedPolicies PolicyArn && policies=$items &&
    list_items list-user-policies PolicyNames && inline_policies=$items || return 1
  list='' documents=''
  while IFS=$tab read -r _ _ name _; do
    [ -n "$name" ] || continue
    live=$(iam get-user-policy --user-name="$user" --policy-name="$name" \
      --query='[to_string(PolicyDocument), to_string(@)]') && json=${live#*"$tab"} &&
      [ "$json" != "$live" ] || fail get-user-policy || return 1
    list="$list${list:+, }$json"
    documents="$documents-$tab-$tab$name$tab${live%%"$tab"*}
"
  done <<EOF
$inline_policies
EOF
  backup="$backup, \"get-user-policy\": [$list]"
}

not_the_caller() { [ "$caller" != "$arn" ] || skip 'this script is run by this very user'; }

# Is the user what the reviewer saw, with no more access and no later use? While its keys are
# deleted, nothing is compared again: which ones of one second are left is not known. All were
# compared, and must be inactive.
check_access() {
  backup=''
  check_user && check_password && list_credentials || return 1
  case $decision:$changes in
    delete:[1-9]*) ;;
    *) compare_with_report || return 1 ;;
  esac
  check_credentials
}

check() { not_the_caller && check_access && check_second && list_permissions; }

# Before the first change of a user: is it still this account, were all answers about this user, and
# is the user saved, and is it said what cannot be restored?
save() {
  [ -n "$apply" ] || return 0
  same_account && not_the_caller && check_user || return 1
  file=$log.backup/$run-$number-$(printf '%s' "$user" | tr -c 'A-Za-z0-9+=,.@_-' _).json
  result=failed reason="cannot write the backup $file"
  (set -C && say "{\"get-user\": $user_json$backup}" >"$file") 2>/dev/null || return 1
  result='done' reason=''
  record backup ok "$file"
  write_losses
}

# change STEP DETAIL ARGUMENT...: look at the user once more and make one changing call, with a line
# in the log before and after it; in the preview, show it.
change() {
  [ -z "$apply" ] || check_access || return 1
  step=$1 detail=$2 changes=$((changes + 1))
  shift 2
  [ -n "$apply" ] || { say "  would $step $detail"; return; }
  record "$step" begin "$detail"
  if iam "$step" "$@" >/dev/null; then
    :
  elif error_is NoSuchEntity; then
    case $step in
      delete-user) check_user && unclear 'delete-user does not find the user, and get-user does' ;;
      *) check_user ;;
    esac || { record "$step" failed "$reason"; return 1; }
    detail="$detail: does not exist any more"
  else
    denied=$(! error_is 'AccessDenied|AccessDeniedException' || say yes)
    fail "$step $detail"
    [ -z "$denied" ] || stopped=$reason
    record "$step" failed "$reason"
    return 1
  fi
  say "  $step $detail"
  record "$step" ok "$detail"
}

quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\"'\"'/g")"; }

write_undo() {
  [ -s "$undo" ] || say "$undo_title
$undo_functions" >>"$undo"
  say "$*" >>"$undo" || stop "cannot write to $undo"
}

# Before the first change of a user: say in the undo file what that cannot restore.
write_losses() {
  lost=$(
    [ "$has_password" = no ] || say '#   the password'
    [ "$decision" = delete ] || exit 0
    say "$credentials" | cut -f 1,4 | tr "$tab" ' ' | sed -n 's/./#   &/p'
    say '#   the user itself'
  )
  [ -z "$lost" ] || write_undo "# $decision $arn: what cannot be restored once it is deleted:
$lost"
}

# keep_undo COMMAND ARGUMENT...: write down how to restore it, before it is changed.
keep_undo() {
  [ -n "$apply" ] || return 0
  line="restore $account $user_id $1 $(quoted "--user-name=$user")"
  shift
  for argument in "$@"; do line="$line $(quoted "$argument")"; done
  write_undo "$line # $arn"
}

# change_each STEP OPTION ITEMS: one step for each item; none for what is inactive already.
change_each() {
  while IFS=$tab read -r item_status _ item document; do
    case $1:$item_status in
      *: | update-*:Inactive | update-service-specific-credential:Expired) continue ;;
    esac
    case $1 in
      update-*) keep_undo "$1" "--$2=$item" --status=Active ;;
      delete-user-policy) keep_undo put-user-policy "--$2=$item" "--policy-document=$document" ;;
      detach-user-policy) keep_undo attach-user-policy "--$2=$item" ;;
      remove-user-from-group) keep_undo add-user-to-group "--$2=$item" ;;
    esac
    change "$1" "$item" --user-name="$user" "--$2=$item" ${4:+"$4"} || return 1
    # A virtual MFA device would stay behind, and its name could not be used again.
    case $1:$item in deactivate-mfa-device:arn:*:mfa/*)
      change delete-virtual-mfa-device "$item" "--serial-number=$item" || return 1 ;;
    esac
  done <<EOF
$3
EOF
}

delete_password() {
  [ "$has_password" = no ] ||
    change delete-login-profile '(the password; it cannot be restored)' --user-name="$user"
}

# A run that was stopped may have deactivated a virtual MFA device and not deleted it. AWS does not
# say whose it was, and its name proves nothing. The log does: this script began to deactivate it
# for this user, created at this time. And AWS must say that no user has the device now.
delete_left_devices() {
  is_logged deactivate-mfa-device begin || return 0
  items=$(iam list-virtual-mfa-devices --assignment-status=Unassigned \
    --query='VirtualMFADevices[].[SerialNumber]') || fail list-virtual-mfa-devices || return 1
  while read -r value; do
    ! is_logged deactivate-mfa-device begin "$value" ||
      change delete-virtual-mfa-device "$value" "--serial-number=$value" || return 1
  done <<EOF
$items
EOF
}

# In the end once more, after changes: is all inactive, and nothing new?
deactivate_user() {
  off=--status=Inactive
  change_each update-access-key access-key-id "$access_keys" $off &&
    change_each update-signing-certificate certificate-id "$signing_certificates" $off &&
    change_each update-service-specific-credential service-specific-credential-id \
      "$services" $off && delete_password || return 1
  if_active='run this script again in some minutes'
  case $apply:$changes in ?*:[1-9]*) check_access ;; esac
}

# What can be undone first; delete-user is refused while anything is attached.
delete_user() {
  change_each delete-user-policy policy-name "$documents" &&
    change_each detach-user-policy policy-arn "$policies" &&
    change_each remove-user-from-group group-name "$groups" &&
    delete_password &&
    change_each delete-access-key access-key-id "$access_keys" &&
    change_each delete-signing-certificate certificate-id "$signing_certificates" &&
    change_each delete-ssh-public-key ssh-public-key-id "$ssh_keys" &&
    change_each delete-service-specific-credential service-specific-credential-id "$services" &&
    change_each deactivate-mfa-device serial-number "$mfa_devices" && delete_left_devices &&
    change delete-user "$user" --user-name="$user"
}

# Is this line complete, and the plan neither of the future nor too old?
check_line() {
  case $decision:$arn in
    delete:arn:*:iam::*:user/?* | deactivate:arn:*:iam::*:user/?*) ;;
    *) stop "this line was changed: remove $decision $arn" ;;
  esac
  for word in "$created" "$baseline" "$confirmed" "$expires"; do
    moment "$word" || stop "this line was changed: $arn: not a time: $word"
  done
  again='Decide and plan again, from a newer report'
  not_after "$confirmed" "$now" ||
    stop "$arn was confirmed at $confirmed, but it is $now now. Correct the clock, or plan again"
  not_after "$now" "$expires" ||
    stop "$arn was decided on a report of too long ago: it could be carried out until $expires. $again"
}

# Was each line of the plan understood? What a shell does not know it passes over.
check_plan() {
  written=$(sed -n '/^plan() {$/,/^}$/p' "$0" | grep -cv -e '^#' -e '^plan() {$' -e '^[}:]*$')
  [ "$written" = "$lines" ] ||
    stop 'a line of the plan was changed and is not understood. To keep a user, delete its line'
}

# remove DECISION ARN WORD=VALUE...: one user. `plan` is called twice: to check all lines, then to
# carry them out. Users of other accounts are left out.
remove() {
  decision=$1 arn=$2 user=${2##*/}
  shift 2
  created='' baseline='' confirmed='' expires='' password=none signed_in=never mfa=no
  keys='' certificates='' services_seen='' beside=' ' leaving=' '
  decided_by='' decided_on='' ticket=''
  for word in "$@"; do
    value=${word#*=}
    case $word in
      created=*) created=$value ;; baseline=*) baseline=$value ;;
      confirmed=*) confirmed=$value ;; expires=*) expires=$value ;;
      password=*) password=$value ;; signed-in=*) signed_in=$value ;; mfa=*) mfa=$value ;;
      key=*) keys="$keys $value" ;; certificate=*) certificates="$certificates $value" ;;
      service=*) services_seen="$services_seen $value" ;;
      beside=*) beside="$beside$value " ;; leaving=*) leaving="$leaving$value " ;;
      by=*) decided_by=$value ;; on=*) decided_on=$value ;; ticket=*) ticket=$value ;;
      *) stop "this line was changed: $arn: $word" ;;
    esac
  done
  case $phase:$arn in
    check:*) check_line && lines=$((lines + 1)) ;;
    run:arn:"$partition":iam::"$account":*) remove_user ;;
  esac
}

remove_user() {
  result='done' reason='' user_id='' changes=0 number=$((number + 1)) code=1 if_active=''
  [ "$decision" = deactivate ] || if_active='deactivate it first, and plan from a newer report'
  user_cells=$(cells "$decision" "$decided_by" "$decided_on" "$ticket" "$user" "$arn" "$created")
  say ''
  say "$decision $arn (decided by $decided_by on $decided_on${ticket:+, ticket $ticket})"
  record start ok ''
  if check && save; then
    if [ "$decision" = delete ]; then delete_user; else deactivate_user; fi
  fi
  case $apply:$result:$changes in
    *:done:0) reason='nothing left to do' ;;
    ?*:skipped:[1-9]*) result=failed ;;
  esac
  record end "$result" "$reason"
  case $result in
    done) n_done=$((n_done + 1)) result=${would}done ;;
    gone) n_gone=$((n_gone + 1)) ;;
    skipped) n_skipped=$((n_skipped + 1)) ;;
    failed) n_failed=$((n_failed + 1)) ;;
  esac
  say "  $result${reason:+: $reason}"
  [ -z "$stopped" ] || stop "$stopped"
}

sha256() { $hash_program <"$1" | cut -c 1-64; }

# check_title FILE LINE: a file that is there must begin with this line.
check_title() {
  [ ! -s "$1" ] || [ "$(head -n 1 "$1" 2>/dev/null)" = "$2" ] ||
    stop "$1 was not written by this version of the script. Name another log: REMOVAL_LOG=PATH"
}

# What must be right before any call.
prepare() {
  [ -f "$0" ] || stop 'run this script as a file: sh FILE'
  command -v aws >/dev/null || stop 'the AWS CLI (aws) is not installed'
  for hash_program in sha256sum 'shasum -a 256' 'openssl dgst -sha256 -r' ''; do
    ! command -v "${hash_program%% *}" >/dev/null || break
  done
  [ -n "$hash_program" ] || stop 'none of sha256sum, shasum and openssl is installed'
  check_title "$log" "$log_columns"
  check_title "$undo" "$undo_title"
  script=$(sha256 "$0")
}

# ledger NAME SHA256: it, or a list of exemptions, must be there, and be the one that this script was planned from.
ledger() {
  file=${LEDGER_FOLDER:-$(dirname "$0")}/$1
  [ -f "$file" ] || stop "$file is missing. If it is elsewhere: LEDGER_FOLDER=PATH"
  [ "$(sha256 "$file")" = "$2" ] ||
    stop "$file is not the one that this script was planned from. Plan again"
  ledgers=$ledgers${ledgers:+ }$2
}

# Close the line of the log that a killed run left half written, and drop such a line of the undo
# file: its change was not made.
open_files() {
  if [ ! -s "$log" ]; then
    say "$log_columns" >>"$log"
  elif [ -n "$(tail -c 1 "$log")" ]; then
    quotes=$(tail -n 1 "$log" | tr -dc '"')
    [ $((${#quotes} % 2)) -eq 0 ] || printf '"' >>"$log"
    say '' >>"$log"
  fi || stop "cannot write to the log $log"
  mkdir -p "$log.backup" || stop "cannot write to $log.backup"
  [ ! -s "$undo" ] || [ -z "$(tail -c 1 "$undo")" ] ||
    { sed '$d' "$undo" >"$undo.new" && mv "$undo.new" "$undo"; } || stop "cannot write to $undo"
}

# sign_in PARTITION:ACCOUNT...: the credentials must belong to one of these accounts.
sign_in() {
  errors=$(mktemp) || stop 'no temporary file could be created'
  trap 'rm -f "$errors"' EXIT
  trap 'stop interrupted' HUP INT TERM
  identify || stop "$(problem)"
  partition=${owner%%:*} account=${owner#*:}
  [ "${apply:-$account}" = "$account" ] ||
    stop "APPLY=$apply, but the credentials are of account $account: APPLY=$account applies"
  case " $* " in *" $owner "*) ;; *) stop "signed in to $owner; this script is for $*" ;; esac
  see="Account $owner. Preview: nothing is changed; APPLY=$account makes the changes."
  [ -n "$apply" ] || { say "$see"; return; }
  open_files
  would=''
  say "Account $owner. Log: $log"
}

finish() {
  summary
  [ $((n_skipped + n_failed)) -eq 0 ] || exit 1
  exit 0
}

