from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class FindDefenders(BaseModel):
    find_defenders: list["FindDefendersFindDefenders"] = Field(alias="findDefenders")


class FindDefendersFindDefenders(BaseModel):
    score: int
    likeness: str
    defender: "FindDefendersFindDefendersDefender"
    case_files: list["FindDefendersFindDefendersCaseFiles"] = Field(alias="caseFiles")


class FindDefendersFindDefendersDefender(BaseModel):
    id: str
    full_name: Optional[str] = Field(alias="fullName")


class FindDefendersFindDefendersCaseFiles(BaseModel):
    id: str
    reference: str


FindDefenders.model_rebuild()
FindDefendersFindDefenders.model_rebuild()
