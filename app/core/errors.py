"""Problems: what went wrong, with a stable code and a sentence in each language (RFC 9457)."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class FieldProblem:
    """One field's part of a problem."""

    field: str
    code: str
    zh: str
    en: str


@dataclass
class Problem(Exception):  # noqa: N818 - the standard's word
    """Base of all that is answered as `application/problem+json`."""

    code: str
    zh: str
    en: str
    status: int = 400
    errors: list[FieldProblem] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.en}"


class NotFound(Problem):
    """Nothing there, or nothing there for this actor: outside one's scope is the same."""

    def __init__(
        self,
        code: str = "not_found",
        zh: str = "没有找到，或不在您的管辖范围内。",
        en: str = "Not found, or not in your scope.",
    ) -> None:
        super().__init__(code, zh, en, 404)


class Forbidden(Problem):
    """In scope, but this role may not do it."""

    def __init__(
        self,
        code: str = "not_allowed",
        zh: str = "您的角色不能做这项操作。",
        en: str = "Your role may not do this.",
    ) -> None:
        super().__init__(code, zh, en, 403)


class Unauthorized(Problem):
    """Nobody signed in, or no longer."""

    def __init__(self, code: str = "not_signed_in", zh: str = "请先登录。", en: str = "Please sign in.") -> None:
        super().__init__(code, zh, en, 401, headers={"WWW-Authenticate": "Bearer"})


class Conflict(Problem):
    """Well formed, but the state of things forbids it."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(code, zh, en, 409)


class Invalid(Problem):
    """Malformed or impossible input, with its fields."""

    def __init__(self, code: str, zh: str, en: str, field_name: str | None = None) -> None:
        errors = [FieldProblem(field_name, code, zh, en)] if field_name else []
        super().__init__(code, zh, en, 422, errors=errors)

    def with_fields(self, problems: list[FieldProblem]) -> "Invalid":
        """The same problem with all its fields."""
        self.errors = problems
        return self
