from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import CaseStatus, Compartment, Reason, Urgency


class CaseFile(BaseModel):
    case_file: Optional["CaseFileCaseFile"] = Field(alias="caseFile")


class CaseFileCaseFile(BaseModel):
    id: str
    reference: Optional[str]
    lead_agency: Optional[str] = Field(alias="leadAgency")
    status: Optional[CaseStatus]
    urgency: Optional[Urgency]
    account: Optional[str]
    notes: list["CaseFileCaseFileNotes"]
    defenders: list["CaseFileCaseFileDefenders"]
    withheld: list["CaseFileCaseFileWithheld"]


class CaseFileCaseFileNotes(BaseModel):
    id: str
    author: str
    written_at: datetime = Field(alias="writtenAt")
    body: Optional[str]


class CaseFileCaseFileDefenders(BaseModel):
    id: str
    revision: int
    full_name: Optional[str] = Field(alias="fullName")
    nik: Optional[str]
    phones: Optional[list[str]]
    withheld: list["CaseFileCaseFileDefendersWithheld"]


class CaseFileCaseFileDefendersWithheld(BaseModel):
    field: str
    compartment: Compartment
    reason: Reason
    how_to_ask: str = Field(alias="howToAsk")


class CaseFileCaseFileWithheld(BaseModel):
    field: str
    compartment: Compartment
    reason: Reason
    how_to_ask: str = Field(alias="howToAsk")


CaseFile.model_rebuild()
CaseFileCaseFile.model_rebuild()
CaseFileCaseFileDefenders.model_rebuild()
