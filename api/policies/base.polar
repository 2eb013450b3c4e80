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
# of this very caller), supervising (a live assignment of somebody else), tied
# (a declared tie of the caller to the reported adversary); and of each right that
# is narrower than an assignment, whether it lives and which compartments it names:
# referred (shares_...), delegated (delegates_...), break_glass (unlocks_...).
# second_person: a colleague looks at it together with the caller, once.
# closed: its agency closed it, and did not reopen it.
#
# Three questions are asked:
#   see     does this case file exist for the caller?
#   open    may the caller read what is sealed in one compartment of it?
#   change  may the caller do this to it?
# Each answer names its ground. Each agency states the grounds of its own
# caseworkers in a file of its own; through it they reach what stands here and
# no case file of another agency but those that were referred to theirs.


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
# agency it exists while a referral that it accepted lasts, and else not at all.
# To who is tied to the reported adversary it does not exist, whatever else grants.

see(who: Caseworker, file: CaseFile, "own_agency") if
    role_fits(who) and
    purpose_fits(who) and
    in_own_agency(who, file) and
    ground(who, "own_agency", file) and
    untied(file);

see(who: Caseworker, file: CaseFile, "referral_accepted") if
    role_fits(who) and
    purpose_fits(who) and
    is_referred(file) and
    ground(who, "referral_accepted", file) and
    untied(file);

untied(file: CaseFile) if file.tied = false;

in_own_agency(who: Caseworker, file: CaseFile) if file.lead_agency = who.agency;

is_referred(file: CaseFile) if file.referred = true;


# 3. MAY THE CALLER READ WHAT IS SEALED?
#
# Five things together: the case file exists for the caller; a ground that
# opens; clearance; the compartment is held on that ground; and, as part of the
# first, a fitting role and purpose. Where it was referred, a sixth: the
# compartment is part of the referral.

open(who: Caseworker, compartment, file: CaseFile, why) if
    see(who, file, "own_agency") and
    opens(who, compartment, file, why);

open(who: Caseworker, compartment, file: CaseFile, why) if
    see(who, file, "referral_accepted") and
    opens(who, compartment, file, why) and
    shared(compartment, file);

# By assignment or supervision: what the role reads on that ground.
opens(who: Caseworker, compartment, file: CaseFile, why) if
    opens_fields(why) and
    ground(who, why, file) and
    cleared(who, file) and
    holds(who, compartment, why);

# By delegation: what an assignee of that role reads, as far as the delegation names it.
opens(who: Caseworker, compartment, file: CaseFile, "delegated") if
    ground(who, "delegated", file) and
    cleared(who, file) and
    holds(who, compartment, "assigned") and
    delegated(compartment, file);

# In an emergency: the same, as far as the glass was broken for it.
opens(who: Caseworker, compartment, file: CaseFile, "break_glass") if
    ground(who, "break_glass", file) and
    cleared(who, file) and
    holds(who, compartment, "assigned") and
    unlocked(compartment, file);

# Whereabouts, for one look: who works on the case file or supervises that, and a
# colleague who does, together.
opens(who: Caseworker, "whereabouts", file: CaseFile, why) if
    opens_fields(why) and
    ground(who, why, file) and
    cleared(who, file) and
    looks(who.role) and
    file.second_person = true;

looks("agency_lead");
looks("case_officer");
looks("protection_officer");
looks("supervisor");

shared("adversary", file: CaseFile) if file.shares_adversary = true;
shared("contact", file: CaseFile) if file.shares_contact = true;
shared("documents", file: CaseFile) if file.shares_documents = true;
shared("gender_violence", file: CaseFile) if file.shares_gender_violence = true;
shared("identity", file: CaseFile) if file.shares_identity = true;
shared("narrative", file: CaseFile) if file.shares_narrative = true;
shared("whereabouts", file: CaseFile) if file.shares_whereabouts = true;

delegated("adversary", file: CaseFile) if file.delegates_adversary = true;
delegated("contact", file: CaseFile) if file.delegates_contact = true;
delegated("documents", file: CaseFile) if file.delegates_documents = true;
delegated("gender_violence", file: CaseFile) if file.delegates_gender_violence = true;
delegated("identity", file: CaseFile) if file.delegates_identity = true;
delegated("narrative", file: CaseFile) if file.delegates_narrative = true;
delegated("whereabouts", file: CaseFile) if file.delegates_whereabouts = true;

unlocked("adversary", file: CaseFile) if file.unlocks_adversary = true;
unlocked("contact", file: CaseFile) if file.unlocks_contact = true;
unlocked("documents", file: CaseFile) if file.unlocks_documents = true;
unlocked("gender_violence", file: CaseFile) if file.unlocks_gender_violence = true;
unlocked("identity", file: CaseFile) if file.unlocks_identity = true;
unlocked("narrative", file: CaseFile) if file.unlocks_narrative = true;
unlocked("whereabouts", file: CaseFile) if file.unlocks_whereabouts = true;

opens_fields("assigned");
opens_fields("supervising");

cleared(who: Caseworker, file: CaseFile) if file.sensitivity <= who.clearance;

# Is there any ground to open? (Asked after a refusal, to name the reason.)
grounded(who: Caseworker, file: CaseFile) if grounded_to_work(who, file);
grounded(who: Caseworker, file: CaseFile) if ground(who, "break_glass", file);

# Who supervises: these roles, and only when they say so. Who refers a case file
# must see what is handed on.
supervises("supervisor", "quality_review");
supervises("supervisor", "referral");
supervises("supervisor", "supervision");
supervises("agency_lead", "quality_review");
supervises("agency_lead", "referral");
supervises("agency_lead", "supervision");

# Who may break the glass: these roles, and only when they say that it is an emergency.
breaks_glass("agency_lead", "emergency");
breaks_glass("case_officer", "emergency");
breaks_glass("protection_officer", "emergency");
breaks_glass("supervisor", "emergency");


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

# To bring in what the agency held before: records by the thousand, so only who oversees,
# and nothing above the own clearance. It opens nothing, and assigns nobody.
change(who: Caseworker, "import", file: CaseFile, "own_agency") if
    see(who, file, "own_agency") and
    duty(who, "import") and
    serves(who, "import") and
    cleared(who, file);

# To give somebody of the own agency a need-to-know, or to end it: nobody gives
# what is above the own clearance.
change(who: Caseworker, action, file: CaseFile, why) if
    staffing(action) and
    see(who, file, why) and
    staffs(who.role) and
    serves(who, action) and
    goes_on(action, file) and
    cleared(who, file);

# To bring another agency in, to end that, or to review that it was done without consent.
# What is handed on is asked besides; not where the other agency comes to lead: then the
# institution hands on the whole, and nobody what they would have to open.
change(who: Caseworker, action, file: CaseFile, "own_agency") if
    giving(action) and
    see(who, file, "own_agency") and
    duty(who, action) and
    serves(who, action) and
    goes_on(action, file) and
    cleared(who, file);

# To answer a referral, or to end one that was accepted. Before it is accepted the
# question is asked of the case file as it would be then.
change(who: Caseworker, action, file: CaseFile, "referral_accepted") if
    answering(action) and
    see(who, file, "referral_accepted") and
    duty(who, action) and
    serves(who, action) and
    cleared(who, file);

# To end what is kept: to erase a record, which takes two persons, and to forbid it by
# a legal hold. It opens nothing, so it needs no assignment.
change(who: Caseworker, action, file: CaseFile, "own_agency") if
    erasing(action) and
    see(who, file, "own_agency") and
    duty(who, action) and
    serves(who, action) and
    cleared(who, file);

# To close it, when a colleague asked for that, or to reopen it. It opens nothing, so it
# needs no assignment.
change(who: Caseworker, action, file: CaseFile, "own_agency") if
    closing(action) and
    see(who, file, "own_agency") and
    duty(who, action) and
    serves(who, action) and
    cleared(who, file);

# To see who of the own agency could open what of it. It opens nothing, so it needs no
# assignment; nobody looks so at what is above the own clearance.
change(who: Caseworker, action, file: CaseFile, why) if
    reviewing(action) and
    see(who, file, why) and
    duty(who, action) and
    serves(who, action) and
    cleared(who, file);

# To read numbers over the case files of all agencies: rounded, without the small ones. They
# are of no record, so this is asked of a case file that the own agency would lead.
change(who: Caseworker, action, file: CaseFile, "own_agency") if
    counting(action) and
    see(who, file, "own_agency") and
    duty(who, action) and
    serves(who, action) and
    cleared(who, file);

# To write: only on a ground to work on it that opens something, and only where the own
# agency leads: what was referred is read.
change(who: Caseworker, action, file: CaseFile, why) if
    writing(action) and
    see(who, file, "own_agency") and
    duty(who, action) and
    serves(who, action) and
    goes_on(action, file) and
    works_on(why) and
    opens(who, _, file, why);

# To hand the own work on the case file to a colleague for a while, or to end that: who
# is assigned, so that nobody hands on what was handed to them.
change(who: Caseworker, action, file: CaseFile, "assigned") if
    delegating(action) and
    exists(who, file) and
    duty(who, action) and
    serves(who, action) and
    goes_on(action, file) and
    ground(who, "assigned", file) and
    cleared(who, file);

# To break the glass, or to put it back; what is to be opened is asked besides. After a
# use that nobody reviewed a second person approves it.
change(who: Caseworker, action, file: CaseFile, why) if
    emergency(action) and
    see(who, file, why) and
    duty(who, action) and
    serves(who, action) and
    cleared(who, file);

# To look at whereabouts together: both work on the case file, or supervise that.
change(who: Caseworker, action, file: CaseFile, why) if
    looking(action) and
    exists(who, file) and
    duty(who, action) and
    serves(who, action) and
    opens_fields(why) and
    ground(who, why, file) and
    cleared(who, file);

# To protect: who works on the case file or supervises that, where the own agency leads and
# where the case file was referred to it. What is written is the own agency's: its measures,
# its papers, its part of the plan.
change(who: Caseworker, action, file: CaseFile, why) if
    protecting(action) and
    exists(who, file) and
    duty(who, action) and
    serves(who, action) and
    goes_on(action, file) and
    opens_fields(why) and
    ground(who, why, file) and
    cleared(who, file);

# To approve a measure that a colleague requested. It opens nothing, so it needs no assignment.
change(who: Caseworker, "approve_measure", file: CaseFile, why) if
    see(who, file, why) and
    duty(who, "approve_measure") and
    serves(who, "approve_measure") and
    goes_on("approve_measure", file) and
    cleared(who, file);

# To protect first and ask for the papers later: several leads of the agency that has the
# mandate. It opens nothing either.
change(who: Caseworker, action, file: CaseFile, "mandated") if
    deciding(action) and
    exists(who, file) and
    duty(who, action) and
    serves(who, action) and
    goes_on(action, file) and
    ground(who, "mandated", file) and
    cleared(who, file);

# To ask another agency, without an answer, whether it knows the person, too: who works on the
# case file or supervises that. What is sent is asked besides.
change(who: Caseworker, "request_match", file: CaseFile, why) if
    see(who, file, "own_agency") and
    duty(who, "request_match") and
    serves(who, "request_match") and
    goes_on("request_match", file) and
    opens_fields(why) and
    ground(who, why, file) and
    cleared(who, file);

# To see that another agency asks for a person of the own, and to answer. It opens nothing.
change(who: Caseworker, "answer_match", file: CaseFile, "own_agency") if
    see(who, file, "own_agency") and
    duty(who, "answer_match") and
    serves(who, "answer_match") and
    cleared(who, file);

# To merge two records of one person within the agency, to approve that, and to undo it. It opens
# nothing and moves nothing; that the identity opens in both is asked besides.
change(who: Caseworker, action, file: CaseFile, "own_agency") if
    merging(action) and
    see(who, file, "own_agency") and
    duty(who, action) and
    serves(who, action) and
    cleared(who, file);

# To say that somebody is tied to the reported adversary: everybody for whom the case
# file exists. To take that back: the agency's lead.
change(who: Caseworker, action, file: CaseFile, why) if
    declaring(action) and
    see(who, file, why) and
    duty(who, action) and
    serves(who, action);

change(who: Caseworker, "withdraw_tie", file: CaseFile, why) if
    see(who, file, why) and
    duty(who, "withdraw_tie") and
    serves(who, "withdraw_tie") and
    cleared(who, file);

exists(who: Caseworker, file: CaseFile) if see(who, file, "own_agency");
exists(who: Caseworker, file: CaseFile) if see(who, file, "referral_accepted");

staffing("assign_caseworker");
staffing("end_delegation");
staffing("unassign_caseworker");

# Who staffs. An assignee, too, ends a delegation, but not whatever the assignment.
staffs("agency_lead");
staffs("supervisor");

giving("end_referral");
giving("preview_lead");
giving("propose_lead");
giving("refer_case_file");
giving("review_override");

answering("accept_lead");
answering("accept_referral");
answering("decline_referral");
answering("end_referral");

erasing("approve_erasure");
erasing("decline_erasure");
erasing("lift_legal_hold");
erasing("place_legal_hold");
erasing("preview_erasure");
erasing("request_erasure");

# What a supervisor does of it; the rest is for the agency's lead.
erasing_asked("decline_erasure");
erasing_asked("preview_erasure");
erasing_asked("request_erasure");

closing("approve_closing");
closing("decline_closing");
closing("reopen_case_file");

merging("approve_merge");
merging("merge_defenders");
merging("undo_merge");

reviewing("review_access");

counting("read_statistics");

writing("add_attachment");
writing("add_note");
writing("advance_case_file");
writing("assess_risk");
writing("correct_incident");
writing("record_adversary");
writing("record_consent");
writing("record_incident");
writing("request_closing");
writing("update_defender");
writing("withdraw_consent");

# While a case file is closed nobody and nothing new comes to it. What is there is
# corrected and added to, and what was given ends.
goes_on(action, _: CaseFile) if lasting(action);
goes_on(action, file: CaseFile) if
    beginning(action) and
    file.closed = false;

beginning("add_plan_step");
beginning("advance_case_file");
beginning("approve_emergency_protection");
beginning("approve_measure");
beginning("assess_risk");
beginning("assign_caseworker");
beginning("delegate_case_file");
beginning("grant_emergency_protection");
beginning("propose_lead");
beginning("record_adversary");
beginning("record_incident");
beginning("refer_case_file");
beginning("request_closing");
beginning("request_match");
beginning("request_measure");
beginning("start_measure");

lasting("add_attachment");
lasting("add_note");
lasting("complete_plan_step");
lasting("correct_incident");
lasting("end_delegation");
lasting("end_measure");
lasting("end_referral");
lasting("meet_requirement");
lasting("preview_lead");
lasting("ratify_emergency_protection");
lasting("record_consent");
lasting("review_override");
lasting("unassign_caseworker");
lasting("update_defender");
lasting("withdraw_consent");

works_on("assigned");
works_on("delegated");
works_on("supervising");

delegating("delegate_case_file");
delegating("end_delegation");

emergency("approve_break_glass");
emergency("break_glass");
emergency("end_break_glass");

breaking("break_glass");
breaking("end_break_glass");

looking("approve_look");
looking("look");
looking("request_look");

protecting("add_plan_step");
protecting("complete_plan_step");
protecting("end_measure");
protecting("meet_requirement");
protecting("request_measure");
protecting("start_measure");

deciding("approve_emergency_protection");
deciding("grant_emergency_protection");
deciding("ratify_emergency_protection");

declaring("declare_tie");

# Which role has which duty.
duty(who: Caseworker, "open_case_file") if casework_role(who.role);
duty(_: Caseworker{role: "supervisor"}, "import");
duty(_: Caseworker{role: "agency_lead"}, "import");
duty(who: Caseworker, "add_attachment") if casework_role(who.role);
duty(who: Caseworker, "add_note") if casework_role(who.role);
duty(who: Caseworker, "record_consent") if casework_role(who.role);
duty(who: Caseworker, "advance_case_file") if casework_role(who.role);
duty(who: Caseworker, "assess_risk") if casework_role(who.role);
duty(who: Caseworker, "correct_incident") if casework_role(who.role);
duty(who: Caseworker, "record_adversary") if casework_role(who.role);
duty(who: Caseworker, "record_incident") if casework_role(who.role);
duty(who: Caseworker, "request_closing") if casework_role(who.role);
duty(who: Caseworker, "update_defender") if casework_role(who.role);
duty(who: Caseworker, "request_match") if casework_role(who.role);
duty(_: Caseworker{role: "supervisor"}, "answer_match");
duty(_: Caseworker{role: "agency_lead"}, "answer_match");
duty(who: Caseworker, "withdraw_consent") if casework_role(who.role);
duty(who: Caseworker, action) if staffing(action) and staffs(who.role);
duty(_: Caseworker{role: "supervisor"}, action) if referring(action);
duty(_: Caseworker{role: "agency_lead"}, action) if referring(action);
duty(_: Caseworker{role: "supervisor"}, action) if closing(action);
duty(_: Caseworker{role: "agency_lead"}, action) if closing(action);
duty(_: Caseworker{role: "supervisor"}, action) if reviewing(action);
duty(_: Caseworker{role: "agency_lead"}, action) if reviewing(action);
duty(_: Caseworker{role: "supervisor"}, action) if merging(action);
duty(_: Caseworker{role: "agency_lead"}, action) if merging(action);
duty(_: Caseworker{role: "supervisor"}, action) if counting(action);
duty(_: Caseworker{role: "agency_lead"}, action) if counting(action);
duty(_: Caseworker{role: "supervisor"}, action) if erasing_asked(action);
duty(_: Caseworker{role: "agency_lead"}, action) if erasing(action);
duty(who: Caseworker, action) if delegating(action) and casework_role(who.role);
duty(who: Caseworker, action) if breaking(action) and breaks_glass(who.role, "emergency");
duty(_: Caseworker{role: "supervisor"}, "approve_break_glass");
duty(_: Caseworker{role: "agency_lead"}, "approve_break_glass");
duty(_: Caseworker{role: "supervisor"}, "review_override");
duty(_: Caseworker{role: "agency_lead"}, "review_override");
duty(who: Caseworker, action) if looking(action) and looks(who.role);
duty(who: Caseworker, action) if protecting(action) and protects(who.role);
duty(who: Caseworker, "approve_measure") if staffs(who.role);
duty(_: Caseworker{role: "agency_lead"}, action) if deciding(action);
duty(who: Caseworker, action) if declaring(action) and casework_role(who.role);
duty(_: Caseworker{role: "agency_lead"}, "withdraw_tie");

# Who takes a complaint in requests no measures.
protects("agency_lead");
protects("case_officer");
protects("protection_officer");
protects("supervisor");

referring("accept_lead");
referring("accept_referral");
referring("decline_referral");
referring("end_referral");
referring("preview_lead");
referring("propose_lead");
referring("refer_case_file");

# Which purpose serves which change. A quality review reads and never writes.
serves(who: Caseworker, action) if staffing(action) and purpose_fits(who);
serves(who: Caseworker, "open_case_file") if takes_in(who.purpose);
serves(who: Caseworker, "import") if brings_in(who.purpose);
serves(who: Caseworker, action) if referring(action) and refers(who.purpose);
serves(who: Caseworker, action) if erasing(action) and erases(who.purpose);
serves(who: Caseworker, action) if closing(action) and closes(who.purpose);
serves(who: Caseworker, action) if reviewing(action) and reviews(who.purpose);
serves(who: Caseworker, action) if merging(action) and merges(who.purpose);
serves(who: Caseworker, action) if counting(action) and counts(who.purpose);
serves(who: Caseworker, action) if writing(action) and writes(who.purpose);
serves(who: Caseworker, action) if delegating(action) and purpose_fits(who);
serves(who: Caseworker, action) if breaking(action) and breaks_glass(who.role, who.purpose);
serves(who: Caseworker, "approve_break_glass") if purpose_fits(who);
serves(who: Caseworker, "review_override") if reviews(who.purpose);
serves(who: Caseworker, action) if looking(action) and purpose_fits(who);
serves(who: Caseworker, action) if protecting(action) and protects_for(who.purpose);
serves(who: Caseworker, "approve_measure") if protects_for(who.purpose);
serves(who: Caseworker, action) if deciding(action) and protects_for(who.purpose);
serves(who: Caseworker, "request_match") if brings_together(who.purpose);
serves(who: Caseworker, "answer_match") if brings_together(who.purpose);
serves(who: Caseworker, action) if declaring(action) and purpose_fits(who);
serves(who: Caseworker, "withdraw_tie") if purpose_fits(who);

takes_in("assessment");
takes_in("emergency");
takes_in("intake");

brings_in("intake");

refers("referral");

erases("subject_request");
erases("supervision");

closes("assessment");
closes("supervision");
protects_for("emergency");
protects_for("protection");
protects_for("supervision");

merges("supervision");

reviews("quality_review");
reviews("subject_request");
reviews("supervision");

# Who brings two agencies together for a person, or must not lose time.
brings_together("emergency");
brings_together("protection");
brings_together("referral");

counts("quality_review");
counts("supervision");

writes("assessment");
writes("emergency");
writes("intake");
writes("protection");
writes("referral");
writes("subject_request");
writes("supervision");

# Is there any ground for this change? (Asked after a refusal, to name the reason.)
grounded_to_change(who: Caseworker, action, _: CaseFile) if
    staffing(action) and staffs(who.role);
grounded_to_change(_: Caseworker, action, _: CaseFile) if reviewing(action);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    counting(action) and in_own_agency(who, file);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    merging(action) and in_own_agency(who, file);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    closing(action) and in_own_agency(who, file);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    erasing(action) and in_own_agency(who, file);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    giving(action) and in_own_agency(who, file);
grounded_to_change(who: Caseworker, "import", file: CaseFile) if
    in_own_agency(who, file);
grounded_to_change(_: Caseworker, action, file: CaseFile) if
    answering(action) and is_referred(file);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    writing(action) and in_own_agency(who, file) and grounded_to_work(who, file);
grounded_to_change(who: Caseworker, "request_match", file: CaseFile) if
    in_own_agency(who, file) and grounded_to_look(who, file);
grounded_to_change(who: Caseworker, "answer_match", file: CaseFile) if in_own_agency(who, file);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    delegating(action) and ground(who, "assigned", file);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    looking(action) and grounded_to_look(who, file);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    protecting(action) and grounded_to_look(who, file);
grounded_to_change(_: Caseworker, "approve_measure", _: CaseFile);
grounded_to_change(who: Caseworker, action, file: CaseFile) if
    deciding(action) and ground(who, "mandated", file);
grounded_to_change(_: Caseworker, action, _: CaseFile) if emergency(action);
grounded_to_change(_: Caseworker, "withdraw_tie", _: CaseFile);

grounded_to_work(who: Caseworker, file: CaseFile) if grounded_to_look(who, file);
grounded_to_work(who: Caseworker, file: CaseFile) if ground(who, "delegated", file);
grounded_to_look(who: Caseworker, file: CaseFile) if ground(who, "assigned", file);
grounded_to_look(who: Caseworker, file: CaseFile) if ground(who, "supervising", file);

?= not erasing_asked("approve_erasure");
?= not erasing_asked("lift_legal_hold");
?= not erases("quality_review");
?= not closes("quality_review");
?= not lasting("assign_caseworker");
?= not lasting("propose_lead");
?= not lasting("refer_case_file");
?= not merges("quality_review");
?= not reviews("protection");
?= not counts("protection");
?= not writes("quality_review");
?= not brings_together("supervision");
?= not takes_in("supervision");
?= not brings_in("emergency");
?= not works_on("break_glass");
?= not breaks_glass("intake_officer", _);
?= not breaks_glass(_, "assessment");
?= not looks("intake_officer");
?= not opens_fields("mandated");
?= not protects("intake_officer");
?= not protects_for("quality_review");
?= not staffs("case_officer");
