"""Work on a large import in a process of its own: `python -m app.cli.working IMPORT`, started by the service.

Not a command of `pioneer`: it loads what it needs and nothing else, for every import waits for that.
"""

import os
import sys
from uuid import UUID

from app.core.logging import configure_logging
from app.hooks import install_hooks
from app.import_export import running
from app.import_export.apart import DATABASE_URL


def main() -> None:
    """Do the import that is named."""
    configure_logging()
    install_hooks()
    running.work_alone(os.environ[DATABASE_URL], UUID(sys.argv[1]))


if __name__ == "__main__":
    main()
