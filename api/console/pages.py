"""What the console's answers are made of: pages that escape what they show, and their headers.

A page may load what lies beside it, send its own forms, and nothing else; no other site can frame
or read it. `same-origin` lets a browser say, with a form of ours, where the form was.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

_PLAIN: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

#: GraphiQL's scripts come from here as well. Its editor and React set styles by script, which a
#: policy does not hinder; its fonts and pictures lie in its own stylesheet.
WITH_SCRIPTS: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

_KINDS: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}

_TEMPLATES = Environment(
    loader=PackageLoader("api.console"), autoescape=True, undefined=StrictUndefined
)


def page(
    name: str, status: int = 200, *, policy: str = _PLAIN, refresh: str | None = None, **shown: Any
) -> Response:
    """Make a page of the template *name*.

    Args:
        policy: its Content-Security-Policy.
        refresh: the path that the browser goes on to.
        shown: what the template shows.
    """
    text = _TEMPLATES.get_template(f"{name}.html").render(refresh=refresh, **shown)
    return Response(text, status, _headers(policy), media_type="text/html")


def script_or_style(name: str, content: bytes, *, keep: int = 0) -> Response:
    """Answer with a file that a page loads; the browser may keep it for *keep* seconds."""
    headers = dict(_headers(_PLAIN))
    if keep:
        headers["cache-control"] = f"private, max-age={keep}"
    return Response(content, 200, headers, media_type=_KINDS[name.rpartition(".")[2]])


def own_files() -> Mapping[str, bytes]:
    """Read the console's own scripts and styles."""
    folder = files("api.console").joinpath("static")
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def _headers(policy: str) -> dict[str, str]:
    return {
        "cache-control": "no-store",
        "content-security-policy": policy,
        "referrer-policy": "same-origin",
    }
