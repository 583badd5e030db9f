"""Keep the decisions of an access review, follow them up, and plan what a script carries out.

`standing` has a decision and which of them stand, `ledger` their file; `record` what each row of a
list carries of its report; `collect` checks what people entered and adds it to a ledger;
`user_state` compares what a reviewer saw with a later report; `follow_up` says what became of each
decision; `plan` chooses the users that `removal_script` deactivates or deletes.
"""
