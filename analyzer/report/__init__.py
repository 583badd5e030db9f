"""Understand credential reports: bytes become text, text becomes rows, rows become tidy pages.

The steps, in order: `input_formats` unpacks, `report_text` finds the header, `rows` reads the CSV
and finds damage, `survey` goes through each report once and refuses or dates it, `selection`
chooses among reports, `pages` turns the rows into frames, a page of users at a time, and `assemble`
makes the Report. After `pages`, AWS's words such as `N/A` occur only in raw cells.

Everything above may import this package; it imports `files` and the modules below it. It
opens only files that `sources` hands to it. A report that is not understood raises
InputRefused with every problem at once; a cell that is not understood is kept, listed in
`Users.unread`, and never read as "no".
"""
