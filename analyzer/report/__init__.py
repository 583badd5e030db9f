"""Understand credential reports: bytes become text, text becomes rows, rows become tidy pages.

The steps, in order: `input_formats` unpacks, `raw_report` finds the header, `rows` reads the CSV,
`damage` recognizes damaged files, `survey` goes through each report once and dates it,
`selection` chooses among reports, `tidy` makes the pages and `assemble` the Report. After `tidy`
no code meets AWS's words, such as `N/A`, but in raw cells.

Everything above may import this package; it imports `files` and what lies below it. It
opens no file but those that `sources` hands to it. A report that is not understood raises
InputRefused with every problem at once; a cell that is not understood is kept, listed in
`Page.unread`, and never read as "no".
"""
