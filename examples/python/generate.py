"""Write the typed client anew from the schemas and the documents: `make client`.

ariadne-codegen makes a package for each face that has documents. It needs an older graphql-core
than the service, so it runs from a folder of its own, which `make client` installs from a lock.
What sends a request and what a model prints are ours, and stand in parts/.
"""

import shutil
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from ariadne_codegen.main import client

HERE = Path(__file__).parent
DOCUMENTS = HERE.parent / "documents"
SCHEMAS = HERE.parents[1] / "api" / "schema"


def generate(target: Path) -> None:
    """Write the package of every face into *target*, which is there."""
    for documents in sorted(DOCUMENTS.iterdir()):
        settings = {
            "schema_path": str(SCHEMAS / documents.name / "schema.graphql"),
            "queries_path": str(documents),
            "target_package_name": documents.name,
            "target_package_path": str(target),
            "base_client_name": "Connection",
            "base_client_file_path": str(HERE / "parts" / "connection.py"),
            "multipart_uploads": False,
            "include_comments": "none",
            "include_typename": False,
            "include_all_inputs": False,
            "include_all_enums": False,
            "scalars": {
                "Date": {"type": "datetime.date"},
                "DateTime": {"type": "datetime.datetime"},
            },
        }
        with redirect_stdout(StringIO()):
            client({"tool": {"ariadne-codegen": settings}})
        shutil.copy(HERE / "parts" / "base_model.py", target / documents.name)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if sys.argv[1:] else HERE / "perisai_client")
