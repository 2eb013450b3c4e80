# SECURITY OFFICERS: who reads the access log
#
# An officer reads the events of the own agency: what its members did, and what
# anybody did to the records that it leads. An officer reaches no case file and
# no compartment.
#
# A SecurityOfficer has: agency. An Event has: own_actor (somebody of that agency
# did it), own_record (it concerns a record that the agency leads).

see(_: SecurityOfficer, event: Event, "oversight") if event.own_actor = true;
see(_: SecurityOfficer, event: Event, "oversight") if event.own_record = true;

role_fits(_: SecurityOfficer);
purpose_fits(_: SecurityOfficer);

?= see(new SecurityOfficer(agency: "lpsk"), new Event(own_actor: true, own_record: false), "oversight");
?= see(new SecurityOfficer(agency: "lpsk"), new Event(own_actor: false, own_record: true), "oversight");
?= not see(new SecurityOfficer(agency: "lpsk"), new Event(own_actor: false, own_record: false), _);
?= not see(
    new SecurityOfficer(agency: "lpsk"),
    new CaseFile(lead_agency: "lpsk", sensitivity: 1, assigned: true, supervising: true),
    _);
