"""Where a run of the tests keeps its databases."""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # a folder of its own is made in it
ROOM_NEEDED = 3_000_000_000
"""bytes: what the databases of a run may come to at once, with their logs."""
_OWNER = "owner.pid"


def make_run_folder(prefix: str) -> Path:
    """A new folder that other users may enter, with a short name for the sake of sockets; gone at the end of the run.

    In memory where there is room: each test has a database of its own, which is six hundred files to make and to
    remove, and that is most of what the tests cost where those are on a disk.
    """
    place = MEMORY if _has_room() else Path("/tmp")
    for left in place.glob(f"{prefix}*"):
        _remove_left(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    folder.chmod(0o755)
    (folder / _OWNER).write_text(str(os.getpid()))
    # registered before the server that will live in it, so done after that has stopped
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _has_room() -> bool:
    """Whether a run's folder can be in memory, and as much again is left for the tests themselves."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    found = re.search(r"MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text())
    available = int(found[1]) * 1024 if found else 0
    return min(shutil.disk_usage(MEMORY).free, available // 2) >= ROOM_NEEDED


def _remove_left(folder: Path) -> None:
    """Remove the folder of a run that was killed; the server in it stops when it misses its files."""
    try:
        owner = int((folder / _OWNER).read_text())
    except (OSError, ValueError):
        return
    if not Path(f"/proc/{owner}").exists():
        shutil.rmtree(folder, ignore_errors=True)
