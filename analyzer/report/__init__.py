"""Understand credential reports: bytes become text, text becomes rows, rows become tidy pages.

The steps, in order: `input_formats` unpacks, `report_text` finds the header, `rows` reads the CSV
and sees damage, `survey` goes through each report once, refuses or dates it,
`selection` chooses among reports, `pages` makes frames of the rows, a page of users at a time, and
`assemble` makes of all this the Report. Beyond `pages` no code meets AWS's words, such as `N/A`,
but in raw cells.

Everything above may import this package; it imports `files` and what lies below it. It
opens no file but those that `sources` hands to it. A report that is not understood raises
InputRefused with every problem at once; a cell that is not understood is kept, listed in
`Page.unread`, and never read as "no".
"""
