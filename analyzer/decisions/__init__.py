"""Carry out what people decided on users: the shell script that deactivates or deletes them.

A wrong deletion is the worst that this product can do. So the script is a text that a person reads
first; it compares each user with AWS before it changes anything, saves what it takes away, and
leaves every user alone that differs from what the reviewer saw.
"""
