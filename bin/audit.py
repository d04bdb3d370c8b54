"""`make lint`'s look at what others found: known vulnerabilities of the locked requirements, and a bill of materials.

In: the two lock files. Out: build/sbom.json (CycloneDX); exit 1 and the fixes where a pinned version has a known hole.
Where no advisories can be reached it says so and fails nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LOCKS = ("requirements.txt", "requirements-dev.txt")


def bill_of_materials() -> None:
    """What the portal runs on: name, version, hashes, from the lock alone."""
    target = ROOT / "build" / "sbom.json"
    target.parent.mkdir(exist_ok=True)
    command: list[str | Path] = [
        BIN / "cyclonedx-py",
        "requirements",
        ROOT / LOCKS[0],
        "--output-reproducible",
        "-o",
        target,
    ]
    subprocess.run(command, check=True, capture_output=True)
    components = json.loads(target.read_text())["components"]
    print(f"SBOM: {len(components)} components in {target.relative_to(ROOT)}")


def vulnerabilities(lock: str) -> list[str] | None:
    """A line each; None where nothing could be asked."""
    command: list[str | Path] = [BIN / "pip-audit", "--require-hashes", "--disable-pip", "-r", ROOT / lock]
    options = ["-f", "json", "--progress-spinner", "off", "--timeout", "15"]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"] or []
    except (ValueError, KeyError, TypeError):
        return None
    if all("skip_reason" in dependency for dependency in dependencies):
        return None
    return [
        f"{lock}: {dependency['name']} {dependency['version']} has {hole['id']}, fixed in "
        f"{', '.join(hole['fix_versions']) or 'no version yet'}"
        for dependency in dependencies
        for hole in dependency.get("vulns", [])
    ]


def main() -> int:
    bill_of_materials()
    found = [vulnerabilities(lock) for lock in LOCKS]
    holes = [line for lines in found for line in lines or []]
    if None in found:
        print("SKIPPED pip-audit: the advisories cannot be reached from here; nothing is known about vulnerabilities.")
    elif not holes:
        print("pip-audit: nothing known against the locked versions.")
    for line in holes:
        print(line)
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
