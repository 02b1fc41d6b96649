"""Every way of breaking a plan is told with the code of what is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import hardware

NODE_W = {"north": float(hardware.load("b200").node_power_w[0])}
AURORA, BOREALIS, CEDAR, CEDAR_LATER, DUNE, SCORE, LINK = range(7)  # LINK: where aurora changes
Data = dict[str, Any]
Tamper = Callable[[Data, Data], None]
TAMPERS: list[tuple[str, str, Tamper]] = []


def tamper(code: str) -> Callable[[Tamper], Tamper]:
    """Register a way to break the hand-made pair, and the code that must tell it."""

    def keep(change: Tamper) -> Tamper:
        TAMPERS.append((code, change.__name__.removeprefix("_"), change))
        return change

    return keep


def held(plan: Data, row: int, first: str, last: str, days: int) -> None:
    plan["rows"][row].update({"from": first, "to": last, "days": days})


def copied(plan: Data, row: int, **changes: Any) -> None:
    plan["rows"].append({**plan["rows"][row], **changes})


# --- names


@tamper("unknown-job")
def _row_of_no_job(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["job"] = "auror"


@tamper("unknown-pool")
def _row_of_no_pool(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["pool"] = "nort"


@tamper("unknown-consortium")
def _row_of_no_consortium(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["consortium"] = "omega"


@tamper("consortium-mismatch")
def _row_of_another_consortium(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["consortium"] = "beta"


@tamper("device-misstated")
def _row_of_another_device(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["device"] = "h100_sxm5_80gb"


# --- nodes


@tamper("node-counted-twice")
def _node_given_to_two_jobs(scenario: Data, plan: Data) -> None:
    plan["rows"][CEDAR]["node_ids"] = "7-14"


@tamper("node-counted-twice")
def _node_given_on_one_day_too_many(scenario: Data, plan: Data) -> None:
    plan["rows"][CEDAR_LATER]["node_ids"] = "0-7"
    held(plan, CEDAR_LATER, "2026-02-19", "2026-03-06", 16)


@tamper("node-counted-twice")
def _node_listed_twice_in_a_row(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["node_ids"] = "0-3,3-6"


@tamper("nodes-count-mismatch")
def _fewer_ids_than_nodes(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["node_ids"] = "0-6"


@tamper("node-id-out-of-range")
def _id_that_the_pool_never_has(scenario: Data, plan: Data) -> None:
    plan["rows"][DUNE]["node_ids"] = "13-16"


@tamper("node-id-out-of-range")
def _id_before_its_delivery(scenario: Data, plan: Data) -> None:
    plan["rows"][CEDAR]["node_ids"] = "16-23"


@tamper("node-id-out-of-range")
def _id_after_its_delivery(scenario: Data, plan: Data) -> None:
    held(plan, CEDAR_LATER, "2026-03-20", "2026-04-04", 16)


@tamper("pool-not-available")
def _pool_without_a_delivery(scenario: Data, plan: Data) -> None:
    scenario["pools"]["south"]["windows"] = [{"to": "2026-03-01"}]


@tamper("capacity-exceeded")
def _more_nodes_than_the_pool_has(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["nodes"] = 9


@tamper("spans-blocks")
def _run_over_two_blocks(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["node_ids"] = "4-11"
    plan["rows"][CEDAR]["node_ids"] = "0-3,12-15"
    held(plan, CEDAR_LATER, "2026-02-20", "2026-03-07", 16)


@tamper("spans-blocks")
def _blocks_smaller_than_the_run(scenario: Data, plan: Data) -> None:
    scenario["pools"]["north"]["fabric"]["block_nodes"] = 7


# --- who, where, when


@tamper("device-not-allowed")
def _device_not_allowed(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["aurora"]["devices"] = ["h100"]


@tamper("pool-not-allowed")
def _pool_not_allowed(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["aurora"]["pools"] = ["south"]


@tamper("kind-not-allowed")
def _kind_not_allowed(scenario: Data, plan: Data) -> None:
    scenario["pools"]["south"]["kinds"] = ["pretraining"]


@tamper("training-on-inference-only")
def _training_on_cards(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["score"]["kind"] = "pretraining"


@tamper("pool-closed")
def _pool_not_open(scenario: Data, plan: Data) -> None:
    scenario["pools"]["north"]["open_to"] = ["beta"]


@tamper("pool-closed")
def _own_pool_of_another(scenario: Data, plan: Data) -> None:
    plan["rows"][DUNE]["pool"] = "home"


@tamper("other-programme")
def _pool_of_another_programme(scenario: Data, plan: Data) -> None:
    scenario["pools"]["south"]["programme"] = "other"


@tamper("lessor-uses-leased-pool")
def _lessor_uses_leased_pool(scenario: Data, plan: Data) -> None:
    plan["rows"][DUNE].update(pool="north", device="b200_sxm_180gb", node_ids="20-23")


@tamper("outside-window")
def _before_the_window(scenario: Data, plan: Data) -> None:
    held(plan, CEDAR, "2026-01-07", "2026-01-27", 21)


@tamper("outside-window")
def _after_the_window(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["cedar"]["window"]["to"] = "2026-02-26"


@tamper("outside-window")
def _after_the_horizon(scenario: Data, plan: Data) -> None:
    held(plan, BOREALIS, "2026-03-03", "2026-04-11", 40)


@tamper("days-misstated")
def _days_misstated(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["days"] = 51


@tamper("before-joining")
def _before_joining(scenario: Data, plan: Data) -> None:
    held(plan, DUNE, "2026-01-14", "2026-04-02", 79)


@tamper("after-leaving")
def _after_leaving(scenario: Data, plan: Data) -> None:
    scenario["consortiums"]["beta"]["left"] = "2026-02-19"


@tamper("after-removal")
def _after_removal(scenario: Data, plan: Data) -> None:
    scenario["evaluations"] = [{"day": "2026-03-26", "removed": ["gamma"]}]


@tamper("evaluation-undecided")
def _beyond_an_open_evaluation(scenario: Data, plan: Data) -> None:
    scenario["evaluations"] = [{"day": "2026-03-26"}]


@tamper("deadline-missed")
def _deadline_missed(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["aurora"]["deadline"] = "2026-02-18"


@tamper("node-limits")
def _too_many_nodes(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["aurora"]["nodes"] = {"max": 7}


@tamper("node-limits")
def _no_choice_of_the_job(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["aurora"]["nodes"] = {"choices": [4, 16]}


@tamper("job-split")
def _job_split(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA].update(tokens=138.24e9, to="2026-01-25", days=25)
    copied(plan, AURORA, **{"from": "2026-01-26", "to": "2026-02-19"})


@tamper("size-changed")
def _size_changed(scenario: Data, plan: Data) -> None:
    plan["rows"][CEDAR_LATER].update(nodes=4, node_ids="8-11")


@tamper("pool-changed")
def _pool_changed(scenario: Data, plan: Data) -> None:
    plan["rows"][CEDAR_LATER].update(pool="south", node_ids="8-15", device="h100_sxm5_80gb")


@tamper("job-overlaps-itself")
def _job_beside_itself(scenario: Data, plan: Data) -> None:
    held(plan, CEDAR_LATER, "2026-01-28", "2026-02-12", 16)


def flexible(scenario: Data, plan: Data) -> None:
    """Let aurora grow on 2026-01-29, the fifth border, from 8 nodes to 12, at the loss of a day.

    28 days x 5.5296e9 tokens, then 15 days at up to 8.2944e9 do 276.48e9.
    """
    scenario["jobs"]["aurora"].update(allocation="flexible", topology="any")
    scenario["rules"]["equal_support"] = "60%"  # 3968 of alpha, 1264 / 72 of gamma
    rows = plan["rows"]
    linked(plan, AURORA, 28, "2026-01-01", "2026-01-28", 154.8288e9, 8)
    rows.append({**rows[AURORA], "node_ids": "0-7,12-15"})
    linked(plan, LINK, 16, "2026-01-29", "2026-02-13", 121.6512e9, 12)
    bound(scenario, plan)


def linked(
    plan: Data, row: int, days: int, first: str, last: str, tokens: float, nodes: int
) -> None:
    """Another span of a row of aurora, with what follows from it."""
    held(plan, row, first, last, days)
    one = plan["rows"][row]
    one["energy_j"] = nodes * NODE_W["north"] * 1.5 * days * 86400
    one.update(
        nodes=nodes, tokens=tokens, tokens_per_s=8e3 * nodes, cost=nodes * days * 8 * 2400.0,
        value=100 * tokens / 276.48e9,
    )  # fmt: skip


@tamper("allocation-mismatch")
def _flexible_by_the_word_of_the_plan(scenario: Data, plan: Data) -> None:
    plan["verdict"]["allocation"] = "flexible"


@tamper("allocation-mismatch")
def _fixed_by_the_silence_of_the_plan(scenario: Data, plan: Data) -> None:
    scenario["policy"] = {"allocation": "flexible"}


@tamper("job-split")
def _flexible_by_the_word_of_the_plan_alone(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    del scenario["jobs"]["aurora"]["allocation"]
    plan["verdict"]["allocation"] = "flexible"


@tamper("job-split")
def _flexible_but_for_the_word_of_the_job(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    scenario["jobs"]["aurora"]["allocation"] = "fixed"
    scenario["policy"] = {"allocation": "flexible"}


@tamper("change-off-border")
def _change_a_day_before_the_border(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    plan["rows"][LINK]["node_ids"] = "0-7,16-19"
    linked(plan, AURORA, 27, "2026-01-01", "2026-01-27", 149.2992e9, 8)
    linked(plan, LINK, 17, "2026-01-28", "2026-02-13", 127.1808e9, 12)


@tamper("change-off-border")
def _border_of_weeks_in_a_plan_of_months(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    scenario["horizon"]["resolution"] = "month"


@tamper("links-apart")
def _week_without_nodes(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    linked(plan, AURORA, 21, "2026-01-01", "2026-01-21", 116.1216e9, 8)
    linked(plan, LINK, 21, "2026-01-29", "2026-02-18", 160.3584e9, 12)


@tamper("link-unchanged")
def _two_rows_and_no_change(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    plan["rows"][LINK]["node_ids"] = "0-7"
    linked(plan, LINK, 23, "2026-01-29", "2026-02-20", 121.6512e9, 8)


@tamper("move-days-worked")
def _no_day_lost(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    linked(plan, LINK, 15, "2026-01-29", "2026-02-12", 121.6512e9, 12)


@tamper("move-days-worked")
def _fewer_days_lost_than_the_job_says(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    scenario["jobs"]["aurora"]["migration"] = "25 h"


@tamper("move-days-worked")
def _fewer_days_lost_than_the_policy_says(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    scenario["policy"] = {"migration": "2 days"}


@tamper("link-without-work")
def _change_on_the_last_day(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    scenario["jobs"]["aurora"]["partial"] = True
    linked(plan, LINK, 1, "2026-01-29", "2026-01-29", 0.0, 12)


@tamper("link-without-work")
def _change_after_the_work_is_done(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    scenario["jobs"]["aurora"]["partial"] = True
    plan["rows"][LINK].update(tokens=0.0, value=0.0)


@tamper("job-overlaps-itself")
def _change_before_the_end(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    linked(plan, LINK, 23, "2026-01-22", "2026-02-13", 121.6512e9, 12)


@tamper("node-counted-twice")
def _nodes_of_another_after_the_change(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    plan["rows"][LINK]["node_ids"] = "0-11"


@tamper("tokens-inflated")
def _more_work_than_the_first_link_can_do(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    linked(plan, AURORA, 28, "2026-01-01", "2026-01-28", 156e9, 8)


@tamper("cost-misstated")
def _lost_day_not_paid(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    plan["rows"][LINK]["cost"] *= 15 / 16


@tamper("predecessor-not-finished")
def _wait_for_the_first_link_only(scenario: Data, plan: Data) -> None:
    flexible(scenario, plan)
    held(plan, BOREALIS, "2026-02-12", "2026-03-23", 40)


@tamper("predecessor-not-finished")
def _start_before_the_end_of_the_other(scenario: Data, plan: Data) -> None:
    held(plan, BOREALIS, "2026-02-19", "2026-03-30", 40)


@tamper("predecessor-not-finished")
def _wait_for_work_that_is_half_done(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["aurora"].update(partial=True)
    plan["rows"][AURORA]["tokens"] = 138.24e9


@tamper("predecessor-not-finished")
def _wait_for_work_that_is_not_placed(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["dune"]["after"] = ["ember"]


# --- work


@tamper("tokens-inflated")
def _tokens_inflated(scenario: Data, plan: Data) -> None:
    plan["rows"][DUNE]["tokens"] *= 1.01


@tamper("tokens-inflated")
def _more_tokens_than_asked(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["aurora"]["tokens"] = "276 B"


@tamper("rate-inflated")
def _rate_inflated(scenario: Data, plan: Data) -> None:
    plan["rows"][DUNE]["tokens_per_s"] *= 1.01


@tamper("work-not-done")
def _work_not_done(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["tokens"] *= 0.99


@tamper("workload-funded-twice")
def _same_work_for_two_consortiums(scenario: Data, plan: Data) -> None:
    scenario["pools"]["south"]["programme"] = None
    copied(plan, BOREALIS, job="ember", consortium="delta", node_ids="8-11", tokens=55e9)


@tamper("workload-funded-twice")
def _job_duplicated_under_a_second_consortium(scenario: Data, plan: Data) -> None:
    copied(plan, AURORA, consortium="beta", node_ids="8-15")


@tamper("layout-exceeds-nodes")
def _layout_of_more_devices(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["layout"] = "tp=8 pp=2 cp=1 ep=1 dp=5 mb=1 recompute=none"


@tamper("energy-misstated")
def _energy_misstated(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["energy_j"] *= 0.99


@tamper("mfu-misstated")
def _mfu_where_the_rate_is_given(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["mfu_frac"] = 0.4


@tamper("mark-missing")
def _what_if_training_without_its_mark(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["score"].update(kind="pretraining", what_if_training=True)


@tamper("layout-misstated")
def _layout_of_another_prediction(scenario: Data, plan: Data) -> None:
    del scenario["jobs"]["aurora"]["rates"]
    plan["rows"][AURORA]["layout"] = "tp=64 pp=1 cp=1 ep=1 dp=1 mb=1 recompute=none"


# --- money and shares


@tamper("cost-misstated")
def _cost_misstated(scenario: Data, plan: Data) -> None:
    plan["rows"][AURORA]["cost"] *= 0.99


@tamper("currency-mismatch")
def _currency_misstated(scenario: Data, plan: Data) -> None:
    plan["currency"] = "USD"


@tamper("budget-exceeded")
def _budget_exceeded(scenario: Data, plan: Data) -> None:
    scenario["consortiums"]["alpha"]["budget"] = "9 k USD"


@tamper("floor-missed")
def _floor_missed(scenario: Data, plan: Data) -> None:
    scenario["consortiums"]["alpha"]["floor"] = 38.5


@tamper("cap-exceeded")
def _cap_exceeded(scenario: Data, plan: Data) -> None:
    scenario["consortiums"]["alpha"]["cap"] = 63


@tamper("share-limit-exceeded")
def _share_limit_exceeded(scenario: Data, plan: Data) -> None:
    scenario["rules"]["share_limit"] = "15%"


def lent(scenario: Data, plan: Data) -> None:
    """Let gamma borrow beta's own pool for dune, on the owner's terms."""
    scenario["pools"]["home"]["lend"] = {
        "to": ["gamma"], "price": "100 KRW / node-day",
        "window": {"from": "2026-01-15", "to": "2026-04-03"},
    }  # fmt: skip
    scenario["jobs"]["dune"]["pools"] = ["home"]
    plan["rows"][DUNE].update(pool="home", cost=4 * 79 * 100.0)


@tamper("pool-closed")
def _pool_lent_to_another(scenario: Data, plan: Data) -> None:
    lent(scenario, plan)
    scenario["pools"]["home"]["lend"]["to"] = ["delta"]


@tamper("outside-lending")
def _held_before_it_is_lent(scenario: Data, plan: Data) -> None:
    lent(scenario, plan)
    scenario["pools"]["home"]["lend"]["window"]["from"] = "2026-01-16"


@tamper("outside-lending")
def _held_after_it_is_lent(scenario: Data, plan: Data) -> None:
    lent(scenario, plan)
    scenario["pools"]["home"]["lend"]["window"]["to"] = "2026-04-02"


@tamper("lent-before-owner")
def _owner_not_served(scenario: Data, plan: Data) -> None:
    lent(scenario, plan)
    del plan["rows"][SCORE]


@tamper("cost-misstated")
def _borrowed_at_the_price_of_the_owner(scenario: Data, plan: Data) -> None:
    lent(scenario, plan)
    plan["rows"][DUNE]["cost"] = 0.0


@tamper("support-unequal")
def _support_less_equal_than_it_may_be(scenario: Data, plan: Data) -> None:
    scenario["rules"]["equal_support"] = "54%"


@tamper("support-unequal")
def _support_spread_over_more_days(scenario: Data, plan: Data) -> None:
    scenario["consortiums"]["gamma"]["joined"] = "2026-01-01"


@tamper("support-unequal")
def _support_of_one_that_holds_nothing(scenario: Data, plan: Data) -> None:
    scenario["consortiums"]["delta"]["programme"] = "main"


@tamper("not-used-by-date")
def _used_after_the_date(scenario: Data, plan: Data) -> None:
    held(plan, AURORA, "2026-01-02", "2026-02-20", 50)
    scenario["rules"]["use_by"][0]["least"] = 0.77


@tamper("not-used-by-date")
def _date_before_the_use(scenario: Data, plan: Data) -> None:
    scenario["rules"]["use_by"].append({"day": "2026-01-20", "least": "34%"})


@tamper("organisation-in-two-programmes")
def _organisation_in_two_programmes(scenario: Data, plan: Data) -> None:
    scenario["consortiums"]["delta"]["members"] = ["alpha  INC"]
    scenario["jobs"]["dune"]["consortium"] = "delta"


# --- what the plan says of itself


@tamper("job-missing")
def _job_missing(scenario: Data, plan: Data) -> None:
    del plan["jobs"][AURORA]


@tamper("job-stated-twice")
def _job_stated_twice(scenario: Data, plan: Data) -> None:
    plan["jobs"].append(plan["jobs"][AURORA])


@tamper("placed-misstated")
def _placed_misstated(scenario: Data, plan: Data) -> None:
    plan["jobs"][AURORA]["placed"] = False


@tamper("done-misstated")
def _done_misstated(scenario: Data, plan: Data) -> None:
    plan["jobs"][3]["done_frac"] = 0.6


@tamper("value-misstated")
def _value_misstated(scenario: Data, plan: Data) -> None:
    plan["jobs"][AURORA]["value"] = 110


@tamper("value-misstated")
def _value_of_a_row_misstated(scenario: Data, plan: Data) -> None:
    plan["rows"][CEDAR]["value"] += 1


@tamper("value-misstated")
def _lateness_forgotten(scenario: Data, plan: Data) -> None:
    scenario["jobs"]["cedar"]["deadline"]["day"] = "2026-02-20"


@tamper("consortium-missing")
def _consortium_missing(scenario: Data, plan: Data) -> None:
    del plan["consortiums"][0]


@tamper("consortium-stated-twice")
def _consortium_stated_twice(scenario: Data, plan: Data) -> None:
    plan["consortiums"].append(plan["consortiums"][0])


@tamper("totals-misstated")
def _node_months_misstated(scenario: Data, plan: Data) -> None:
    plan["consortiums"][0]["node_months"] *= 1.001


@tamper("totals-misstated")
def _jobs_done_misstated(scenario: Data, plan: Data) -> None:
    plan["consortiums"][2]["jobs_done"] = 1


@tamper("totals-misstated")
def _total_cost_misstated(scenario: Data, plan: Data) -> None:
    plan["verdict"]["cost"] += 1000


@tamper("totals-misstated")
def _budget_raised_in_the_plan(scenario: Data, plan: Data) -> None:
    plan["consortiums"][0]["budget"] = 70e6


@tamper("objective-misstated")
def _objective_misstated(scenario: Data, plan: Data) -> None:
    plan["verdict"]["objective"] += 1


@tamper("objective-misstated")
def _weight_forgotten(scenario: Data, plan: Data) -> None:
    scenario["consortiums"]["gamma"]["weight"] = 1.1


@tamper("bound-contradicted")
def _bound_below_the_plan(scenario: Data, plan: Data) -> None:
    plan["verdict"].update(bound=200.0, gap_frac=0.0)


@tamper("gap-misstated")
def _gap_misstated(scenario: Data, plan: Data) -> None:
    plan["verdict"]["gap_frac"] = 0.01


@tamper("status-unsupported")
def _optimal_far_from_the_bound(scenario: Data, plan: Data) -> None:
    plan["verdict"]["status"] = "optimal"


@tamper("status-unsupported")
def _optimal_without_a_bound(scenario: Data, plan: Data) -> None:
    plan["verdict"].update(status="optimal", bound=None, gap_frac=0.0)


@tamper("status-unsupported")
def _rows_of_an_infeasible_plan(scenario: Data, plan: Data) -> None:
    plan["verdict"]["status"] = "infeasible"


@tamper("unknown-status")
def _status_unknown(scenario: Data, plan: Data) -> None:
    plan["verdict"]["status"] = "optimum"


@pytest.mark.parametrize(
    ("code", "change"), [(c, f) for c, _, f in TAMPERS], ids=[f"{c}:{n}" for c, n, _ in TAMPERS]
)
def test_tampering_is_told_by_its_code(hand: Any, code: str, change: Tamper) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    change(scenario, plan)
    report = hand.audited(scenario, plan)
    assert not report.ok
    assert code in {violation.code for violation in report.violations}


def restated(scenario: Data, plan: Data) -> None:
    """Make what a plan says of itself agree with its rows, as a careful forger would."""
    months = 365.25 / 12
    worth = {"north": 8.0, "south": 4.0, "cards": 0.8, "home": 4.0}
    jobs, teams, rows = scenario["jobs"], scenario["consortiums"], plan["rows"]
    for told in plan["jobs"]:
        mine = [row for row in rows if row["job"] == told["job"]]
        told["placed"] = bool(mine)
        told["value"] = sum(row["value"] for row in mine)
        told["done_frac"] = told["value"] / jobs[told["job"]]["value"]
    for share in plan["consortiums"]:
        team = share["consortium"]
        mine = [row for row in rows if jobs.get(row["job"], {}).get("consortium") == team]
        told_jobs = [told for told in plan["jobs"] if jobs[told["job"]]["consortium"] == team]
        share["node_months"] = sum(r["nodes"] * r["days"] for r in mine) / months
        share["equivalent_device_months"] = (
            sum(r["nodes"] * r["days"] * worth.get(r["pool"], 0) for r in mine) / months
        )
        share["cost"] = sum(row["cost"] for row in mine)
        share["value"] = sum(told["value"] for told in told_jobs)
        share["jobs_done"] = sum(told["done_frac"] >= 1 for told in told_jobs)
    objective = sum(teams[t["consortium"]].get("weight", 1) * t["value"] for t in plan["jobs"])
    plan["verdict"].update(
        objective=objective, bound=objective, gap_frac=0.0, status="optimal",
        cost=sum(row["cost"] for row in rows),
    )  # fmt: skip


def bound(scenario: Data, plan: Data) -> None:
    """Sums that agree, and a bound above them."""
    restated(scenario, plan)
    plan["verdict"].update(status="feasible", bound=250.0)
    plan["verdict"]["gap_frac"] = 250 / plan["verdict"]["objective"] - 1


OWN_CLAIMS = {  # what a careful forger makes agree
    "placed-misstated", "done-misstated", "value-misstated", "totals-misstated",
    "objective-misstated", "bound-contradicted", "gap-misstated", "status-unsupported",
}  # fmt: skip
LEFT = [(c, n, f) for c, n, f in TAMPERS if c not in {*OWN_CLAIMS, "unknown-status"}]


@pytest.mark.parametrize(
    ("code", "change"), [(c, f) for c, _, f in LEFT], ids=[f"{c}:{n}" for c, n, _ in LEFT]
)
def test_tampering_is_told_when_all_sums_agree_with_it(
    hand: Any, code: str, change: Tamper
) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    change(scenario, plan)
    restated(scenario, plan)
    assert code in {violation.code for violation in hand.audited(scenario, plan).violations}


def test_sums_made_to_agree_with_an_honest_plan_change_nothing(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    restated(scenario, plan)
    assert hand.audited(scenario, plan).ok


def test_the_plan_made_by_hand_holds_and_every_check_looks_at_something(hand: Any) -> None:
    report = hand.audited(hand.scenario(), hand.plan())
    assert report.violations == ()
    assert report.warnings == ()
    assert report.ok
    assert report.idle == ("changes", "days lost", "lending", "inputs")


def test_a_flexible_job_that_changes_by_the_rules_holds(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    flexible(scenario, plan)
    report = hand.audited(scenario, plan)
    assert report.violations == report.warnings == ()
    assert dict(report.checks)["changes"] == dict(report.checks)["days lost"] == 1


@pytest.mark.parametrize(
    ("migration", "last", "days"),
    [("0 days", "2026-02-12", 15), ("24 h", "2026-02-13", 16), ("1.5 days", "2026-02-14", 17)],
)
@pytest.mark.parametrize("says", ["job", "policy"])
def test_a_part_of_a_day_is_lost_as_a_day(
    hand: Any, migration: str, last: str, days: int, says: str
) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    flexible(scenario, plan)
    entry = scenario["jobs"]["aurora"] if says == "job" else scenario.setdefault("policy", {})
    entry["migration"] = migration
    linked(plan, LINK, days, "2026-01-29", last, 121.6512e9, 12)
    bound(scenario, plan)
    report = hand.audited(scenario, plan)
    assert report.violations == report.warnings == ()


def test_a_link_held_after_the_work_is_done_is_a_warning(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    flexible(scenario, plan)
    linked(plan, LINK, 17, "2026-01-29", "2026-02-14", 121.6512e9, 12)
    bound(scenario, plan)
    report = hand.audited(scenario, plan)
    assert report.ok
    assert warned(report) == [("held-idle", f"rows[{LINK}].days")]
    assert (report.warnings[0].found, report.warnings[0].expected) == ("17", "16")


def test_a_flexible_policy_is_for_jobs_that_say_nothing_and_do_not_pause(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    flexible(scenario, plan)
    del scenario["jobs"]["aurora"]["allocation"]
    scenario["policy"] = {"allocation": "flexible"}
    plan["verdict"]["allocation"] = "flexible"
    report = hand.audited(scenario, plan)
    assert report.violations == report.warnings == ()  # cedar pauses, and loses no day
    assert dict(report.checks)["changes"] == 1


def test_the_borders_of_a_choice_are_those_that_the_plan_states(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    flexible(scenario, plan)
    scenario["horizon"]["resolution"] = "auto"
    assert hand.audited(scenario, plan).ok  # weeks, the finest
    plan["periods"] = {"stretches": [{"until": "2026-01-14", "every": "month"},
                                     {"until": "2026-04-10", "every": "week"}]}  # fmt: skip
    assert hand.audited(scenario, plan).ok
    plan["periods"]["stretches"][0]["until"] = "2026-01-15"  # a border on 01-30
    codes = [violation.code for violation in hand.audited(scenario, plan).violations]
    assert codes == ["change-off-border"]
    scenario["horizon"]["resolution"] = "week"  # then the plan has no say
    assert hand.audited(scenario, plan).ok


def test_a_pool_lent_on_its_terms_holds(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    lent(scenario, plan)
    restated(scenario, plan)
    report = hand.audited(scenario, plan)
    assert report.violations == ()
    assert dict(report.checks)["lending"] == 1


def test_every_code_of_the_audit_has_a_tamper() -> None:
    """Read from the source, so that a new violation comes with a way to provoke it."""
    import re
    from pathlib import Path

    import planner.audit

    folder = Path(planner.audit.__file__).parent
    told: set[str] = set()
    for path in folder.glob("*.py"):
        if path.name.startswith("plan_"):
            continue
        told |= set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text("utf-8")))
    warned = {"input-changed", "input-missing", "no-exchange-rate", "rate-understated",
              "held-idle", "nothing-to-verify", "tool-changed", "near-workload",
              "ids-apart"}  # fmt: skip
    lengths = {"two-weeks", "half-year"}  # of periods
    assert told - warned - lengths == {code for code, _, _ in TAMPERS}


def test_a_place_is_named(hand: Any) -> None:
    plan = hand.plan()
    plan["rows"][CEDAR]["node_ids"] = "7-14"
    report = hand.audited(hand.scenario(), plan)
    (violation,) = report.violations
    assert violation.code == "node-counted-twice"
    assert violation.where.field == "rows[2].node_ids"
    assert "ids 7-7 from 2026-01-08 to 2026-01-28" in violation.found
    assert "rows[0]" in violation.found


def warned(report: Any) -> list[tuple[str, str]]:
    return [(warning.code, warning.where.field) for warning in report.warnings]


def test_nodes_held_longer_than_the_work_needs_are_a_warning(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    scenario["jobs"]["cedar"]["tokens"] = "194 B"
    plan["rows"][CEDAR_LATER].update(tokens=77.8784e9, value=50.0 * 77.8784 / 194)
    plan["rows"][CEDAR]["value"] = 50.0 * 116.1216 / 194
    report = hand.audited(scenario, plan)
    assert report.ok
    assert warned(report) == [("held-idle", "rows[3].days")]


def test_a_rate_below_the_prediction_is_a_warning(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    scenario["jobs"]["dune"]["rates"]["h100"] = "251 tokens/s"
    report = hand.audited(scenario, plan)
    assert report.ok
    assert warned(report) == [("rate-understated", "rows[4].tokens_per_s")]


def test_an_answer_without_a_plan_is_not_held_to_floors(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    plan.update(rows=[], jobs=[], consortiums=[])
    plan["verdict"].update(status="infeasible", objective=None, bound=None, cost=None)
    report = hand.audited(scenario, plan)
    assert report.ok
    assert warned(report) == [("nothing-to-verify", "verdict.status")]
    plan["verdict"]["status"] = "feasible"
    assert "floor-missed" in {v.code for v in hand.audited(scenario, plan).violations}


def test_funded_jobs_that_look_alike_are_a_warning(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    for name in ("aurora", "dune"):  # kind, model and tokens of one another; names differ
        scenario["jobs"][name].update(tokens=plan["rows"][AURORA]["tokens"])
    scenario["jobs"]["dune"].update(data="Web pages", value=10)
    plan["rows"][DUNE]["value"] = 10 * 54.6048 / 276.48
    report = hand.audited(scenario, plan)
    (warning,) = [w for w in report.warnings if w.code == "near-workload"]
    assert "`dune`" in warning.message
    assert "`aurora`" in warning.message
    assert "data web and Web pages" in warning.found or "data Web pages and web" in warning.found
    scenario["jobs"]["dune"]["data"] = "pages"
    report = hand.audited(scenario, plan)
    assert "near-workload" not in {w.code for w in report.warnings}
    scenario["consortiums"]["gamma"]["members"].append("alpha  INC")
    report = hand.audited(scenario, plan)
    (warning,) = [w for w in report.warnings if w.code == "near-workload"]
    assert "share" in warning.found


def test_ids_apart_are_a_warning_where_the_pool_asks_for_them_side_by_side(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    plan["rows"][BOREALIS]["node_ids"] = "4-5,6,7"
    assert hand.audited(scenario, plan).warnings == ()
    plan["rows"][BOREALIS]["node_ids"] = "4-5,7-8"
    report = hand.audited(scenario, plan)
    assert report.ok
    assert warned(report) == [("ids-apart", "rows[1].node_ids")]
