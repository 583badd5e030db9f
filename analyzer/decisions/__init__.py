"""Keep the decisions of an access review, follow them up, and plan what a script carries out.

- Decisions: `decision` has a person's word on one user, `ledger` the set of all, `ledger_file` its
  file, locked, and `standing` what people's last words on a user come to.
- Lists to decide in: `review_list_layout` names their sheets and columns, `record` is what each row
  carries of its report and of what it showed.
- Collecting: `entries` checks what people entered, `collect` adds it to a ledger.
- Follow-up: `reported_accounts` finds what reports show of users, by their `credentials`; `fate`
  says what became of each removal, `follow_up` makes a table of it.
- `plan` chooses the users to deactivate or delete, and writes the script, `removal.sh`.
"""
