"""Time of the processor: what a run takes where others run too."""

import resource


def cpu_seconds():
    """Of this program and of those that it ran."""
    of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(r.ru_utime + r.ru_stime for r in of)
