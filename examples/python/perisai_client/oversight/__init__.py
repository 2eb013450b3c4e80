from .access_report import (
    AccessReport,
    AccessReportAccessReport,
    AccessReportAccessReportAccesses,
    AccessReportAccessReportAccessesEdges,
    AccessReportAccessReportAccessesEdgesNode,
    AccessReportAccessReportAccessesEdgesNodeReached,
    AccessReportAccessReportAccessesPageInfo,
    AccessReportAccessReportActors,
)
from .base_model import BaseModel
from .client import Client
from .connection import Connection
from .enums import Action, Compartment, Decision, Ground, Purpose, Reason, Role

__all__ = [
    "AccessReport",
    "AccessReportAccessReport",
    "AccessReportAccessReportAccesses",
    "AccessReportAccessReportAccessesEdges",
    "AccessReportAccessReportAccessesEdgesNode",
    "AccessReportAccessReportAccessesEdgesNodeReached",
    "AccessReportAccessReportAccessesPageInfo",
    "AccessReportAccessReportActors",
    "Action",
    "BaseModel",
    "Client",
    "Compartment",
    "Connection",
    "Decision",
    "Ground",
    "Purpose",
    "Reason",
    "Role",
]
