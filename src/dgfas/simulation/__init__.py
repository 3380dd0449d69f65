"""The embedded data set: rendered faces, prints and screens in four capture domains."""

from dgfas.simulation.capture_domains import CAPTURE_DOMAINS
from dgfas.simulation.contact_sheet import contact_sheet
from dgfas.simulation.data_set import simulate

__all__ = ["CAPTURE_DOMAINS", "contact_sheet", "simulate"]
