"""The independent audit of a plan: reads its file and the scenario, and nothing of the program."""

from planner.audit.plan_file import plan_record, read_plan
from planner.audit.report import AuditReport
from planner.audit.sweep import audit

__all__ = ["AuditReport", "audit", "plan_record", "read_plan"]
