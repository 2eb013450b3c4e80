from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class BreakGlass(BaseModel):
    break_glass: "BreakGlassBreakGlass" = Field(alias="breakGlass")


class BreakGlassBreakGlass(BaseModel):
    break_glass_id: Optional[str] = Field(alias="breakGlassId")
    ends_at: Optional[datetime] = Field(alias="endsAt")
    waits_for_second_person: bool = Field(alias="waitsForSecondPerson")
    sign_in: Optional["BreakGlassBreakGlassSignIn"] = Field(alias="signIn")
    errors: list["BreakGlassBreakGlassErrors"]


class BreakGlassBreakGlassSignIn(BaseModel):
    error: str
    acr_values: list[str] = Field(alias="acrValues")
    max_age: int = Field(alias="maxAge")


class BreakGlassBreakGlassErrors(BaseModel):
    code: str
    message: str


BreakGlass.model_rebuild()
BreakGlassBreakGlass.model_rebuild()
