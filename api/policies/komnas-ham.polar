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
