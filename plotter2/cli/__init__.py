"""The command line: a user of the client library, with no door of its own. docs/reference/cli.md is its contract.

`main` ends the process; `verbs` gives each command its common options and session; `system`, `data` and `work` hold the
commands; `shapes` the JSON they print; `output` tables and bars; `values` what `--set` means.
"""
