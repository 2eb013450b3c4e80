from datetime import datetime

from pydantic import Field

from .base_model import BaseModel
from .enums import Compartment, Purpose, ReferralState


class Referrals(BaseModel):
    referrals: list["ReferralsReferrals"]


class ReferralsReferrals(BaseModel):
    id: str
    case_file: str = Field(alias="caseFile")
    giver: str
    recipient: str
    purpose: Purpose
    compartments: list[Compartment]
    fields: list[str]
    defenders: int
    sensitivity: int
    until: datetime
    state: ReferralState


Referrals.model_rebuild()
