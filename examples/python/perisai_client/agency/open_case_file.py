from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class OpenCaseFile(BaseModel):
    open_case_file: "OpenCaseFileOpenCaseFile" = Field(alias="openCaseFile")


class OpenCaseFileOpenCaseFile(BaseModel):
    case_file_id: Optional[str] = Field(alias="caseFileId")
    case_file: Optional["OpenCaseFileOpenCaseFileCaseFile"] = Field(alias="caseFile")
    errors: list["OpenCaseFileOpenCaseFileErrors"]


class OpenCaseFileOpenCaseFileCaseFile(BaseModel):
    id: str
    reference: Optional[str]
    respond_by: Optional[datetime] = Field(alias="respondBy")
    defenders: list["OpenCaseFileOpenCaseFileCaseFileDefenders"]


class OpenCaseFileOpenCaseFileCaseFileDefenders(BaseModel):
    id: str


class OpenCaseFileOpenCaseFileErrors(BaseModel):
    code: str
    message: str


OpenCaseFile.model_rebuild()
OpenCaseFileOpenCaseFile.model_rebuild()
OpenCaseFileOpenCaseFileCaseFile.model_rebuild()
