"""HTTP of rules."""

from fastapi import APIRouter

from app.auth.guards import AccountSession, CityActor, DeskActor, Session
from app.rules import service
from app.rules.schemas import RuleIn, RulePage, RuleRead
from app.web import COMMON_PROBLEMS

router = APIRouter(tags=["rules"], responses=COMMON_PROBLEMS)


@router.get("/rules")
async def list_rules(_actor: DeskActor, session: Session) -> RulePage:
    """The figures that change, each with the day it begins to hold and its document: past, present and coming."""
    return RulePage(items=await service.list_rules(session), next_cursor=None)


@router.put("/rules")
async def set_rule(actor: CityActor, session: AccountSession, body: RuleIn) -> RuleRead:
    """Set a figure from today or a later day on; for a city's desk. It holds for all who use this service."""
    await service.set_rule(session, actor.doer, body.key, body.effective_on, body.value, body.source)
    items = await service.list_rules(session)
    return next(item for item in items if (item.key, item.effective_on) == (body.key, body.effective_on))
