"""Time: instants are UTC, days are Asia/Shanghai days."""

from datetime import UTC, date, datetime, timedelta, timezone

# Asia/Shanghai has had no daylight saving since 1991; a fixed offset needs no zone files on the machine.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The present day in Shanghai."""
    return now().astimezone(SHANGHAI).date()


def day_start(day: date) -> datetime:
    """The instant at which a Shanghai day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def day_of(instant: datetime) -> date:
    """The Shanghai day of an instant."""
    return instant.astimezone(SHANGHAI).date()
