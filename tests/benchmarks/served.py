"""The service over the benchmark's database, for uvicorn."""

import os

from app.core.logging import configure_logging
from app.core.memory import settle
from app.main import create_app

configure_logging()
app = create_app(os.environ["BENCH_URL"])
settle()
