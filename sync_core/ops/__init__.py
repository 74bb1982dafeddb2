"""The views and actions of an operator: the command line and the HTTP endpoints give the same documents.

documents/    everything that is said, one definition each
status.py     how everything stands
looks.py      one look at one user, and what would be done
sync.py       one user, reconciled at once
report.py     everybody who has access
plan.py       everybody, if all were looked at now (rehearsal.py reads and decides, scratch.py has what that writes,
              references.py compares managers)
plain.py      decisions in sentences for a helpdesk
plan_jobs.py  the same as a job: to ask for it and to follow it; planner.py works on it
holds.py      what the guard holds, and a person's decision
adoptions.py  users who wait for an adoption, and a person's approval
pairs.py      whose target user is which, and what a person does with a pair
drift.py      whom somebody edited in the target
preflight/    a target before the first write; verify.py looks at newcomers after it
history.py    what happened, newest first; why.py explains one person by it (sentences.py has the words)
kept.py       what a person did, for the record
notices.py    who is told of what, and a message to try that out
resync.py     feeds from the very beginning
doctor/       checks, each with a remedy
names.py      syncs, tenants and users by the names that an operator gives
changes.py    a change as a document, and in words
parked.py     users who are tried again later
errors.py     a request that cannot work, or is refused
words.py      times and counts in words; times.py in seconds; spreadsheet.py has CSV
principal.py  the caller over HTTP, and the caller's roles
endpoints.py  `/api/ops/...`; calls.py has requests and answers, reading.py and acting.py serve them
paging.py     where a page of a list goes on
page.py       the page itself, whose files are in sync_core/web
hours.py      how much happened in each hour
"""
