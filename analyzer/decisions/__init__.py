"""Keep the decisions of an access review, follow them up, and plan what a script carries out.

- Decisions: `decision` has a person's word on one user, `standing` what stands on a user, `ledger`
  the lines of all, `ledger_file` their file, locked.
- Lists to decide in: `review_list_layout` names their sheets and columns, `record` is what each row
  carries of its report and of what it showed.
- Collecting: `entries` checks what people entered, `collect` adds it to a ledger.
- Follow-up: `facts` finds what reports show of users, by their `credentials`; `fate` says what
  became of each removal, `follow_up` makes a table of it.
- `plan` chooses the users to deactivate or delete, and writes the script, `removal.sh`.
"""
