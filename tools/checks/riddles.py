"""Phrases that readers could not make sense of, each with what it was meant to say. They may not come back."""

from __future__ import annotations

RIDDLES = {
    "Where something would come of not being in a group": "if the decision depends on the user not being in a group",
    "read with one link in mind": "what was read for link `before` also answers every question of link `after`",
    "known of what became of it": "what was read for link `before` also answers every question of link `after`",
    "Nobody leaves without a trace": "within 15 minutes of linking, a user who is not found is replication lag: wait",
    "Whoever is not to be invited (again)": "our invitation may be replicating: no guest proves nothing yet",
    "leaves what was begun to be finished": "our invitation may be replicating: no guest proves nothing yet",
    "Known from here on": "remember the hold now; a later read that removes nothing releases it",
    "must not go on under one mark": "save even if dirty already: the new ETag makes the other worker lose",
    "puts more into this than later ones want": "on-create and steady extension attributes share one property",
    "whoever returns at once": "clear noticed_at, so that a restore within the settle time is not coalesced away",
    "make what cannot be taken back rest on": "called right before the request, since the wait may have aged the read",
    "is looked at for another only afterwards": "notifications soon after a notified read merge into one later read",
    "any look counts": "other nominations merge with any read",
    "did not come to the read": "a retry is never out of date: the failed try may have written without its final read",
    "perhaps a member": "a delta entry has no memberships: an unlinked user is a possible member",
    "a member of nothing": "in a full round an unlinked user counts as no member, since a groups round follows",
    "Who is in by this may be in": 'by memberships alone "out" is final; "in" still depends on attributes',
    "something to lose or to gain": "users with a link, or users whom a NOT IN clause may now admit",
    "Out is out": "precedence: out, then undecided, then in",
    "has not said that its members shall go": "deleting a group is no instruction to deprovision its members",
    "come to an end with this user": "never read to the end, or parked",
}
