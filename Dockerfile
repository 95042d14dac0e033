# The service in a container, for docker-compose.yml. Built from the same two locks as everywhere else.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/pioneer

# Tools of the build: Node for the frontend, uv for the lock. They stay in this stage.
COPY requirements.lock pyproject.toml ./
RUN python -m venv /opt/tools && /opt/tools/bin/pip install --require-hashes -r requirements.lock
ENV PATH=/opt/tools/bin:$PATH

COPY frontend/package.json frontend/package-lock.json frontend/.npmrc* frontend/
RUN cd frontend && npm ci --no-audit --no-fund
COPY openapi.json ./
COPY frontend frontend
RUN cd frontend && npm run build && rm -rf node_modules

# What runs: the versions and hashes of the lock, without the tools of development.
RUN echo setuptools | uv pip compile pyproject.toml - --quiet --constraint requirements.lock --generate-hashes \
        --output-file /tmp/runtime.lock \
    && python3.11 -m venv .venv \
    && .venv/bin/pip install --require-hashes -r /tmp/runtime.lock
COPY app app
COPY migrations migrations
COPY alembic.ini README.md LICENSE ./
RUN .venv/bin/pip install --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q app migrations


FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/pioneer pioneer && install -d -o pioneer -g pioneer -m 700 /var/lib/pioneer
COPY --from=build --chown=root:root /srv/pioneer /srv/pioneer
WORKDIR /srv/pioneer
ENV PATH=/srv/pioneer/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIONEER_HOST=0.0.0.0 \
    PIONEER_DATA_DIR=/var/lib/pioneer
USER pioneer
VOLUME /var/lib/pioneer
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["pioneer"]
CMD ["serve"]
