from datetime import date, datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import CaseStatus, Urgency


class CaseFiles(BaseModel):
    case_files: "CaseFilesCaseFiles" = Field(alias="caseFiles")


class CaseFilesCaseFiles(BaseModel):
    edges: list["CaseFilesCaseFilesEdges"]
    page_info: "CaseFilesCaseFilesPageInfo" = Field(alias="pageInfo")


class CaseFilesCaseFilesEdges(BaseModel):
    node: "CaseFilesCaseFilesEdgesNode"


class CaseFilesCaseFilesEdgesNode(BaseModel):
    id: str
    reference: Optional[str]
    lead_agency: Optional[str] = Field(alias="leadAgency")
    status: Optional[CaseStatus]
    urgency: Optional[Urgency]
    sensitivity: Optional[int]
    province: Optional[str]
    opened_on: Optional[date] = Field(alias="openedOn")
    respond_by: Optional[datetime] = Field(alias="respondBy")
    assigned_to_me: bool = Field(alias="assignedToMe")


class CaseFilesCaseFilesPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


CaseFiles.model_rebuild()
CaseFilesCaseFiles.model_rebuild()
CaseFilesCaseFilesEdges.model_rebuild()
