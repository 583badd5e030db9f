"""Read the inputs of the analysis: files, folders, archives and standard input.

`load` makes a Report of the inputs that `find` lists on disk and in `archives`, or of reports in
memory; `files_beside` and `fetch_manifest` read the files beside the reports.

The command line, `runs` and `aws` may import this package. Functions that read raise
InputRefused with every problem.
"""
