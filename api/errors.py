"""The one tree of errors. Each leaf has a stable public code; no message carries data.

`code` is part of the public interface: clients branch on it, so it never
changes its meaning. `message` is written for a person and says what to do.
"""

from collections.abc import Sequence
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


class DpopRequired(NotSignedIn):
    """A token that needs its key came without, or with another, or a partner's has none."""

    code = "DPOP_REQUIRED"
    message = (
        "Send an access token that is bound to your key as 'Authorization: DPoP ...', "
        "with a proof of that key (RFC 9449)."
    )


class DpopProofInvalid(NotSignedIn):
    """The proof of possession is missing, not of this request, too old, or was used before."""

    code = "DPOP_PROOF_INVALID"
    message = "The DPoP proof does not hold for this request. Make a new one for each request."


class CrossSiteRefused(PerisaiError):
    """A request with a browser's session that no page of ours can have sent."""

    code = "CROSS_SITE_REFUSED"
    status = 403
    message = "A browser's session counts for requests of the console's own pages only."


class SignInFailed(PerisaiError):
    """A sign-in by browser that did not come to its end."""

    code = "SIGN_IN_FAILED"
    status = 400
    message = "The sign-in did not come to its end. Start again at the console's first page."


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


class CaseFileClosed(NotAllowed):
    """What would bring somebody or something new to a case file that is closed."""

    code = "CASE_FILE_CLOSED"
    status = 409
    message = "The case file is closed. A supervisor of it, or the agency's lead, reopens it."


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
    message = (
        "Send a JSON object with 'query' or 'documentId' and, if needed, 'variables' and "
        "'operationName'."
    )


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


class ReceiptInvalid(PerisaiError):
    """A receipt that is not of the officer's organisation, was changed, or is too old."""

    code = "RECEIPT_INVALID"
    status = 400
    message = "This is no receipt of your organisation, or it is older than 92 days."


class SizesInvalid(PerisaiError):
    """Two sizes of the log between which there is no proof."""

    code = "SIZES_INVALID"
    status = 400
    message = "Give the sizes of two checkpoints of this log, the older one first."


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


class IdentityInText(PerisaiError):
    """A text that was to go to a partner still names, locates or numbers somebody."""

    code = "IDENTITY_IN_TEXT"
    status = 400
    message = (
        "The text still holds something that would tell who or where somebody is. "
        "Have it redacted again, and read it before it goes."
    )


class UrgencyTooLow(PerisaiError):
    """An urgency below what the answers of triage ask for, without a reason."""

    code = "URGENCY_TOO_LOW"
    status = 400
    message = "The answers ask for a higher urgency. Set it, or say why a lower one is enough."


class AssigneeInvalid(PerisaiError):
    """The person cannot be assigned, nor be delegated to."""

    code = "ASSIGNEE_INVALID"
    status = 400
    message = (
        "Name somebody else: a caseworker of your agency, cleared for this case file and free "
        "to work on it, and never yourself."
    )


class NotAssigned(PerisaiError):
    """Nothing to end: no live assignment of that person."""

    code = "NOT_ASSIGNED"
    status = 409
    message = "That caseworker is not assigned to this case file."


class ConsentInvalid(PerisaiError):
    """What was to be recorded as agreed cannot be."""

    code = "CONSENT_INVALID"
    status = 400
    message = (
        "A consent names another organisation or all agencies, at least one compartment, and a "
        "time at most 731 days ahead."
    )


class ConsentMissing(PerisaiError):
    """A referral to which not everybody agreed who would be referred."""

    code = "CONSENT_MISSING"
    status = 409
    message = (
        "Not every person in the case file agreed to this recipient, these compartments, this "
        "purpose and this time. Ask, and record the consents. Where a life is at stake send "
        "'Perisai-Legal-Basis: vital_interest', and say why."
    )


class ConsentOver(PerisaiError):
    """It was withdrawn before."""

    code = "CONSENT_OVER"
    status = 409
    message = "This consent was withdrawn already. Read it again."


class ReferralInvalid(PerisaiError):
    """What was to be referred, to whom or until when cannot be."""

    code = "REFERRAL_INVALID"
    status = 400
    message = (
        "Refer to another agency, at least one compartment, until a time at most 366 days "
        "ahead, and once: a referral to that agency may be open already."
    )


class ReferralNotOpen(PerisaiError):
    """It was answered, or it is over."""

    code = "REFERRAL_NOT_OPEN"
    status = 409
    message = "The referral was answered already or is over. Read it again."


class ReasonNotKept(PerisaiError):
    """A reason in words by who holds no key of the record's owner to seal it under."""

    code = "REASON_NOT_KEPT"
    status = 409
    message = (
        "The record is another agency's, so a reason in words cannot be kept with it. "
        "Do it again without one."
    )


class PeerNotTrusted(PerisaiError):
    """The keys of the other agency were not compared and pinned."""

    code = "PEER_NOT_TRUSTED"
    status = 409
    message = "Your agency has not confirmed the keys of that agency. Ask your operators."


class RecordErased(PerisaiError):
    """The record is erased; it can be read as that, and not be changed."""

    code = "RECORD_ERASED"
    status = 409
    message = "The record was erased, so nothing of it can be changed."


class LeadNotPossible(PerisaiError):
    """The agency still does something in the case file that must end before another one leads."""

    code = "LEAD_NOT_POSSIBLE"
    status = 409
    message = (
        "Another agency cannot lead this case file yet. `leadPreview` says what yours has to end "
        "before."
    )


class LeadProposed(PerisaiError):
    """What was to be accepted as a referral would make the agency lead the case file."""

    code = "LEAD_PROPOSED"
    status = 409
    message = "Your agency would lead this case file: accept that with `acceptLead`."


class LegalHoldStands(PerisaiError):
    """A legal hold forbids the erasure (UU PDP 27/2022, art. 44)."""

    code = "LEGAL_HOLD"
    status = 409
    message = (
        "A legal hold stands on this record, or on one that belongs with it. "
        "Have it lifted before the record is erased."
    )


class MatchInvalid(PerisaiError):
    """Another agency cannot be asked for this person."""

    code = "MATCH_INVALID"
    status = 400
    message = (
        "Ask another agency, for a person of whom you know the NIK, a telephone number or an "
        "e-mail address."
    )


class MatchNotOpen(PerisaiError):
    """It was answered, or it is over."""

    code = "MATCH_NOT_OPEN"
    status = 409
    message = "This was answered already or is over."


class MatchesExhausted(PerisaiError):
    """More people were asked for within a day than a member, or an agency, may."""

    code = "MATCHES_EXHAUSTED"
    status = 429
    message = (
        "You, or your agency, asked other agencies for as many people as a day allows. "
        "Try again tomorrow."
    )


class DefenderMerged(PerisaiError):
    """The record was merged into another one of the same person."""

    code = "DEFENDER_MERGED"
    status = 409
    message = (
        "This record was merged into another one of the same person: change that one, or have "
        "the merge undone."
    )


class MergeNotPossible(PerisaiError):
    """Two records that cannot be merged so."""

    code = "MERGE_NOT_POSSIBLE"
    status = 409
    message = (
        "Two records of your agency are merged, neither of which was merged into another one, "
        "and the duplicate keeps none itself; nor may a merge of it wait. Read both again."
    )


class MergeNotOpen(PerisaiError):
    """It waits for nobody, or was undone."""

    code = "MERGE_NOT_OPEN"
    status = 409
    message = "This merge was approved already, or was undone."


class MergeFinal(PerisaiError):
    """The days in which a merge can be undone have passed."""

    code = "MERGE_FINAL"
    status = 409
    message = "The days in which this merge could be undone have passed."


class TooManyStand(PerisaiError):
    """The caller gave the same right, or asked for it, several times, and that is not over."""

    code = "TOO_MANY_STAND"
    status = 409
    message = "You gave or asked for the same several times, and that stands. End or use it first."


class LookOver(PerisaiError):
    """A look of two persons that was approved or used already, or whose time has passed."""

    code = "LOOK_OVER"
    status = 409
    message = "This look was approved or used already, or its time has passed. Ask for another one."


class SecondPersonNeeded(PerisaiError):
    """What two persons must do was asked of one, or who did the first part no longer may."""

    code = "SECOND_PERSON_NEEDED"
    status = 409
    message = (
        "This takes another person than the one who asked for it, and both must still be "
        "members of your agency who may."
    )


class SignInNotStrong(PerisaiError):
    """What goes beyond the policy asks how and when the person signed in (RFC 9470)."""

    code = "SIGN_IN_NOT_STRONG"
    status = 401
    message = (
        "This takes a strong sign-in of a few minutes ago. Sign in again, with your security "
        "key, and repeat it with the new access token."
    )


class DefendersRemain(PerisaiError):
    """A case file whose defenders would be left in no case file."""

    code = "DEFENDERS_REMAIN"
    status = 409
    message = (
        "There are defenders in this case file who are in no other one. "
        "Have them erased first, then the case file."
    )


class StaleRevision(PerisaiError):
    """Somebody else changed the record first.

    Attributes:
        current: the revision that the record has now, where that is known.
    """

    code = "STALE_REVISION"
    status = 409
    message = "The record changed since you read it. Read it again and repeat the change."

    def __init__(self, current: int | None = None) -> None:
        """*current* is a number of the record, and nothing that it says."""
        super().__init__()
        self.current = current


class IdempotencyKeyInvalid(BadRequest):
    """A header `Idempotency-Key` that is no string of a structured field, or there twice."""

    code = "IDEMPOTENCY_KEY_INVALID"
    message = (
        "Send one 'Idempotency-Key' in double quotes: 1 to 64 printable characters of ASCII, "
        "such as a UUID."
    )


class IdempotencyKeyReused(PerisaiError):
    """A key with which the same member asked for something else within 24 hours."""

    code = "IDEMPOTENCY_KEY_REUSED"
    status = 422
    message = "This key was sent with another request. Take a new key for a new change."


class RequestUnderWay(PerisaiError):
    """The first request with this key has not ended yet."""

    code = "REQUEST_UNDER_WAY"
    status = 409
    message = "The first request with this key is still under way. Ask again shortly."


class AlreadyDone(PerisaiError):
    """The change was made by the first request with this key, whose answer was not kept."""

    code = "ALREADY_DONE"
    status = 409
    message = "The change was made by your first request with this key. Read the record."


class OutcomeUnknown(PerisaiError):
    """The first request with this key was cut off, or the end of its change went unanswered."""

    code = "OUTCOME_UNKNOWN"
    status = 409
    message = (
        "It is not certain that your first request with this key made the change. Read the "
        "record; to make the change after all, take a new key."
    )


class StepNotAllowed(PerisaiError):
    """A step that the life of a case file does not take from where it stands."""

    code = "STEP_NOT_ALLOWED"
    status = 409
    message = (
        "The case file does not take this step from where it stands, or somebody has asked to "
        "close it already. Read it again."
    )


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


class AttachmentMalformed(PerisaiError):
    """A request about an attachment that lacks a header, or has one that says nothing."""

    code = "ATTACHMENT_MALFORMED"
    status = 400
    message = (
        "To add, send the bytes as application/octet-stream with 'Perisai-Case-File' and "
        "'Perisai-File-Name'. To read, send 'Perisai-Attachment'."
    )


class AttachmentRefused(PerisaiError):
    """The bytes are of no kind that is kept: a program, a web page, an archive, nothing."""

    code = "ATTACHMENT_REFUSED"
    status = 415
    message = (
        "This kind of file is not kept. Send a picture, a recording, a PDF, an office "
        "document without macros, or plain text."
    )


class AttachmentTooLarge(PerisaiError):
    """More bytes than an attachment may have."""

    code = "ATTACHMENT_TOO_LARGE"
    status = 413
    message = "An attachment has at most 100 MiB. Send it in parts."


class ImportMalformed(PerisaiError):
    """A request to import whose headers or first line say nothing."""

    code = "IMPORT_MALFORMED"
    status = 400
    message = (
        "Send one line of JSON, the mapping, and after it the file, as "
        "application/x-perisai-import; 'Perisai-Import' is 'preview' or 'run'."
    )


class ImportMappingInvalid(PerisaiError):
    """The mapping is none: an unknown field, a missing one, or a word that means nothing."""

    code = "IMPORT_MAPPING_INVALID"
    status = 400
    message = "The mapping of columns to fields does not hold. See docs/importing.md."


class ImportFileInvalid(PerisaiError):
    """The file is not a table of one of the kinds that are read."""

    code = "IMPORT_FILE_INVALID"
    status = 400
    message = (
        "The file is no table that can be read: CSV in UTF-8, or XLSX, with a line of column "
        "names, each mapped one once, and at most 20,000 rows."
    )


class ImportConflict(PerisaiError):
    """The same file was imported, or begun, with another mapping."""

    code = "IMPORT_CONFLICT"
    status = 409
    message = (
        "This file was imported before, or in part, with another mapping. Go on with that one, "
        "or send a file without the rows that are there."
    )


class ImportTooLarge(PerisaiError):
    """More bytes than an import may have."""

    code = "IMPORT_TOO_LARGE"
    status = 413
    message = "A file to import has at most 32 MiB. Send it in parts."


class UploadCutOff(PerisaiError):
    """The bytes of an upload stopped coming; nothing of it is kept."""

    code = "UPLOAD_CUT_OFF"
    status = 408
    message = "The upload stopped before its end, so nothing was kept. Send it again."


class TransfersBusy(PerisaiError):
    """So many uploads and downloads are under way that no more may begin."""

    code = "TRANSFERS_BUSY"
    status = 429
    message = "Too many uploads and downloads at once. Let one end, then try again."


class OpeningsExhausted(PerisaiError):
    """The budget of people opened in an hour, the caller's or the process's, is spent."""

    code = "OPENINGS_EXHAUSTED"
    status = 429
    message = (
        "This would open more people than an hour allows, so nothing was opened. "
        "Ask for fewer, wait, or tell your security officer why you need more."
    )


class PointsExhausted(PerisaiError):
    """The points that a member has for an hour are spent."""

    code = "POINTS_EXHAUSTED"
    status = 429
    message = (
        "You asked for more than an hour allows, so nothing was done. Ask for smaller pages, "
        "or wait: 'x-ratelimit-reset' says how many seconds."
    )


class CallerBusy(PerisaiError):
    """So many requests of this member are under way that no more may begin."""

    code = "CALLER_BUSY"
    status = 429
    message = "Too many of your requests are under way at once. Let one end, then try again."


class StreamsBusy(PerisaiError):
    """So many subscriptions are open that no more may begin."""

    code = "STREAMS_BUSY"
    status = 429
    message = "Too many subscriptions are open at once. Let one end, then try again."


class EventStreamNeeded(PerisaiError):
    """A subscription from a client that does not take a stream of events."""

    code = "EVENT_STREAM_NEEDED"
    status = 406
    message = "A subscription is answered as a stream: send 'Accept: text/event-stream'."


class TimedOut(PerisaiError):
    """A reading that took longer than a request may."""

    code = "TIMED_OUT"
    status = 503
    message = "This took too long, so nothing was answered. Ask for less at once, or try again."


class IntrospectionRefused(PerisaiError):
    """The schema is not told to this role."""

    code = "INTROSPECTION_REFUSED"
    status = 403
    message = "The schema is not told here. Read it in the documentation of this version."


class DocumentNotTrusted(PerisaiError):
    """A text of the client's own, where only trusted documents are executed."""

    code = "DOCUMENT_NOT_TRUSTED"
    status = 403
    message = "Only trusted documents are executed here: name one with 'documentId'."


class DocumentUnknown(PerisaiError):
    """No trusted document of this face has this id."""

    code = "DOCUMENT_UNKNOWN"
    status = 400
    message = "No trusted document has this 'documentId'. Ask the operators to admit yours."


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


class ProtectionNotForSuspects(PerisaiError):
    """Emergency protection was asked for a suspect or defendant, whom that agency cannot take.

    Whoever says so gets this, before anything is looked for and with no event: that somebody
    is a suspect is criminal data (UU PDP 27/2022, art. 4), and stands nowhere in clear.
    """

    code = "PROTECTION_NOT_FOR_SUSPECTS"
    status = 409
    message = (
        "A suspect or defendant is not refused but protected another way: see to legal aid, and "
        "refer the case file to Komnas HAM."
    )


class StepNotPossible(PerisaiError):
    """It stands elsewhere than this step of it needs: done already, over, or not yet."""

    code = "STEP_NOT_POSSIBLE"
    status = 409
    message = "This step cannot be taken now. Read where it stands, and which step is the next."


class WitnessUnavailable(PerisaiError):
    """The state of a witness does not answer; so nothing is cosigned."""

    code = "WITNESS_UNAVAILABLE"
    status = 503
    message = "The state of the witness does not answer, so nothing was cosigned. Try again."


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


class PolicyChanged(PerisaiError):
    """The policy was changed while a request was under way that needs a second decision."""

    code = "POLICY_CHANGED"
    status = 409
    message = "The rules were changed while this was being done, so it was not done. Repeat it."


class SealBroken(PerisaiError):
    """A sealed value, wrap or right does not hold: changed, moved, or under another key."""

    code = "SEAL_BROKEN"
    status = 500
    message = "A sealed value does not hold. Nothing was disclosed; the operators must look."


class PaperNotMade(PerisaiError):
    """What was opened could not be set as PDF: too long, or the process for it failed."""

    code = "PAPER_NOT_MADE"
    status = 500
    message = "The paper could not be made. Read the same as fields, and tell the operators."


class PermitExpired(PerisaiError):
    """More than 3 s between the decision and the opening."""

    code = "PERMIT_EXPIRED"
    status = 503
    message = "The decision grew too old before the answer. Nothing was disclosed. Try again."


class CopyNotRead(PerisaiError):
    """A copy that is to be traced: too large, or a PDF or document that cannot be read."""

    code = "COPY_NOT_READ"
    message = "The copy cannot be read. Give its text, or what stands behind PRS in it with --mark."


class RefusesToStart(PerisaiError):
    """A setting or a state under which serving would be unsafe.

    The one leaf with a free sentence: it goes to an operator's terminal and is
    made of the names of settings and paths, never of records.
    """

    code = "REFUSES_TO_START"

    def __init__(self, sentence: str) -> None:
        """*sentence* says what is wrong and what to do."""
        Exception.__init__(self, sentence)


class ErasureUndone(RefusesToStart):
    """The records hold what the log says is erased: an older state of them was restored."""

    code = "ERASURE_UNDONE"


class LogNotContinued(RefusesToStart):
    """The log is shorter than, or another than, what checkpoints were signed for."""

    code = "LOG_NOT_CONTINUED"


class LogBroken(PerisaiError):
    """The access log does not hold: something in it was changed, removed or forked.

    Like RefusesToStart it speaks to operators and officers, in words made of table
    names, indices and paths; `place` and `what` never hold anything of a record.
    """

    code = "LOG_BROKEN"

    def __init__(self, place: str, what: str, also: Sequence["LogBroken"] = ()) -> None:
        """*place* says where (a table and row, a file), *what* says how it is wrong.

        Args:
            also: what else was found: the first fault of each other kind.
        """
        Exception.__init__(self, f"{place}: {what}")
        self.place = place
        self.what = what
        self.also = tuple(also)


class RecordsPutBack(PerisaiError):
    """The records are older than the log says: somebody put back, or took away, rows.

    It speaks to operators and officers; it names an event of the log and a compartment,
    and no record.
    """

    code = "RECORDS_PUT_BACK"

    def __init__(self, index: int, compartment: str, what: str) -> None:
        """*index* is of the event that knows better; *what* says how the records differ."""
        Exception.__init__(self, f"event {index}: the {compartment} of a record {what}")
        self.index = index


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
