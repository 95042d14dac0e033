"""Tables of the trail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, digest_column, instant, json_column


class AuditEntry(SQLModel, table=True):
    """One transaction's work in one community; `hash` covers the entry and the hash before it."""

    __tablename__ = "audit_entry"

    community_code: str = community_key()
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    at: datetime = instant()
    actor_id: UUID | None = None
    actor_name: str | None = None
    device_id: UUID | None = None
    action: str
    subjects: Any = json_column("'[]'")
    digest: bytes | None = digest_column()
    request_id: str | None = None
    hash: bytes | None = digest_column()


class AuditChain(SQLModel, table=True):
    """The head of each community's chain; its row lock orders the entries."""

    __tablename__ = "audit_chain"

    community_code: str = community_key()
    seq: int = counter(BigInteger)
    hash: bytes | None = digest_column()
