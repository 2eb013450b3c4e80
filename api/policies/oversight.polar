# SECURITY OFFICERS: who reads the access log
#
# An officer reads the events of the own agency: what its members did, and what
# anybody did to the records that it leads. An officer reaches no case file and
# no compartment.
#
# A SecurityOfficer has: agency. An Event has: own_actor (somebody of that agency
# did it), own_record (it concerns a record that the agency leads), break_glass (a
# use of an emergency access, open to be reviewed).

see(_: SecurityOfficer, event: Event, "oversight") if event.own_actor = true;
see(_: SecurityOfficer, event: Event, "oversight") if event.own_record = true;

# Who reviews an emergency access belongs to another agency than who used it.
see(_: SecurityOfficer, event: Event, "oversight") if is_anothers_use(event);

change(_: SecurityOfficer, "review_break_glass", event: Event, "oversight") if
    is_anothers_use(event);

is_anothers_use(event: Event) if event.break_glass = true and event.own_actor = false;

role_fits(_: SecurityOfficer);
purpose_fits(_: SecurityOfficer);
untied(_: Event);
duty(_: SecurityOfficer, "review_break_glass");
serves(_: SecurityOfficer, "review_break_glass");

?= see(new SecurityOfficer(agency: "lpsk"), new Event(own_actor: true, own_record: false), "oversight");
?= see(new SecurityOfficer(agency: "lpsk"), new Event(own_actor: false, own_record: true), "oversight");
?= not see(new SecurityOfficer(agency: "lpsk"), new Event(own_actor: false, own_record: false), _);
?= not see(
    new SecurityOfficer(agency: "lpsk"),
    new CaseFile(lead_agency: "lpsk", sensitivity: 1, assigned: true, supervising: true),
    _);
?= change(
    new SecurityOfficer(agency: "lpsk"),
    "review_break_glass",
    new Event(own_actor: false, own_record: true, break_glass: true),
    "oversight");
?= not change(
    new SecurityOfficer(agency: "lpsk"),
    "review_break_glass",
    new Event(own_actor: true, own_record: true, break_glass: true),
    _);
?= not see(new SecurityOfficer(agency: "lpsk"), new Event(own_actor: false, own_record: false, break_glass: false), _);
