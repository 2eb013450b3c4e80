# EXTERNAL PARTNERS: legal aid, crisis centres, unions, protection funds
#
# A partner receives releases: redacted views, each made for one partner and one
# purpose, until a date. A partner reaches no case file and no compartment.
#
# A Partner has: purpose (declared with the request). A Release has: addressed
# (made for this partner), live (neither over nor revoked), for_purpose (made for
# the purpose that the partner declared), tied (the partner is tied to the reported
# adversary).

see(who: Partner, release: Release, "addressee") if
    purpose_fits(who) and
    untied(release) and
    release.addressed = true and
    release.live = true and
    release.for_purpose = true;

untied(release: Release) if release.tied = false;

role_fits(_: Partner);
purpose_fits(who: Partner) if purpose_of_partner(who.purpose);

purpose_of_partner("assessment");
purpose_of_partner("emergency");
purpose_of_partner("protection");
purpose_of_partner("referral");

?= see(new Partner(purpose: "protection"), new Release(addressed: true, live: true, for_purpose: true), "addressee");
?= not see(new Partner(purpose: "protection"), new Release(addressed: true, live: false, for_purpose: true), _);
?= not see(new Partner(purpose: "protection"), new Release(addressed: false, live: true, for_purpose: true), _);
?= not see(new Partner(purpose: "protection"), new Release(addressed: true, live: true, for_purpose: false), _);
?= not see(new Partner(purpose: "supervision"), new Release(addressed: true, live: true, for_purpose: true), _);
?= not see(
    new Partner(purpose: "protection"),
    new CaseFile(lead_agency: "lpsk", sensitivity: 1, assigned: true, supervising: true),
    _);
