"""Mutants that the bench does not kill and ABC does not prove the same, and why they change nothing."""

from typing import NamedTuple


class Survivor(NamedTuple):
    datapath: str
    mutant: str  # as mutants.py names it
    reason: str


SURVIVORS = (
)


def reason(datapath, mutant):
    """Why it changes nothing; empty where nobody says so."""
    return next((s.reason for s in SURVIVORS if (s.datapath, s.mutant) == (datapath, mutant)), "")
