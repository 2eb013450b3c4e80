"""GraphiQL as npm installed it: which of its files are served, and with which first query.

Nothing of it is part of this repository, and nothing comes from elsewhere when the page is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, assert_never

from api.errors import NotForThisFace, RefusesToStart
from api.vocabulary import Role

#: Name -> where npm puts it. What is not named here is not served.
_FILES: Final[Mapping[str, str]] = {
    "react.js": "react/umd/react.production.min.js",
    "react-dom.js": "react-dom/umd/react-dom.production.min.js",
    "graphiql.js": "graphiql/graphiql.min.js",
    "graphiql.css": "graphiql/graphiql.min.css",
}

#: Face -> what stands in the editor at first.
SAMPLES: Final[Mapping[str, str]] = {
    "agency": """# Ctrl+Enter asks. The purpose is a header: see "Headers" below.
# Ctrl+Enter mengirim pertanyaan. Tujuan dinyatakan pada tab "Headers" di bawah.
query MyCaseFiles {
  viewer { memberId role }
  caseFiles(first: 3, filter: {assignedToMe: true}) {
    edges { node { id reference urgency status
      defenders { fullName phones withheld { field reason howToAsk } }
    } }
  }
}
""",
    "oversight": """# Ctrl+Enter asks. Each answer is itself an event of the log.
# Ctrl+Enter mengirim pertanyaan. Setiap jawaban tercatat pula dalam log.
query WhoDidWhat {
  accessEvents(first: 10) {
    edges { node { index at actor organisation action decision code
      touched { decision ground reason fields records { kind id } }
    } }
  }
}
""",
}


@dataclass(frozen=True, slots=True)
class GraphiQL:
    """The files, by the names under which they are served."""

    files: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def at(cls, folder: Path) -> "GraphiQL":
        """Read the files of the *folder* in which npm installed them.

        Raises:
            RefusesToStart: one is missing.
        """
        try:
            modules = folder / "node_modules"
            return cls({name: (modules / path).read_bytes() for name, path in _FILES.items()})
        except OSError:
            raise RefusesToStart(
                f"GraphiQL is not in {folder}, which `graphiql` names: `make graphiql` puts it "
                "there. Or take the setting away."
            ) from None


def asks_at(role: Role) -> tuple[str, str]:
    """Give the face of people of this *role*, and the purpose that they have most often."""
    match role:
        case Role.SECURITY_OFFICER:
            return "oversight", "quality_review"
        case Role.INTAKE_OFFICER:
            return "agency", "intake"
        case Role.SUPERVISOR | Role.AGENCY_LEAD:
            return "agency", "supervision"
        case Role.CASE_OFFICER | Role.PROTECTION_OFFICER:
            return "agency", "protection"
        case Role.PARTNER | Role.OPERATOR:
            raise NotForThisFace
        case _:
            assert_never(role)
