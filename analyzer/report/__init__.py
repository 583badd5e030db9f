"""Understand credential reports: bytes become text, text becomes rows, rows become typed columns.

The steps, in order: `input_formats` unpacks, `report_text` finds header and as-of, `table` reads
the CSV in slices and finds damage, `users` types each slice, `read_reports` says what each report
is, and `reports` chooses the rows that count. After `users`, AWS's words such as `N/A` occur only
in raw cells.

Everything above may import this package; it imports `files` and the modules below it. It
opens no file. A report that is not understood raises InputRefused with every problem at once; a
cell that is not understood is kept, is not among `Users.known`, and never read as "no".
"""
