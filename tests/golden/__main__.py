"""Make anew the files that hold what the program makes.

python -m tests.golden
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.golden import FILES

if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        for path, content in FILES.items():
            path.write_text(content(Path(folder)), encoding="utf-8")
