"""What `xtsync doctor` looks at: one small function for each check, and a remedy for whatever it finds.

Nothing in here writes. What one tenant cannot do for the other is printed as the exact link or command, for an
administrator there. No check stops another.

    finding.py       what a check is, and what it says
    token.py         of one app on one tenant: its access token, and whether Graph takes it
    policies.py      what two tenants have to agree on, as far as the app may read it
    subscription.py  our record of a subscription, and Graph's own
    stored.py        what this deployment has recorded: feeds, queues, parked users, holds
    remedies.py      links and commands, with ids filled in
    run.py           all of them
"""
