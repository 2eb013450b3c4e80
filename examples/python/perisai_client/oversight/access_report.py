from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import Action, Compartment, Decision, Ground, Purpose, Reason, Role


class AccessReport(BaseModel):
    access_report: "AccessReportAccessReport" = Field(alias="accessReport")


class AccessReportAccessReport(BaseModel):
    events: int
    actors: list["AccessReportAccessReportActors"]
    accesses: "AccessReportAccessReportAccesses"


class AccessReportAccessReportActors(BaseModel):
    actor: Optional[str]
    organisation: Optional[str]
    role: Optional[Role]
    events: int
    disclosing: int
    last_at: datetime = Field(alias="lastAt")


class AccessReportAccessReportAccesses(BaseModel):
    edges: list["AccessReportAccessReportAccessesEdges"]
    page_info: "AccessReportAccessReportAccessesPageInfo" = Field(alias="pageInfo")


class AccessReportAccessReportAccessesEdges(BaseModel):
    node: "AccessReportAccessReportAccessesEdgesNode"


class AccessReportAccessReportAccessesEdgesNode(BaseModel):
    index: int
    at: datetime
    actor: Optional[str]
    organisation: Optional[str]
    role: Optional[Role]
    action: Action
    purpose: Optional[Purpose]
    decision: Decision
    break_glass: bool = Field(alias="breakGlass")
    reached: list["AccessReportAccessReportAccessesEdgesNodeReached"]


class AccessReportAccessReportAccessesEdgesNodeReached(BaseModel):
    decision: Decision
    ground: Optional[Ground]
    reason: Optional[Reason]
    compartments: list[Compartment]
    fields: list[str]


class AccessReportAccessReportAccessesPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


AccessReport.model_rebuild()
AccessReportAccessReport.model_rebuild()
AccessReportAccessReportAccesses.model_rebuild()
AccessReportAccessReportAccessesEdges.model_rebuild()
AccessReportAccessReportAccessesEdgesNode.model_rebuild()
