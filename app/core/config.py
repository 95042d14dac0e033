"""Settings, read once from the environment (`PIONEER_*`) and an optional `.env`."""

import base64
import secrets
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDERS = {"", "changeme", "change-me", "secret", "placeholder", "pioneer", "changethis", "example"}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Settings(BaseSettings):
    """All that may differ between two installations. Refuses secrets that are no secrets."""

    model_config = SettingsConfigDict(env_prefix="PIONEER_", env_file=".env", extra="ignore")

    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path("data")
    database_url: str | None = None
    secret_key: SecretStr | None = None
    data_keys: SecretStr | None = None
    data_keys_file: Path | None = None
    demo: bool = False
    # A demo database has known passwords: it binds loopback only, unless its owner says the name of the risk.
    demo_on_network: bool = False
    public_url: str | None = None
    workers_inside: bool = True
    pool_size: int = 10
    access_token_seconds: int = 900
    refresh_token_days: int = 30
    frontend_dir: Path = Path(__file__).resolve().parents[2] / "frontend" / "dist"

    @model_validator(mode="after")
    def _refuse_placeholders(self) -> "Settings":
        key = self.secret_key.get_secret_value() if self.secret_key else None
        if key is not None and not self.demo and (key.lower() in PLACEHOLDERS or len(key) < 32):
            raise ValueError("PIONEER_SECRET_KEY is a placeholder or shorter than 32 characters")
        if key is None and self.database_url is not None and not self.demo:
            raise ValueError("PIONEER_SECRET_KEY is needed with PIONEER_DATABASE_URL")
        if self.data_keys is not None and self.data_keys_file is not None:
            raise ValueError("PIONEER_DATA_KEYS and PIONEER_DATA_KEYS_FILE are both set; which keys are meant?")
        return self

    @property
    def earlier_builds(self) -> Path:
        """Where the frontend's files stay for tabs that were opened before an update."""
        return self.data_dir / "frontend"

    @cached_property
    def token_key(self) -> str:
        """Key that signs access tokens; made once under the data directory when none is given."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        return self._kept("secret.key", lambda: secrets.token_urlsafe(48))

    @cached_property
    def key_file(self) -> Path | None:
        """The file the data keys stand in; None when the environment holds them.

        A file that is named must be there: keys made anew in its place would read nothing that was sealed before.
        """
        if self.data_keys is not None:
            return None
        if self.data_keys_file is not None:
            return self.data_keys_file

        def fresh() -> str:
            return ",".join(f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("1", "index"))

        self._kept("data.keys", fresh)
        return self.data_dir / "data.keys"

    @property
    def key_ring(self) -> str:
        """`id:base64` pairs divided by commas, the first the current one, `index:…` the blind index's."""
        if self.key_file is not None:
            return self.key_file.read_text().strip()
        return self.data_keys.get_secret_value() if self.data_keys is not None else ""

    def _kept(self, name: str, make: object) -> str:
        path = self.data_dir / name
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(make())  # type: ignore[operator]
        return path.read_text().strip()


@lru_cache
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()
