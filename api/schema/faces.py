"""The three schemas, each with nothing but what its audience may ever ask."""

from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.schema.agency.mutation import Mutation
from api.schema.agency.query import Query as AgencyQuery
from api.schema.agency.subscription import Subscription
from api.schema.oversight.break_glass import Mutation as OversightMutation
from api.schema.oversight.query import Query as OversightQuery
from api.schema.partner.query import Query as PartnerQuery
from api.schema.plans import PlannedExecutor

_OPTIONS: dict[str, Any] = {
    "config": StrawberryConfig(disable_field_suggestions=True),
    "execution_context_class": PlannedExecutor,
}


def schema_of(face: str) -> strawberry.Schema:
    """Build the schema of one face: "agency", "partner" or "oversight"."""
    match face:
        case "agency":
            return strawberry.Schema(AgencyQuery, Mutation, Subscription, **_OPTIONS)
        case "partner":
            return strawberry.Schema(PartnerQuery, **_OPTIONS)
        case "oversight":
            return strawberry.Schema(OversightQuery, OversightMutation, **_OPTIONS)
        case _:
            raise ValueError("there is no such face")
