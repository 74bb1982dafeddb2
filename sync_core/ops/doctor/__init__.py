"""The checks of `xtsync doctor`: one small function for each, with a remedy for what it finds.

Nothing in here writes. A change that only the other tenant's administrator can make is printed as the exact link or
command. No check stops another.

    finding.py       what a check is, and what it says
    token.py         of one app on one tenant: its access token, and whether Graph takes it
    policies.py      what two tenants have to agree on, as far as the app may read it
    subscription.py  our record of a subscription, and Graph's own
    stored.py        what this deployment has recorded: feeds, queues, parked users, holds
    remedies.py      links and commands, with ids filled in
    run.py           all of them
"""
