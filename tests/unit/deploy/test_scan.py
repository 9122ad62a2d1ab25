"""How the scanners' reports are read, and what counts as clean; `make scan` runs the scanners."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.docker.commands import PROJECT
from deploy.scan import dockerfiles, packages, policies, releases, secrets, tools, updates
from deploy.scan.__main__ import KNOWN, main
from deploy.scan.report import Finding, Known, Outcome, Report, read_known
from deploy.scan.tools import NotScannedError

FINDING = Finding("detect-secrets", "docs/api.md:3", "Secret Keyword", "the line itself")


def known(**changes: str) -> Known:
    values = {"scan": FINDING.scan, "where": "docs/*.md", "what": "line itself", "why": "a reason"}
    return Known(**{**values, **changes})


def report(*known_ones: Known, missed: str = "") -> Report:
    found = () if missed else (FINDING,)
    return Report([Outcome(FINDING.scan, "files", "2 files", found, missed)], known_ones)


def test_a_finding_is_told_and_its_line_is_not() -> None:
    text = report().text()
    assert report().code == 1
    assert "FOUND: detect-secrets: docs/api.md:3: Secret Keyword" in text
    assert FINDING.detail not in text
    assert "\nNOT clean" in text


def test_a_known_finding_is_none() -> None:
    assert report(known()).code == 0
    assert "1 known" in report(known()).text()
    assert report(known()).text().endswith("\nclean")


@pytest.mark.parametrize(
    "changes", [{"scan": "hadolint"}, {"where": "docs/b*.md"}, {"what": "another line"}]
)
def test_only_what_is_meant_is_known(changes: dict[str, str]) -> None:
    assert report(known(**changes)).code == 1


def test_a_known_finding_that_is_gone_is_one() -> None:
    old = known(where="docs/old.md")
    assert "no longer found, remove from known.toml: a reason" in report(known(), old).text()
    assert report(known(), old).code == 1
    # Of a scan that did not run nothing can be said.
    assert report(known(), known(scan="hadolint")).code == 0
    assert "no longer" not in report(old, missed="no network").text()


def test_what_was_not_scanned_is_not_clean() -> None:
    missing = report(missed="no network")
    assert missing.code == 2
    assert "NOT SCANNED: detect-secrets: no network" in missing.text()
    assert "NOT clean" in missing.text()


def test_every_known_finding_has_a_reason() -> None:
    entries = read_known(KNOWN)
    assert entries
    assert all(len(one.why) > 5 for one in entries)


def hadolint(path: Path, code: str) -> dict[str, Any]:
    return {"file": str(path), "line": 2, "code": code, "message": "Not so"}


def test_hadolint_has_to_find_the_bad_dockerfile(tmp_path: Path) -> None:
    control, ours = tmp_path / "bad.Dockerfile", dockerfiles.dockerfiles()[0]
    document = [hadolint(ours, "DL3008"), hadolint(control, "DL3006")]
    assert dockerfiles.read(document, control) == [
        Finding("hadolint", f"{ours.relative_to(PROJECT)}:2", "DL3008 Not so")
    ]
    with pytest.raises(NotScannedError, match="does not object"):
        dockerfiles.read(document[:1], control)


def checkov(path: Path, rule: str) -> dict[str, str]:
    return {
        "file_abs_path": str(path),
        "check_id": rule,
        "check_name": "No",
        "resource": "Pod.a.b",
    }


def test_checkov_has_to_find_the_bad_file_and_read_the_others(tmp_path: Path) -> None:
    control, ours = tmp_path / "bad.yaml", tmp_path / "dev.yaml"
    failed = [checkov(ours, "CKV_1"), checkov(control, "CKV_2")]
    document = {"results": {"failed_checks": failed}, "summary": {"parsing_errors": 0}}
    found = policies.read(document, control, "CKV_2")
    assert found == {ours: [Finding("checkov", "dev.yaml:Pod.a.b", "CKV_1 No")]}
    with pytest.raises(NotScannedError, match="CKV_3"):
        policies.read(document, control, "CKV_3")
    with pytest.raises(NotScannedError, match="1 of the files"):
        policies.read({**document, "summary": {"parsing_errors": 1}}, control, "CKV_2")
    with pytest.raises(NotScannedError):  # As it answers when it was given nothing.
        policies.read({"passed": 0, "failed": 0}, control, "CKV_2")


def test_a_secret_is_told_by_its_line(tmp_path: Path) -> None:
    control = tmp_path / "bad.txt"
    ours = [{"type": "Secret Keyword", "line_number": 1}]
    document = {"results": {"README.md": ours, str(control): [{"type": "Private Key"}]}}
    (one,) = secrets.read(document, control)
    assert (one.where, one.what, one.detail) == ("README.md:1", "Secret Keyword", "# speechgate")
    with pytest.raises(NotScannedError, match="private key"):
        secrets.read({"results": {"README.md": ours}}, control)


def test_pip_audit_must_not_pass_over_a_package() -> None:
    flaw = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    document: dict[str, Any] = {
        "dependencies": [
            {"name": "good", "version": "1.0", "vulns": []},
            {"name": "bad", "version": "1.0", "vulns": [flaw, {**flaw, "fix_versions": []}]},
        ]
    }
    assert [one.what for one in packages.read(document, "requirements/asr.txt")] == [
        "bad 1.0 PYSEC-1, mended in 2.0",
        "bad 1.0 PYSEC-1, mended in no release",
    ]
    document["dependencies"].append({"name": "own", "skip_reason": "not found"})
    with pytest.raises(NotScannedError, match="1 passed over: not found"):
        packages.read(document, "requirements/asr.txt")


LOCK = """asgi==2.0.1 \\
    --hash=sha256:00
zipp==4.1.2 ; python_version < "3.12" \\
    --hash=sha256:01
"""


def test_a_package_behind_the_newest_release_is_a_finding() -> None:
    locked = releases.pins(LOCK)
    assert locked == {"asgi": "2.0.1", "zipp": "4.1.2"}
    found = releases.behind(locked, {"asgi": "2.0.1", "zipp": "4.2", "other": "1"}, "a.txt")
    assert found == [Finding("releases", "a.txt", "zipp 4.1.2: 4.2 is out")]
    with pytest.raises(NotScannedError, match="does not know zipp"):
        releases.behind(locked, {"asgi": "2.0.1"}, "a.txt")


INDEX = """#!{python}
import sys
names = open(sys.argv[-1]).read().split()
version = "{older}" if "--exclude-newer" in sys.argv else "9.9.9"
print("\\n".join(f"{{name}}=={{version}}" for name in names))
"""


def put_index(folder: Path, monkeypatch: pytest.MonkeyPatch, older: str) -> None:
    """A `uv` that knows 9.9.9 of each package, and another version as of some days ago."""
    program = folder / "uv"
    program.write_text(INDEX.format(python=sys.executable, older=older))
    program.chmod(0o755)
    monkeypatch.setattr(tools, "TOOLS", folder)


def test_every_list_is_compared_with_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_index(tmp_path, monkeypatch, "8.8.8")
    outcomes = list(releases.scan(tmp_path, packages.LOCKS))
    assert [one.of for one in outcomes] == [f"requirements/{name}.txt" for name in packages.LOCKS]
    text = Report(outcomes, []).text()
    assert re.search(r"FOUND: releases: requirements/gateway.txt: fastapi \S+: 9.9.9 is out", text)
    assert f"not covered: {releases.UNCOVERED}" in text


def test_an_index_without_new_releases_is_an_old_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_index(tmp_path, monkeypatch, "9.9.9")
    with pytest.raises(NotScannedError, match="an old copy"):
        list(releases.scan(tmp_path, packages.LOCKS))


def test_every_image_has_its_packages_scanned() -> None:
    copied = {
        name
        for path in (PROJECT / "deploy/docker").glob("*.Dockerfile")
        for name in packages.LOCKS
        if f"requirements/{name}.txt" in path.read_text()
    }
    assert copied == set(packages.LOCKS)


SOURCES = """Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://archive.test/debian bookworm/main amd64 Packages
     release v=12.15,o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64
"""
SECURITY = """ 500 http://archive.test/security bookworm-security/main amd64 Packages
     release v=12,o=Debian,a=oldstable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64
"""
INSTALLED = "Pinned packages:\ninstalled apt\ninstalled libssl3\ninstalled tzdata\n"
NEWER = """Inst libssl3 [3.0.20-1] (3.0.22-1 Debian-Security:12/oldstable-security [amd64]) []
Inst libnew (1.0 Debian:12.15/oldstable [amd64])
Inst tzdata [2026b-0] (2026f-0 Debian:12.15/oldstable, Debian-Security:12/old-security [all])
Conf libssl3 (3.0.22-1 Debian-Security:12/oldstable-security [amd64])
"""


def test_an_update_of_a_package_is_told_with_where_it_comes_from() -> None:
    count, found = updates.read(SOURCES + SECURITY + INSTALLED + NEWER, "speechgate/asr:1")
    assert count == 3
    assert [one.what for one in found] == [
        "libssl3 3.0.20-1: 3.0.22-1 is out (Debian-Security:12/oldstable-security)",
        "tzdata 2026b-0: 2026f-0 is out (Debian:12.15/oldstable, Debian-Security:12/old-security)",
    ]
    assert updates.read(SOURCES + SECURITY + INSTALLED, "speechgate/asr:1") == (3, [])
    ubuntu = SECURITY.replace("oldstable-security,n=bookworm-security", "noble-security,n=noble")
    assert updates.read(ubuntu + INSTALLED, "speechgate/triton:1") == (3, [])


def test_without_the_archive_of_the_security_team_nothing_is_known() -> None:
    with pytest.raises(NotScannedError, match="no security archive"):
        updates.read(SOURCES + INSTALLED, "speechgate/asr:1")
    with pytest.raises(NotScannedError, match="no packages"):
        updates.read(SOURCES + SECURITY, "speechgate/asr:1")


def test_a_scanner_that_is_absent_or_fails_has_not_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotScannedError, match="No such file"):
        tools.run([str(tmp_path / "absent")])
    with pytest.raises(NotScannedError, match="exit 3: broken"):
        tools.run(["sh", "-c", "echo broken >&2; exit 3"])
    with pytest.raises(NotScannedError, match="no JSON"):
        tools.run_json(["echo", "none"])
    assert tools.run_json(["sh", "-c", "echo '[1]'; exit 1"]) == [1]
    program = tmp_path / "scanner"
    program.write_text("#!/bin/sh\necho ours\n")
    program.chmod(0o755)
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    assert os.environ["PATH"]
    assert tools.run(["scanner"]) == "ours\n"


def test_unknown_parts_are_refused() -> None:
    with pytest.raises(SystemExit):
        main(["everything"])
