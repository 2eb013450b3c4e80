"""Who is calling? Access tokens become Caseworker, Partner, SecurityOfficer or Operator."""
