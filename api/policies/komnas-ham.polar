# THE GROUNDS OF KOMNAS HAM, THE NATIONAL COMMISSION ON HUMAN RIGHTS
#
# An agency's file states on which grounds its own caseworkers come to a case
# file, and nothing else: every rule here is a "ground" of a Caseworker of this
# agency. What a ground opens, and for whom, stands in base.polar.

# The agency leads the case file: its caseworkers know that it exists.
ground(who: Caseworker{agency: "komnas-ham"}, "own_agency", file: CaseFile) if
    file.lead_agency = who.agency;

# The caseworker is assigned to it, now.
ground(_: Caseworker{agency: "komnas-ham"}, "assigned", file: CaseFile) if
    file.assigned = true;

# The caseworker supervises somebody who is assigned to it, now, and says so.
ground(who: Caseworker{agency: "komnas-ham"}, "supervising", file: CaseFile) if
    supervises(who.role, who.purpose) and
    file.supervising = true;

# An assigned colleague handed the work to the caseworker, until a date.
ground(_: Caseworker{agency: "komnas-ham"}, "delegated", file: CaseFile) if
    file.delegated = true;

# A life is at stake and nobody who is assigned can be reached: the caseworker broke the
# glass for it and says so.
ground(who: Caseworker{agency: "komnas-ham"}, "break_glass", file: CaseFile) if
    breaks_glass(who.role, who.purpose) and
    file.break_glass = true;

# Another agency referred the case file to this one, which accepted.
ground(_: Caseworker{agency: "komnas-ham"}, "referral_accepted", file: CaseFile) if
    file.referred = true;


# An assigned case officer reads the identity.
?= open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    "identity",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: true, supervising: false),
    "assigned");

# Without an assignment the case file exists and stays closed.
?= see(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 4, assigned: false, supervising: true),
    "own_agency");
?= not open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 4, trained: true, purpose: "protection"),
    _,
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 1, assigned: false, supervising: true),
    _);

# A supervisor reads it for supervision, and not for another purpose.
?= open(
    new Caseworker(agency: "komnas-ham", role: "supervisor", clearance: 3, trained: false, purpose: "supervision"),
    "identity",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true),
    "supervising");
?= not open(
    new Caseworker(agency: "komnas-ham", role: "supervisor", clearance: 3, trained: false, purpose: "assessment"),
    "identity",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true),
    _);

# A case file of another agency does not exist, even with an assignment in hand.
?= not see(
    new Caseworker(agency: "komnas-ham", role: "agency_lead", clearance: 4, trained: true, purpose: "supervision"),
    new CaseFile(lead_agency: "lpsk", sensitivity: 1, assigned: true, supervising: true),
    _);

# What another agency referred is read by who is assigned here, as far as it is shared.
?= open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    "identity",
    new CaseFile(lead_agency: "lpsk", sensitivity: 3, assigned: true, supervising: false, referred: true, shares_adversary: false, shares_contact: true, shares_documents: false, shares_gender_violence: false, shares_identity: true, shares_narrative: false, shares_whereabouts: false),
    "assigned");
?= not open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    "narrative",
    new CaseFile(lead_agency: "lpsk", sensitivity: 3, assigned: true, supervising: false, referred: true, shares_adversary: false, shares_contact: true, shares_documents: false, shares_gender_violence: false, shares_identity: true, shares_narrative: false, shares_whereabouts: false),
    _);
?= not open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    _,
    new CaseFile(lead_agency: "lpsk", sensitivity: 3, assigned: false, supervising: true, referred: true, shares_adversary: false, shares_contact: true, shares_documents: false, shares_gender_violence: false, shares_identity: true, shares_narrative: false, shares_whereabouts: false),
    _);

# It is not written to, and not referred on.
?= not change(
    new Caseworker(agency: "komnas-ham", role: "agency_lead", clearance: 4, trained: true, purpose: "referral"),
    "refer_case_file",
    new CaseFile(lead_agency: "lpsk", sensitivity: 1, assigned: true, supervising: true, referred: true, shares_adversary: false, shares_contact: true, shares_documents: false, shares_gender_violence: false, shares_identity: true, shares_narrative: false, shares_whereabouts: false),
    _);
?= not change(
    new Caseworker(agency: "komnas-ham", role: "agency_lead", clearance: 4, trained: true, purpose: "referral"),
    "add_note",
    new CaseFile(lead_agency: "lpsk", sensitivity: 1, assigned: true, supervising: true, referred: true, shares_adversary: false, shares_contact: true, shares_documents: false, shares_gender_violence: false, shares_identity: true, shares_narrative: false, shares_whereabouts: false),
    _);

# What a colleague handed over is read as far as the delegation names it.
?= open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    "identity",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, delegated: true, delegates_identity: true),
    "delegated");
?= not open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    "narrative",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, delegated: true, delegates_identity: true),
    _);

# The glass is broken in an emergency, for what was named, and read only.
?= open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "emergency"),
    "identity",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, break_glass: true, unlocks_identity: true),
    "break_glass");
?= not open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "emergency"),
    "narrative",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, break_glass: true, unlocks_identity: true),
    _);
?= not open(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    "identity",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, break_glass: true, unlocks_identity: true),
    _);
?= not open(
    new Caseworker(agency: "komnas-ham", role: "intake_officer", clearance: 3, trained: false, purpose: "emergency"),
    "identity",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, break_glass: true, unlocks_identity: true),
    _);
?= not change(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "emergency"),
    "add_note",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, break_glass: true, unlocks_identity: true),
    _);

# To who is tied to the reported adversary it does not exist.
?= not see(
    new Caseworker(agency: "komnas-ham", role: "case_officer", clearance: 3, trained: false, purpose: "protection"),
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, tied: true),
    _);

# What is closed is given to nobody new.
?= not change(
    new Caseworker(agency: "komnas-ham", role: "supervisor", clearance: 3, trained: false, purpose: "supervision"),
    "assign_caseworker",
    new CaseFile(lead_agency: "komnas-ham", sensitivity: 3, assigned: false, supervising: true, closed: true),
    _);
