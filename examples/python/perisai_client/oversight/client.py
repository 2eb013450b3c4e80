from typing import Any, Optional, Union

from .access_report import AccessReport
from .base_model import UNSET, UnsetType
from .connection import Connection


def gql(q: str) -> str:
    return q


class Client(Connection):
    async def access_report(
        self,
        defender: str,
        first: int,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> AccessReport:
        query = gql("""
            query AccessReport($defender: ID!, $first: Int!, $after: String) {
              accessReport(defender: $defender, first: $first, after: $after) {
                events
                actors {
                  actor
                  organisation
                  role
                  events
                  disclosing
                  lastAt
                }
                accesses {
                  edges {
                    node {
                      index
                      at
                      actor
                      organisation
                      role
                      action
                      purpose
                      decision
                      breakGlass
                      reached {
                        decision
                        ground
                        reason
                        compartments
                        fields
                      }
                    }
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "defender": defender,
            "first": first,
            "after": after,
        }
        response = await self.execute(
            query=query, operation_name="AccessReport", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return AccessReport.model_validate(data)
