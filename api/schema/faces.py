"""The three schemas, each with nothing but what its audience may ever ask."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.schema.agency.mutation import Mutation
from api.schema.agency.query import Query as AgencyQuery
from api.schema.oversight.query import Query as OversightQuery
from api.schema.partner.query import Query as PartnerQuery

_CONFIG = StrawberryConfig(disable_field_suggestions=True)


def schema_of(face: str) -> strawberry.Schema:
    """Build the schema of one face: "agency", "partner" or "oversight"."""
    match face:
        case "agency":
            return strawberry.Schema(AgencyQuery, Mutation, config=_CONFIG)
        case "partner":
            return strawberry.Schema(PartnerQuery, config=_CONFIG)
        case "oversight":
            return strawberry.Schema(OversightQuery, config=_CONFIG)
        case _:
            raise ValueError("there is no such face")
