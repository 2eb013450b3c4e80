from typing import Any, Optional, Union

from .accept_referral import AcceptReferral
from .add_note import AddNote
from .base_model import UNSET, UnsetType
from .break_glass import BreakGlass
from .case_file import CaseFile
from .case_files import CaseFiles
from .connection import Connection
from .enums import CaseFileOrder, ReferralState, SearchBy
from .find_defenders import FindDefenders
from .input_types import (
    AddNoteInput,
    BreakGlassInput,
    CaseFileFilter,
    OpenCaseFileInput,
    ReferCaseFileInput,
    ReferralInput,
)
from .open_case_file import OpenCaseFile
from .refer_case_file import ReferCaseFile
from .referrals import Referrals
from .viewer import Viewer


def gql(q: str) -> str:
    return q


class Client(Connection):
    async def accept_referral(
        self, input: ReferralInput, **kwargs: Any
    ) -> AcceptReferral:
        query = gql("""
            mutation AcceptReferral($input: ReferralInput!) {
              acceptReferral(input: $input) {
                referralId
                errors {
                  code
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="AcceptReferral", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return AcceptReferral.model_validate(data)

    async def add_note(self, input: AddNoteInput, **kwargs: Any) -> AddNote:
        query = gql("""
            mutation AddNote($input: AddNoteInput!) {
              addNote(input: $input) {
                noteId
                errors {
                  code
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="AddNote", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return AddNote.model_validate(data)

    async def break_glass(self, input: BreakGlassInput, **kwargs: Any) -> BreakGlass:
        query = gql("""
            mutation BreakGlass($input: BreakGlassInput!) {
              breakGlass(input: $input) {
                breakGlassId
                endsAt
                waitsForSecondPerson
                signIn {
                  error
                  acrValues
                  maxAge
                }
                errors {
                  code
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="BreakGlass", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return BreakGlass.model_validate(data)

    async def case_file(self, id: str, **kwargs: Any) -> CaseFile:
        query = gql("""
            query CaseFile($id: ID!) {
              caseFile(id: $id) {
                id
                reference
                leadAgency
                status
                urgency
                account
                notes {
                  id
                  author
                  writtenAt
                  body
                }
                defenders {
                  id
                  revision
                  fullName
                  nik
                  phones
                  withheld {
                    field
                    compartment
                    reason
                    howToAsk
                  }
                }
                withheld {
                  field
                  compartment
                  reason
                  howToAsk
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="CaseFile", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CaseFile.model_validate(data)

    async def case_files(
        self,
        first: int,
        after: Union[Optional[str], UnsetType] = UNSET,
        filter_: Union[Optional[CaseFileFilter], UnsetType] = UNSET,
        order_by: Union[Optional[CaseFileOrder], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> CaseFiles:
        query = gql("""
            query CaseFiles($first: Int!, $after: String, $filter: CaseFileFilter, $orderBy: CaseFileOrder = NEWEST) {
              caseFiles(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
                edges {
                  node {
                    id
                    reference
                    leadAgency
                    status
                    urgency
                    sensitivity
                    province
                    openedOn
                    respondBy
                    assignedToMe
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "first": first,
            "after": after,
            "filter": filter_,
            "orderBy": order_by,
        }
        response = await self.execute(
            query=query, operation_name="CaseFiles", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CaseFiles.model_validate(data)

    async def find_defenders(
        self, by: SearchBy, value: str, first: int, **kwargs: Any
    ) -> FindDefenders:
        query = gql("""
            query FindDefenders($by: SearchBy!, $value: String!, $first: Int!) {
              findDefenders(by: $by, value: $value, first: $first) {
                score
                likeness
                defender {
                  id
                  fullName
                }
                caseFiles {
                  id
                  reference
                }
              }
            }
            """)
        variables: dict[str, object] = {"by": by, "value": value, "first": first}
        response = await self.execute(
            query=query, operation_name="FindDefenders", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return FindDefenders.model_validate(data)

    async def open_case_file(
        self, input: OpenCaseFileInput, **kwargs: Any
    ) -> OpenCaseFile:
        query = gql("""
            mutation OpenCaseFile($input: OpenCaseFileInput!) {
              openCaseFile(input: $input) {
                caseFileId
                caseFile {
                  id
                  reference
                  respondBy
                  defenders {
                    id
                  }
                }
                errors {
                  code
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="OpenCaseFile", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return OpenCaseFile.model_validate(data)

    async def refer_case_file(
        self, input: ReferCaseFileInput, **kwargs: Any
    ) -> ReferCaseFile:
        query = gql("""
            mutation ReferCaseFile($input: ReferCaseFileInput!) {
              referCaseFile(input: $input) {
                referralId
                errors {
                  code
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="ReferCaseFile", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ReferCaseFile.model_validate(data)

    async def referrals(
        self, state: Union[Optional[ReferralState], UnsetType] = UNSET, **kwargs: Any
    ) -> Referrals:
        query = gql("""
            query Referrals($state: ReferralState) {
              referrals(state: $state) {
                id
                caseFile
                giver
                recipient
                purpose
                compartments
                fields
                defenders
                sensitivity
                until
                state
              }
            }
            """)
        variables: dict[str, object] = {"state": state}
        response = await self.execute(
            query=query, operation_name="Referrals", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Referrals.model_validate(data)

    async def viewer(self, **kwargs: Any) -> Viewer:
        query = gql("""
            query Viewer {
              viewer {
                memberId
                organisation
                role
                purpose
                legalBasis
              }
            }
            """)
        variables: dict[str, object] = {}
        response = await self.execute(
            query=query, operation_name="Viewer", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Viewer.model_validate(data)
