from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class AddNote(BaseModel):
    add_note: "AddNoteAddNote" = Field(alias="addNote")


class AddNoteAddNote(BaseModel):
    note_id: Optional[str] = Field(alias="noteId")
    errors: list["AddNoteAddNoteErrors"]


class AddNoteAddNoteErrors(BaseModel):
    code: str
    message: str


AddNote.model_rebuild()
AddNoteAddNote.model_rebuild()
