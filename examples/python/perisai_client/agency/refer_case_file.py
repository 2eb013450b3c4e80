from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class ReferCaseFile(BaseModel):
    refer_case_file: "ReferCaseFileReferCaseFile" = Field(alias="referCaseFile")


class ReferCaseFileReferCaseFile(BaseModel):
    referral_id: Optional[str] = Field(alias="referralId")
    errors: list["ReferCaseFileReferCaseFileErrors"]


class ReferCaseFileReferCaseFileErrors(BaseModel):
    code: str
    message: str


ReferCaseFile.model_rebuild()
ReferCaseFileReferCaseFile.model_rebuild()
