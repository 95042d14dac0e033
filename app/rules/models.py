"""The table of rules, a reference table."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from app.core.columns import instant


class DatedRule(SQLModel, table=True):
    """A figure from a day on: what it is called, how much, in which unit, and which document says so."""

    __tablename__ = "dated_rule"

    key: str = Field(primary_key=True)
    effective_on: date = Field(primary_key=True)
    value: float
    unit: str
    source: str
    set_at: datetime = instant(default_now=True)
    # empty: the service itself, or its operator
    set_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
