"""What scans found, less what is known, as a table."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

UNCOVERED = (
    "advisories of Debian that no update mends yet; its security tracker knows them, "
    "and nothing here asks it"
)


@dataclass(frozen=True)
class Finding:
    """Something that a scan objects to.

    Attributes:
        scan: The scanner.
        where: File, with the line where there is one.
        what: The objection.
        detail: What a known finding is recognized by as well; not printed, it may be a secret.
    """

    scan: str
    where: str
    what: str
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """One line of the table.

    Attributes:
        scan: The scanner.
        of: What it was given.
        size: How much that is.
        findings: What it objects to.
        missed: Why it was not scanned; empty where it was.
        uncovered: What a scan of this kind does not find.
    """

    scan: str
    of: str
    size: str
    findings: tuple[Finding, ...] = ()
    missed: str = ""
    uncovered: str = ""


@dataclass(frozen=True)
class Known:
    """Findings that are none, with the reason.

    Attributes:
        scan: The scanner.
        where: Pattern of the files, as in a shell.
        what: Regular expression that the objection or its detail has somewhere.
        why: The reason.
    """

    scan: str
    where: str
    what: str
    why: str

    def covers(self, finding: Finding) -> bool:
        """Whether it is about a finding."""
        return (
            self.scan == finding.scan
            and fnmatchcase(finding.where.partition(":")[0], self.where)
            and re.search(self.what, f"{finding.what}\n{finding.detail}") is not None
        )


def read_known(path: Path) -> list[Known]:
    """The known findings of a file."""
    return [Known(**one) for one in tomllib.loads(path.read_text())["known"]]


class Report:
    """All outcomes against all known findings.

    Args:
        outcomes: Of the scans that ran.
        known: Of all scans.
    """

    def __init__(self, outcomes: Iterable[Outcome], known: Sequence[Known]) -> None:
        self._outcomes = list(outcomes)
        found = [one for outcome in self._outcomes for one in outcome.findings]
        self._found = [one for one in found if not any(each.covers(one) for each in known)]
        self._known = len(found) - len(self._found)
        complete = {one.scan for one in self._outcomes} - {
            one.scan for one in self._outcomes if one.missed
        }
        self._found += [
            Finding(each.scan, each.where, f"no longer found, remove from known.toml: {each.why}")
            for each in known
            if each.scan in complete and not any(each.covers(one) for one in found)
        ]

    @property
    def code(self) -> int:
        """0 when clean, 1 with findings, 2 when something could not be scanned."""
        if self._found:
            return 1
        return 2 if any(one.missed for one in self._outcomes) else 0

    def text(self) -> str:
        """The table, and below it each finding."""
        rows = [("scan", "of", "size", "found")]
        for outcome in self._outcomes:
            left = str(sum(one in self._found for one in outcome.findings))
            rows.append(
                (outcome.scan, outcome.of, outcome.size, "NOT SCANNED" if outcome.missed else left)
            )
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            "  ".join(
                [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), last]
            )
            for *row, last in rows
        ]
        lines.append("")
        lines += [f"FOUND: {one.scan}: {one.where}: {one.what}" for one in self._found]
        reasons = dict.fromkeys(f"{one.scan}: {one.missed}" for one in self._outcomes if one.missed)
        lines += [f"NOT SCANNED: {reason}" for reason in reasons]
        lines.append(f"{self._known} known, with their reasons in deploy/scan/known.toml")
        uncovered = [UNCOVERED, *(one.uncovered for one in self._outcomes if one.uncovered)]
        lines += [f"not covered: {one}" for one in dict.fromkeys(uncovered)]
        lines.append(("clean", "NOT clean", "NOT clean")[self.code])
        return "\n".join(lines)
