# PERISAI: THE SKELETON OF NEED-TO-KNOW
#
# How to read this. A rule says: what stands before "if" holds when everything
# after "if" holds. Several rules with one name are several ways; one is enough.
# A line without "if" holds always: such lines make the tables. What no rule
# allows is refused. A line that starts with "?=" is a test: the service does
# not start unless it holds.
#
# A Caseworker has: agency, role, clearance (1 to 4), trained (holds the
# training on gender-based violence), purpose (declared with the request).
# A CaseFile has: lead_agency, sensitivity (1 to 4), assigned (a live assignment
# of this very caller), supervising (a live assignment of somebody else).
#
# Three questions are asked:
#   see     does this case file exist for the caller?
#   open    may the caller read what is sealed in one compartment of it?
#   change  may the caller do this to it?
# Each answer names its ground. Each agency states the grounds of its own
# caseworkers in a file of its own; through it they reach what stands here and
# no case file of another agency.


# 1. ROLES AND PURPOSES
#
# Only these roles do casework. Operators and security officers are not among
# them and partners have a file of their own: none of them reaches a compartment.

casework_role("agency_lead");
casework_role("case_officer");
casework_role("intake_officer");
casework_role("protection_officer");
casework_role("supervisor");

# Which role may open records for which purpose (UU PDP 27/2022, art. 20).

purpose_of("intake_officer", "assessment");
purpose_of("intake_officer", "emergency");
purpose_of("intake_officer", "intake");
purpose_of("intake_officer", "referral");

purpose_of("case_officer", "assessment");
purpose_of("case_officer", "emergency");
purpose_of("case_officer", "intake");
purpose_of("case_officer", "protection");
purpose_of("case_officer", "referral");
purpose_of("case_officer", "subject_request");

purpose_of("protection_officer", "assessment");
purpose_of("protection_officer", "emergency");
purpose_of("protection_officer", "intake");
purpose_of("protection_officer", "protection");
purpose_of("protection_officer", "referral");

purpose_of("supervisor", "assessment");
purpose_of("supervisor", "emergency");
purpose_of("supervisor", "intake");
purpose_of("supervisor", "protection");
purpose_of("supervisor", "quality_review");
purpose_of("supervisor", "referral");
purpose_of("supervisor", "subject_request");
purpose_of("supervisor", "supervision");

purpose_of("agency_lead", "assessment");
purpose_of("agency_lead", "emergency");
purpose_of("agency_lead", "intake");
purpose_of("agency_lead", "protection");
purpose_of("agency_lead", "quality_review");
purpose_of("agency_lead", "referral");
purpose_of("agency_lead", "subject_request");
purpose_of("agency_lead", "supervision");

role_fits(who: Caseworker) if casework_role(who.role);
purpose_fits(who: Caseworker) if purpose_of(who.role, who.purpose);

?= not purpose_of("case_officer", "supervision");
?= not purpose_of("intake_officer", "quality_review");
?= not casework_role("operator");
?= not casework_role("security_officer");
?= not casework_role("partner");


# 2. DOES IT EXIST FOR THE CALLER?
#
# To a caseworker of the lead agency, whatever its sensitivity: a team must know
# that a case exists. This shows routing data only and opens nothing. To another
# agency it does not exist at all.

see(who: Caseworker, file: CaseFile, why) if
    role_fits(who) and
    purpose_fits(who) and
    in_own_agency(who, file) and
    shows_existence(why) and
    ground(who, why, file);

in_own_agency(who: Caseworker, file: CaseFile) if file.lead_agency = who.agency;

shows_existence("own_agency");


# 3. MAY THE CALLER READ WHAT IS SEALED?
#
# Five things together: the case file exists for the caller; a ground that
# opens; clearance; the compartment is held on that ground; and, as part of the
# first, a fitting role and purpose.

open(who: Caseworker, compartment, file: CaseFile, why) if
    see(who, file, _) and
    opens_fields(why) and
    ground(who, why, file) and
    cleared(who, file) and
    holds(who, compartment, why);

opens_fields("assigned");
opens_fields("supervising");

cleared(who: Caseworker, file: CaseFile) if file.sensitivity <= who.clearance;

# Is there any ground to open? (Asked after a refusal, to name the reason.)
grounded(who: Caseworker, file: CaseFile) if ground(who, "assigned", file);
grounded(who: Caseworker, file: CaseFile) if ground(who, "supervising", file);

# Who supervises: these roles, and only when they say so.
supervises("supervisor", "quality_review");
supervises("supervisor", "supervision");
supervises("agency_lead", "quality_review");
supervises("agency_lead", "supervision");


# 4. COMPARTMENTS
#
# Which role reads which compartment on which ground. The compartment "release"
# belongs to what was made for a partner; no caseworker reads it here.

holds(who: Caseworker, "adversary", why) if reads(who.role, "adversary", why);
holds(who: Caseworker, "contact", why) if reads(who.role, "contact", why);
holds(who: Caseworker, "documents", why) if reads(who.role, "documents", why);
holds(who: Caseworker, "identity", why) if reads(who.role, "identity", why);
holds(who: Caseworker, "narrative", why) if reads(who.role, "narrative", why);
holds(who: Caseworker, "whereabouts", why) if reads(who.role, "whereabouts", why);

# Only who has the training, whatever the role.
holds(who: Caseworker{trained: true}, "gender_violence", why) if
    reads(who.role, "gender_violence", why);

reads("intake_officer", "contact", "assigned");
reads("intake_officer", "identity", "assigned");
reads("intake_officer", "narrative", "assigned");

reads("case_officer", "adversary", "assigned");
reads("case_officer", "contact", "assigned");
reads("case_officer", "documents", "assigned");
reads("case_officer", "gender_violence", "assigned");
reads("case_officer", "identity", "assigned");
reads("case_officer", "narrative", "assigned");

reads("protection_officer", "adversary", "assigned");
reads("protection_officer", "contact", "assigned");
reads("protection_officer", "documents", "assigned");
reads("protection_officer", "gender_violence", "assigned");
reads("protection_officer", "identity", "assigned");
reads("protection_officer", "narrative", "assigned");
reads("protection_officer", "whereabouts", "assigned");

reads("supervisor", "adversary", "assigned");
reads("supervisor", "contact", "assigned");
reads("supervisor", "documents", "assigned");
reads("supervisor", "gender_violence", "assigned");
reads("supervisor", "identity", "assigned");
reads("supervisor", "narrative", "assigned");
reads("supervisor", "adversary", "supervising");
reads("supervisor", "contact", "supervising");
reads("supervisor", "documents", "supervising");
reads("supervisor", "gender_violence", "supervising");
reads("supervisor", "identity", "supervising");
reads("supervisor", "narrative", "supervising");

# An agency's lead reads whereabouts only where personally assigned.
reads("agency_lead", "adversary", "assigned");
reads("agency_lead", "contact", "assigned");
reads("agency_lead", "documents", "assigned");
reads("agency_lead", "gender_violence", "assigned");
reads("agency_lead", "identity", "assigned");
reads("agency_lead", "narrative", "assigned");
reads("agency_lead", "whereabouts", "assigned");
reads("agency_lead", "adversary", "supervising");
reads("agency_lead", "contact", "supervising");
reads("agency_lead", "documents", "supervising");
reads("agency_lead", "gender_violence", "supervising");
reads("agency_lead", "identity", "supervising");
reads("agency_lead", "narrative", "supervising");

?= not reads("case_officer", "whereabouts", _);
?= not reads("intake_officer", "gender_violence", _);
?= not reads("supervisor", "whereabouts", _);
?= not reads("agency_lead", "whereabouts", "supervising");
?= not reads(_, "release", _);
?= not reads(_, _, "own_agency");


# 5. CHANGES
#
# The compartments that a change touches are asked besides, as in 3.

# To take a new case file in, for the own agency.
change(who: Caseworker, "open_case_file", file: CaseFile, "own_agency") if
    see(who, file, "own_agency") and
    duty(who, "open_case_file") and
    serves(who, "open_case_file");

# To give somebody a need-to-know, or to end it: nobody gives what is above the
# own clearance.
change(who: Caseworker, action, file: CaseFile, "own_agency") if
    staffing(action) and
    see(who, file, "own_agency") and
    duty(who, action) and
    serves(who, action) and
    cleared(who, file);

# To write: only on a ground that opens.
change(who: Caseworker, action, file: CaseFile, why) if
    writing(action) and
    see(who, file, _) and
    duty(who, action) and
    serves(who, action) and
    opens_fields(why) and
    ground(who, why, file) and
    cleared(who, file);

staffing("assign_caseworker");
staffing("unassign_caseworker");

writing("add_note");
writing("update_defender");

# Which role has which duty.
duty(who: Caseworker, "open_case_file") if casework_role(who.role);
duty(who: Caseworker, "add_note") if casework_role(who.role);
duty(who: Caseworker, "update_defender") if casework_role(who.role);
duty(_: Caseworker{role: "supervisor"}, action) if staffing(action);
duty(_: Caseworker{role: "agency_lead"}, action) if staffing(action);

# Which purpose serves which change. A quality review reads and never writes.
serves(who: Caseworker, action) if staffing(action) and purpose_fits(who);
serves(who: Caseworker, "open_case_file") if takes_in(who.purpose);
serves(who: Caseworker, action) if writing(action) and writes(who.purpose);

takes_in("assessment");
takes_in("emergency");
takes_in("intake");

writes("assessment");
writes("emergency");
writes("intake");
writes("protection");
writes("referral");
writes("subject_request");
writes("supervision");

# Is there any ground for this change? (Asked after a refusal, to name the reason.)
grounded_to_change(_: Caseworker, action, _: CaseFile) if staffing(action);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    writing(action) and grounded(who, file);

?= not writes("quality_review");
?= not takes_in("supervision");
