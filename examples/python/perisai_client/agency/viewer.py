from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import LegalBasis, Purpose, Role


class Viewer(BaseModel):
    viewer: "ViewerViewer"


class ViewerViewer(BaseModel):
    member_id: str = Field(alias="memberId")
    organisation: str
    role: Role
    purpose: Optional[Purpose]
    legal_basis: Optional[LegalBasis] = Field(alias="legalBasis")


Viewer.model_rebuild()
