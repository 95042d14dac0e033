"""Settings that are wrong are said in a line, without the secrets that stand beside them."""

import os
import subprocess
import sys
from pathlib import Path

PIONEER = Path(sys.executable).with_name("pioneer")


def test_a_short_secret_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    settings = {
        "PIONEER_DATA_DIR": str(tmp_path), "PIONEER_SECRET_KEY": "too-short-to-sign",
        "PIONEER_DATABASE_URL": "postgresql://owner:its-password@127.0.0.1:1/none",
    }  # fmt: skip
    said = subprocess.run(
        [PIONEER, "migrate"], env=os.environ | settings, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.returncode == 2
    assert said.stderr == "PIONEER_SECRET_KEY is a placeholder or shorter than 32 characters\n"
    assert said.stdout == ""
