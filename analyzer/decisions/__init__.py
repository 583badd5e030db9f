"""Keep the decisions of an access review, follow them up, and plan what a script carries out.

- Decisions: `decision` has a person's word on one user, `standing` what stands on a user, `ledger`
  the lines of all, `ledger_file` their file, locked.
- Lists to decide in: `review_list_layout` names their sheets and columns, `user_record` is what
  each row carries of its report.
- Collecting: `entries` checks what people entered, `collect` adds it to a ledger.
- Follow-up: `fate` says what the reports show of each removal, by the `credentials` of its user;
  `follow_up` makes a table of it.
- `plan` chooses the users to deactivate or delete, and writes the script, `removal.sh`.
"""
