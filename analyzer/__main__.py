"""Run the program as `python -m analyzer`."""

import sys

try:
    from analyzer.cli import run
except ModuleNotFoundError as error:  # also if the program itself is not installed
    print(f"credreport: {error.name} is not installed. Type: pip install .", file=sys.stderr)  # noqa: T201  `say` is not installed either
    sys.exit(2)

if __name__ == "__main__":
    run()
