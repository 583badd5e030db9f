"""Keep the decisions of an access review, follow them up, and plan what a script carries out.

- Decisions: `decision` has those on each user and which is in force, `ledger` the lines of all,
  `ledger_file` their file, locked.
- Lists to decide in: `review_list_layout` names their sheets and columns, `user_record` is what
  each row carries of its report.
- Collecting: `entries` checks what people entered, `collect` adds it to a ledger, `new_decisions`
  finds what is new, `collect_messages` says what is refused and what does not count.
- Follow-up: `outcome` says what became of each decision, from the users that `reported_users` finds
  in later reports and what `credentials` compares; `renaming` says who may be one of them under
  another name; `follow_up` makes a table of it.
- `plan` chooses the users to deactivate or delete, and writes the script, `removal.sh`.
"""
