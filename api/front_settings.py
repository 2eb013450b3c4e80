"""What the settings say of the way in: on what terms faces serve, and what stands around them."""

from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from api.errors import RefusesToStart
from api.schema.allowances import Allowances
from api.schema.http import Terms
from api.schema.safe_headers import CORS_ASKED, CORS_TOLD, SafeHeaders
from api.schema.streams import Streams
from api.settings import Settings


def terms_of(settings: Settings) -> Terms:
    """Make the terms of all faces of this process; whoever asks closes their allowances."""
    shared = settings.points_url
    return Terms(
        allowances=Allowances(
            settings.points_per_hour,
            settings.requests_at_once,
            shared=None if shared is None else shared.get_secret_value(),
        ),
        introspection=frozenset(settings.introspection_roles),
        adhoc=frozenset(settings.adhoc_roles),
        seconds=settings.request_seconds,
        pause=settings.refusal_seconds,
        get_too=settings.get_requests,
        streams=Streams(settings.streams_per_member, settings.streams_per_process),
    )


def documents_of(settings: Settings, face: str) -> Path | None:
    """Give the folder of the trusted documents of *face*; None: no face has any.

    Raises:
        RefusesToStart: the settings name a folder that is not there.
    """
    if settings.documents is None:
        return None
    if not settings.documents.is_dir():
        raise RefusesToStart(f"There is no folder {settings.documents}, which `documents` names.")
    return settings.documents / face


def around(settings: Settings) -> list[Middleware]:
    """Give what stands around all routes: headers, and what pages of other origins may do.

    Without an origin in the settings no page of another one gets an answer that it can read.
    """
    safe = Middleware(SafeHeaders)
    if not settings.cors_origins:
        return [safe]
    cross_origin = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["POST"],
        allow_headers=CORS_ASKED,
        expose_headers=CORS_TOLD,
    )
    return [safe, cross_origin]
