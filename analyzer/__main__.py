"""Run the program as `python -m analyzer`."""

from analyzer.cli import run

if __name__ == "__main__":
    run()
