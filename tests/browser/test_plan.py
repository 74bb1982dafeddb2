"""The view Plan: a plan is asked for, followed and read, of the deployed file and of another one."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from playwright.async_api import Browser, FilePayload, Route, expect

from sync_core.model import PlanRun
from sync_core.ports import PlanJob, PlanState
from tests.support.cli import SYNC
from tests.support.make import NAME
from tests.support.page import Site
from tests.support.planning import work_on_plans
from tests.support.staff import FILE, LEAVERS, PLAN, STAFF, staff_id
from tests.support.world import World

from .visit import PLANNED, Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Nobody is in its scope but one.
ALONE = f"{FILE}    scope: {{ users: assigned, members: [{staff_id(0)}] }}\n"
FAULTY = f"{SYNC}    deletion_guard: {{ max_percent: 0, min_count: many, window: 24h }}\n    of_tomorrow: 1\n"
MARKUP = "<img src=x onerror=\"document.title='taken'\">"
RUNNING: Mapping[str, object] = {
    "id": PLAN,
    "state": "running",
    "candidate": True,
    "sync": None,
    "asked_by": "b2",
    "asked_at": "2026-01-05T09:00:00Z",
    "started_at": "2026-01-05T09:00:00Z",
    "finished_at": None,
    "seconds": 70.0,
    "read": 1200,
    "users": 800,
    "decided": 300,
    "syncs": [{"sync": MARKUP, "counts": {"Invite": 40, f"error: {MARKUP}": 1, "Hold of Disable": 1}}],
    "error": None,
    "hint": None,
}


async def ask(visit: Visit, text: str = "") -> None:
    """Press the button, and wait for the answer: a plan, or a refusal."""
    await visit.open("plan")
    await visit.page.get_by_label("The sync.yaml to plan").fill(text)
    await visit.press("Plan").click()
    await visit.settled()


async def shows(visit: Visit, **said: object) -> None:
    """The plan stands as this says, whenever it is asked from now on: of several routes the last one answers."""
    body = json.dumps({**RUNNING, **said})

    async def answer(route: Route) -> None:
        await route.fulfill(content_type="application/json", body=body)

    await visit.page.route("**/api/ops/plan/*", answer)


async def test_a_reader_asks_for_a_plan_and_follows_it(browser: Browser, site: Site) -> None:
    """From the press to the people, without another one; the address leads back to it, also for somebody else."""
    visit = await Visit.begin(browser, site, "Reader")
    site.world.forget_calls()
    await ask(visit)
    main = visit.page.locator("main")
    await expect(main).to_contain_text("It waits for its turn.")
    await expect(main).to_be_focused()
    await work_on_plans(site.world)
    await expect(visit.page.get_by_role("status")).to_have_text("The plan is done.")
    await visit.settled()
    held = visit.page.get_by_role("list", name="What a guard would hold")
    await expect(held).to_contain_text(f"4 users of {NAME}: held until a person decides: delete in the target")
    await expect(held).to_contain_text(
        f"3 users of {NAME}: invite into the target, once a person lets this newcomer in"
    )
    await expect(visit.page.get_by_role("table", name="Whom it concerns")).to_contain_text(STAFF[26])
    assert site.world.target.writes == []
    await visit.again()
    await expect(main).to_contain_text("Of the deployed file")
    assert [each for each in visit.asked if "@" in each or "%40" in each] == []
    await visit.end()


async def test_how_far_it_is_is_shown_while_it_runs(visit: Visit) -> None:
    """First what was read, then how many are decided on; and it is asked no more once somebody looks elsewhere."""
    await shows(visit, users=None, decided=0, syncs=[])
    await visit.open(PLANNED)
    made = visit.page.get_by_role("region", name="The plan")
    await expect(made).to_contain_text("Reading the tenants: 1,200 entries so far.")
    await shows(visit)
    await expect(made).to_contain_text("Decided on 300 of 800 users.")
    await expect(made.get_by_role("progressbar", name="How far it is")).to_have_attribute("value", "300")
    await expect(made.get_by_role("list", name="So far")).to_contain_text("40 × Invite")
    await visit.open("parked")
    before = len(visit.asked)
    await visit.page.wait_for_timeout(2500)
    assert [each for each in visit.asked[before:] if "/plan/" in each] == []


async def test_another_file_is_chosen_and_planned(visit: Visit) -> None:
    """What it would do is shown of that file, and the deployed one stays as it is."""
    await visit.open("plan")
    file = FilePayload(name="sync.yaml", mimeType="text/yaml", buffer=ALONE.encode())
    await visit.page.get_by_label("Or choose the file").set_input_files(file)
    await expect(visit.page.get_by_label("The sync.yaml to plan")).to_have_value(ALONE)
    await visit.page.get_by_label("Only the sync of this name").fill(NAME)
    await visit.press("Plan").click()
    await expect(visit.page.locator("main")).to_contain_text("It waits for its turn.")
    await work_on_plans(visit.site.world)
    await expect(visit.page.get_by_role("status")).to_have_text("The plan is done.")
    main = visit.page.locator("main")
    await expect(main).to_contain_text(f"Of another file, {NAME} alone")
    await expect(main).to_contain_text("not assigned")
    await visit.open("plan")
    plans = visit.page.get_by_role("table", name="Plans").locator("tbody tr")
    await expect(plans).to_have_count(2)
    await expect(plans.first).to_contain_text("another file")


async def test_each_fault_of_the_file_has_its_line(visit: Visit) -> None:
    """A press leads to that line of the text; nothing was planned, and the text is still there."""
    await ask(visit, FAULTY)
    failed = visit.page.get_by_role("alert")
    await expect(failed).to_contain_text("This cannot be planned.")
    faults = failed.get_by_role("list", name="Faults").get_by_role("listitem")
    assert await faults.count() == 2
    await expect(failed).to_contain_text("of_tomorrow")
    lines = FAULTY.splitlines()
    for line in (8, 9):
        await failed.get_by_role("button", name=f"Go to line {line}").click()
        await expect(visit.page.get_by_label("The sync.yaml to plan")).to_be_focused()
        assert await visit.page.evaluate("getSelection().toString()") == lines[line - 1]
    assert len(await visit.site.world.storage.plans.jobs()) == 1
    visit.complaints.clear()  # the browser's own line about 400


@pytest.mark.parametrize("way", ["pasted", "chosen"])
async def test_a_file_that_is_too_long_is_not_sent(visit: Visit, way: str) -> None:
    """Each character counts as its bytes; the app would refuse it, after a long way."""
    text = "# " + "ü" * 33_000
    await visit.open("plan")
    if way == "pasted":
        await visit.page.get_by_label("The sync.yaml to plan").fill(text)
        await visit.press("Plan").click()
    else:
        file = FilePayload(name="sync.yaml", mimeType="text/yaml", buffer=text.encode())
        await visit.page.get_by_label("Or choose the file").set_input_files(file)
    await expect(visit.page.get_by_role("alert")).to_contain_text("The file has more than 64 KiB.")
    assert len(await visit.site.world.storage.plans.jobs()) == 1


async def test_as_many_plans_as_may_run_are_said_to_run(visit: Visit) -> None:
    """A person who asks for one more is told to wait, and the button is there for another try."""
    for _ in range(3):
        await ask(visit)
        await expect(visit.page.locator("main")).to_contain_text("It waits for its turn.")
    await ask(visit)
    await expect(visit.page.get_by_role("alert")).to_contain_text("3 plans are under way")
    await expect(visit.press("Plan")).to_be_enabled()
    visit.complaints.clear()  # the browser's own line about 429


async def test_a_plan_that_failed_says_why(visit: Visit) -> None:
    """With what helps, in the list and by itself."""
    plans, now = visit.site.world.storage.plans, visit.site.world.clock.now()
    job = PlanJob(id="bad0" * 6, asked_at=now, asked_by="b2", candidate=False, state=PlanState.FAILED, error="no token")
    await plans.add(job, "")
    await visit.open("plan")
    await expect(visit.page.get_by_role("table", name="Plans").locator("tbody tr").first).to_contain_text("failed")
    await visit.open(f"plan/{job.id}")
    await expect(visit.page.get_by_role("alert")).to_contain_text("no token")


async def test_a_plan_that_is_gone_is_said_to_be_gone(visit: Visit) -> None:
    """It was dropped after a week, or never was."""
    await visit.open(f"plan/{'0' * 24}")
    await expect(visit.page.get_by_role("alert")).to_contain_text("No such plan.")
    await expect(visit.page.get_by_role("alert")).to_contain_text("the last thirty plans are kept, for a week")
    visit.complaints.clear()  # the browser's own line about 404


async def test_where_nothing_would_happen_the_plan_says_so(browser: Browser) -> None:
    """No table, and nobody to list."""
    world = World(text=SYNC)
    async with Site(world=world) as site:
        visit = await Visit.begin(browser, site)
        await ask(visit)
        await work_on_plans(world)
        await expect(visit.page.locator("main")).to_contain_text("Nothing is to be done for anybody who was looked at.")
        await expect(visit.page.get_by_role("region", name="Whom it concerns")).to_have_count(0)
        await visit.end()


async def test_the_people_are_filtered_by_kind(visit: Visit) -> None:
    """By a press on a number, and by the fields; the address has the filter, and pages follow each other."""
    await visit.open(PLANNED)
    counts = visit.page.get_by_role("table", name="What would happen")
    await counts.get_by_role("link", name="held until a person decides: delete in the target").click()
    await visit.settled()
    assert visit.page.url.endswith(f"#/{PLANNED}?sync={NAME}&change=Hold+of+SoftDelete")
    rows = visit.page.get_by_role("table", name="Whom it concerns").locator("tbody tr")
    await expect(rows).to_have_count(4)
    assert set(await rows.locator("td[data-label=What]").all_inner_texts()) == {
        "held until a person decides: delete in the target"
    }
    await visit.page.get_by_role("combobox", name="What would happen").select_option("Refuse: internal user")
    await visit.settled()
    await expect(rows).to_have_count(1)

    async def three(route: Route) -> None:
        await route.continue_(url=f"{route.request.url}{'&' if '?' in route.request.url else '?'}limit=3")

    await visit.page.route("**/changes**", three)
    await visit.open(PLANNED)
    for count in (3, 6, 9):
        await expect(rows).to_have_count(count)
        await visit.press("Further users").click()
        await visit.settled()
    await expect(rows).to_have_count(10)
    await expect(visit.press("Further users")).to_have_count(0)


async def test_people_who_cannot_be_read_leave_the_counts(visit: Visit) -> None:
    """Their section says so and is tried again."""
    await visit.page.route("**/changes**", lambda route: route.fulfill(status=503))
    await visit.open(PLANNED)
    section = visit.page.get_by_role("region", name="Whom it concerns")
    await expect(section.get_by_role("alert")).to_contain_text("Try again in a minute.")
    await expect(visit.page.get_by_role("table", name="What would happen")).to_contain_text(
        "held until a person decides: delete in the target"
    )
    await visit.page.unroute_all()
    await section.get_by_role("button", name="Try again").click()
    await expect(section).to_contain_text("deleted in the source")
    visit.complaints.clear()  # the browser's own line about 503


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)])
async def test_everybody_can_follow_a_plan_and_read_faults(
    browser: Browser, site: Site, scheme: str, width: int
) -> None:
    """Texts from elsewhere stay text and move nothing; while it runs, and where a file has faults."""
    visit = await Visit.begin(browser, site, color_scheme=scheme, viewport={"width": width, "height": 800})
    await shows(visit)
    await visit.open(PLANNED)
    await _fits(visit, MARKUP)
    await shows(visit, state="failed", error=MARKUP * 50, hint="W" * 2000)
    await visit.open("plan")
    await visit.open(PLANNED)
    await _fits(visit, "W" * 2000)
    await ask(visit, f"{FAULTY}    {json.dumps(MARKUP + 'W' * 500)}: 1\n")
    await _fits(visit, MARKUP)
    visit.complaints.clear()  # the browser's own line about 400
    await visit.page.unroute_all()
    for n, name in zip(LEAVERS[2:4], (MARKUP, "W" * 10_000), strict=True):
        site.world.source.restore(staff_id(n))
        site.world.change(staff_id(n), displayName=name)
    await visit.open(PLANNED)
    await visit.again()  # the page knows the names of before
    await _fits(visit, MARKUP)
    await visit.end()


async def _fits(visit: Visit, text: str) -> None:
    await expect(visit.page.locator("main")).to_contain_text(text)
    assert await visit.page.locator("main img").count() == 0
    assert await visit.page.title() == "Plan — xtsync"
    assert await visit.violations({}) == []
    assert await visit.wider_than_the_window() == []


async def test_a_plan_is_asked_for_and_read_with_the_keyboard(visit: Visit) -> None:
    """From the text to the people of one kind; while it is followed the focus stays where it was put."""
    page = visit.page
    await visit.open("plan")
    await page.get_by_label("The sync.yaml to plan").focus()
    await page.keyboard.insert_text(ALONE)
    for _ in range(4):  # past the button that loads the deployed file
        await page.keyboard.press("Tab")
    await expect(visit.press("Plan")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Another plan")).to_be_focused()
    await work_on_plans(visit.site.world)
    await expect(page.get_by_role("status")).to_have_text("The plan is done.")
    await visit.settled()
    await expect(page.get_by_role("link", name="Another plan")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await visit.settled()
    await expect(page.locator("main")).to_be_focused()
    assert "change=" in page.url


async def test_a_plan_whose_worker_died_is_followed(visit: Visit) -> None:
    """The view follows whatever worker is at it."""
    plans, now = visit.site.world.storage.plans, visit.site.world.clock.now()
    job = PlanJob(id="d1ed" * 6, asked_at=now, asked_by="b2", candidate=False, state=PlanState.RUNNING, nominated=None)
    await plans.add(job, FILE)
    await visit.open(f"plan/{job.id}")
    await expect(visit.page.locator("main")).to_contain_text("Reading the tenants: 0 entries so far.")
    await plans.work_on(PlanRun(job=job.id))
    await work_on_plans(visit.site.world)
    await expect(visit.page.get_by_role("status")).to_have_text("The plan is done.")
