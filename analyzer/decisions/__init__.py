"""Keep the decisions of an access review, follow them up, and plan what a script carries out.

`decision` has the decisions on each user and which is in force, `ledger` the lines of all, and
`ledger_file` their file, locked; `user_record` is what each row of a list carries of its report;
`collect` checks what people entered and adds it to a ledger; `credentials` compares what a reviewer
saw with a later report; `follow_up` says what became of each decision; `plan` chooses the users to
deactivate or delete, and writes the script.
"""
