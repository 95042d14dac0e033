"""Run a command with an empty PostgreSQL of its own: `with_postgres.py COMMAND…`.

The command finds the server in PIONEER_DATABASE_URL; server and data are gone when it has ended.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.core.db import start_embedded


def main(command: list[str]) -> int:
    """Answers the command's exit code."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    # Directly under the system's temporary directory, which the server's own user can reach.
    directory = tempfile.mkdtemp(prefix="pioneer-")
    # Registered before the server is started, so that it runs after the server has stopped.
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    url = start_embedded(Path(directory))
    settings = {"PIONEER_DATABASE_URL": url, "PIONEER_DATA_DIR": directory, "PIONEER_DEMO": "1"}
    return subprocess.run(command, env={**os.environ, **settings}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
