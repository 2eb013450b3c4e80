"""The one tree of errors. Each leaf has a stable public code; no message carries data.

`code` is part of the public interface: clients branch on it, so it never
changes its meaning. `message` is written for a person and says what to do.
"""

from typing import ClassVar


class PerisaiError(Exception):
    """Base of every error that a caller may see.

    Attributes:
        code: stable, upper case, documented in docs/errors.md.
        status: the HTTP status where the error ends a whole request.
        message: a sentence for a person, always the same for one code.
    """

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    message: ClassVar[str] = "Something failed on our side. Nothing was disclosed. Try again."

    def __init__(self) -> None:
        """Take no argument, so that no value of a record can ride along."""
        super().__init__(self.message)


class NotSignedIn(PerisaiError):
    """No token, or one that does not hold."""

    code = "NOT_SIGNED_IN"
    status = 401
    message = "Sign in first: send a valid access token as 'Authorization: Bearer ...'."


class TokenExpired(NotSignedIn):
    """The token held once; its time is over."""

    code = "TOKEN_EXPIRED"
    message = "The access token has expired. Get a new one and try again."


class SignInUnavailable(PerisaiError):
    """The public keys of an organisation's issuer cannot be had, so no token can be checked."""

    code = "SIGN_IN_UNAVAILABLE"
    status = 503
    message = "Your organisation's sign-in service cannot be reached. Try again shortly."


class NotForThisFace(PerisaiError):
    """A valid caller at an address that is not theirs, or an unknown or disabled member."""

    code = "NOT_FOR_THIS_FACE"
    status = 403
    message = "This address is not open to your account. Ask your agency's lead."


class NotFound(PerisaiError):
    """Not there, or not yours: the two are never told apart."""

    code = "NOT_FOUND"
    status = 404
    message = "There is no such record within your reach."


class NotAllowed(PerisaiError):
    """The caller sees the record but may not do this to it."""

    code = "NOT_ALLOWED"
    status = 403
    message = "Your role and grounds do not allow this. Ask the supervisor of the case file."


class PurposeMissing(PerisaiError):
    """No purpose was declared (UU PDP 27/2022, art. 20)."""

    code = "PURPOSE_MISSING"
    status = 400
    message = "Declare why you open records: send 'Perisai-Purpose' with one of the purposes."


class PurposeUnknown(PerisaiError):
    """The declared purpose or legal basis is not in the vocabulary."""

    code = "PURPOSE_UNKNOWN"
    status = 400
    message = "The declared purpose or legal basis is not one of those in the schema."


class BadRequest(PerisaiError):
    """The body is not a GraphQL request."""

    code = "BAD_REQUEST"
    status = 400
    message = "Send a JSON object with 'query' and, if needed, 'variables' and 'operationName'."


class MalformedId(PerisaiError):
    """An id that no record can have."""

    code = "MALFORMED_ID"
    status = 400
    message = "An id in the request is malformed."


class MalformedCursor(PerisaiError):
    """A cursor that was not made for this caller and filter, or is too old."""

    code = "MALFORMED_CURSOR"
    status = 400
    message = "The cursor does not fit this list. Start again from the first page."


class PageSizeInvalid(PerisaiError):
    """`first` outside 1 to 100."""

    code = "PAGE_SIZE_INVALID"
    status = 400
    message = "Ask for 1 to 100 items, or 1 to 20 hits of a search: set 'first'."


class NikInvalid(PerisaiError):
    """Not a national identity number."""

    code = "NIK_INVALID"
    status = 400
    message = "A NIK or KK number has 16 digits and holds a valid region and date."


class PhoneInvalid(PerisaiError):
    """Not a telephone number that can be normalised."""

    code = "PHONE_INVALID"
    status = 400
    message = "A phone number has 9 to 13 digits after the country code, for example 0812..."


class ValueInvalid(PerisaiError):
    """Another value that cannot be accepted: too long, empty, or an unknown code."""

    code = "VALUE_INVALID"
    status = 400
    message = "A value in the input is empty, too long or not in the code list."


class AssigneeInvalid(PerisaiError):
    """The person cannot be assigned."""

    code = "ASSIGNEE_INVALID"
    status = 400
    message = (
        "Assign somebody else: a caseworker of the lead agency, cleared for this case file, "
        "and never yourself."
    )


class NotAssigned(PerisaiError):
    """Nothing to end: no live assignment of that person."""

    code = "NOT_ASSIGNED"
    status = 409
    message = "That caseworker is not assigned to this case file."


class StaleRevision(PerisaiError):
    """Somebody else changed the record first."""

    code = "STALE_REVISION"
    status = 409
    message = "The record changed since you read it. Read it again and repeat the change."


class MethodNotAllowed(PerisaiError):
    """Only POST reaches the schema."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    message = "Use POST."


class BodyTooLarge(PerisaiError):
    """The body is over its limit."""

    code = "BODY_TOO_LARGE"
    status = 413
    message = "The request body is over 64 KiB."


class DocumentRefused(PerisaiError):
    """The GraphQL document is over a limit (depth, aliases, directives, fields, tokens)."""

    code = "DOCUMENT_REFUSED"
    status = 400
    message = "The GraphQL document is too large or too deep. Ask for less at once."


class DocumentInvalid(PerisaiError):
    """The GraphQL document does not parse or does not fit the schema."""

    code = "DOCUMENT_INVALID"
    status = 400
    message = "The GraphQL document does not fit the schema."


class LogUnavailable(PerisaiError):
    """No durable event within the limit; so nothing is disclosed."""

    code = "LOG_UNAVAILABLE"
    status = 503
    message = "The access log does not answer, so nothing was disclosed. Try again shortly."


class StoreUnavailable(PerisaiError):
    """The records' database does not answer."""

    code = "STORE_UNAVAILABLE"
    status = 503
    message = "The records' database does not answer. Try again shortly."


class ChangeUnconfirmed(PerisaiError):
    """The change may stand: its commit or its outcome event went unanswered."""

    code = "CHANGE_UNCONFIRMED"
    status = 503
    message = "It is not certain that the change was made. Read the record before you repeat it."


class KeysUnavailable(PerisaiError):
    """A key that is needed cannot be had."""

    code = "KEYS_UNAVAILABLE"
    status = 503
    message = "The key service does not answer, so nothing was opened. Try again shortly."


class PolicyFailed(PerisaiError):
    """The policy could not be evaluated, so the answer is no."""

    code = "POLICY_FAILED"
    status = 503
    message = "The policy could not decide, so nothing was disclosed. Tell the operators."


class SealBroken(PerisaiError):
    """A sealed value, wrap or right does not hold: changed, moved, or under another key."""

    code = "SEAL_BROKEN"
    status = 500
    message = "A sealed value does not hold. Nothing was disclosed; the operators must look."


class PermitExpired(PerisaiError):
    """More than 3 s between the decision and the opening."""

    code = "PERMIT_EXPIRED"
    status = 503
    message = "The decision grew too old before the answer. Nothing was disclosed. Try again."


class RefusesToStart(PerisaiError):
    """A setting or a state under which serving would be unsafe.

    The one leaf with a free sentence: it goes to an operator's terminal and is
    made of the names of settings and paths, never of records.
    """

    code = "REFUSES_TO_START"

    def __init__(self, sentence: str) -> None:
        """*sentence* says what is wrong and what to do."""
        Exception.__init__(self, sentence)


class LogBroken(PerisaiError):
    """The access log does not hold: something in it was changed, removed or forked.

    Like RefusesToStart it speaks to operators and officers, in words made of table
    names, indices and paths; `place` and `what` never hold anything of a record.
    """

    code = "LOG_BROKEN"

    def __init__(self, place: str, what: str) -> None:
        """*place* says where (a table and row, a file), *what* says how it is wrong."""
        Exception.__init__(self, f"{place}: {what}")
        self.place = place
        self.what = what


class LeafMalformed(PerisaiError):
    """Bytes that no event of the access log has, or an event that cannot be written down."""

    message = "An event of the access log is malformed."


class NoteInvalid(PerisaiError):
    """A signed note, checkpoint or key of one that is malformed or not signed by a known key."""

    message = "A signed note of the access log does not hold."


class ProofInvalid(PerisaiError):
    """A proof that does not lead from the leaf or the older root to the root."""

    message = "A proof of the access log does not hold."


class PolicyRefused(RefusesToStart):
    """A policy text that the lint, the engine or its own tests refuse; the old one stays.

    Its sentence names files, lines and words of the policy, never facts.
    """

    code = "POLICY_REFUSED"
