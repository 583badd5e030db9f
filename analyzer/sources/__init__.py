"""Bring in what the analysis works on: files, folders, archives and standard input.

`load` returns a Report of whatever `find` lists on disk and in `archives`, or Python holds in
memory; `files_beside` and `fetch_manifest` read what lies beside the reports.

The command line, `runs` and `aws` may import this package. Functions that read raise
InputRefused with every problem.
"""
