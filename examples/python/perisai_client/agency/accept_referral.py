from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class AcceptReferral(BaseModel):
    accept_referral: "AcceptReferralAcceptReferral" = Field(alias="acceptReferral")


class AcceptReferralAcceptReferral(BaseModel):
    referral_id: Optional[str] = Field(alias="referralId")
    errors: list["AcceptReferralAcceptReferralErrors"]


class AcceptReferralAcceptReferralErrors(BaseModel):
    code: str
    message: str


AcceptReferral.model_rebuild()
AcceptReferralAcceptReferral.model_rebuild()
