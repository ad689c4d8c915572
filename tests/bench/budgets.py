# SPDX-License-Identifier: Apache-2.0
"""The budgets of `make bench`: what is wished, beside what was measured. A row is name, unit, bar, goal and how to get it (None:
the run has not measured it)."""


def budgets(result):
    daemon = result.get("daemon", {})
    latency, core, rules = result.get("latency", {}), result.get("core", {}), result.get("rules", {})
    low = result.get("latency_low", {})
    shapes = [rules[name] for name in RULE_SHAPES] if rules else []
    worst = [shape["extra_ns"] / 1e3 for shape in shapes[:-1]]
    calendar = result.get("calendar")
    pending, storm = result.get("pending", {}), result.get("storm", {})
    due = storm.get("timers", 10 ** 6) / 1e6
    rows = [
        ("daemon CPU ÷ pass-through CPU (first bar 6)", "×", 3, 2.3, result.get("ratio")),
        ("captured → visible at half load, p50", "ms", 15, 6, latency.get("p50_ms")),
        ("captured → visible at half load, p99", "ms", 60, 25, latency.get("p99_ms")),
        ("the same at %.0f leads/s, p50" % low.get("rate", 0), "ms", 15, 6, low.get("p50_ms")),
        ("the same at %.0f leads/s, p99" % low.get("rate", 0), "ms", 60, 25, low.get("p99_ms")),
        ("Redis bytes per open lead", "B", 400, 250, daemon.get("redis_bytes_per_lead")),
        ("Redis CPU per lead ÷ one naive script per lead", "", 1 / 3, 1 / 4,
         daemon["redis_us"] / result["naive_redis_us"] if result.get("naive_redis_us") else None),
        ("instructions per lead in the core (first bar 60000)", "", 25000, 12000, core.get("instructions_per_lead")),
        ("leads/s and CPU against Node, Python, … workers", "×", 10, 15, None),
        ("10,000 rules over 10, worst case, extra per lead", "µs", 0.15, 0.1, max(worst, default=None)),
        ("the same, leads at random over mixed rules", "µs", 0.15, 0.1, shapes[-1]["extra_ns"] / 1e3 if shapes else None),
        ("a lead with 10,000 rules ÷ with 10, the worst of all", "×", 1.5, 1.1, max((s["lead_ratio"] for s in shapes), default=None)),
        ("a decision in a pool of 50,000 reps ÷ of 10, the worse of both", "×", 2, 1.5,
         max((s["ratio"] for s in result.get("pools", {}).values()), default=None)),
        ("load of 10,000 rules, CPU", "ms", 200, 100, rules.get("load_ms")),
        ("territory of 1,000,000 rows, look-up", "µs", 1, 0.2, rules["territory_ns"] / 1e3 if rules else None),
        ("business-time deadline, the slowest of 16 kinds", "µs", 1, 0.3, calendar["slowest_ns"] / 1e3 if calendar else None),
        ("pending timer", "B", 20, 12, pending.get("bytes_per_timer")),
        ("timers fired per second through the whole path", "/s", 50000, 200000, storm.get("fired_per_s")),
        ("throughput with %.4g M pending timers ÷ with none" % (pending.get("timers", 1e7) / 1e6), "", 0.95, 1, pending.get("ratio")),
        ("load of 10,000 rules and 1,000,000 rows, CPU", "ms", 500, 100, rules.get("load_with_rows_ms")),
        ("rebuild of a shard with %.4g M leads" % due, "s", 60 * due, 15 * due, storm.get("rebuild_s")),
        ("memory of the daemon at %.4g M open leads" % due, "MB", 100, 40, storm.get("daemon_rss_mb")),
    ]
    return [{"budget": n, "unit": u, "bar": b, "goal": g, "measured": v, "verdict": verdict(v, b, g)} for n, u, b, g, v in rows]


RULE_SHAPES = ("equal", "prefix", "range", "cross", "mixed") # the last one is the one with leads at random


def verdict(value, bar, goal):
    if value is None:
        return "not measured"
    sign = 1 if goal <= bar else -1 # some are to be low, some high
    return "goal met" if sign * value <= sign * goal else "bar met" if sign * value <= sign * bar else "missed"
