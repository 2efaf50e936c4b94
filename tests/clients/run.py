#!/usr/bin/env python3
"""Drives an embedded Microsoft 365 with Microsoft's own clients, as npm has them.

Needs Node.js 20 and `npm install` in this folder (./dev clients does that); without them it ends with 77, which ctest
reports as skipped. The environment names host-sim and the plugins, as for tests/integration. Arguments: test files.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


def node_version():
    """The major version of Node.js; 0 where there is none."""
    if not shutil.which("node"):
        return 0
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    return int(said.lstrip("v").split(".")[0] or 0)


def main():
    if node_version() < 20:
        print("Microsoft's clients need Node.js 20 or newer")
        return SKIPPED
    if not (HERE / "node_modules").is_dir():
        print("Microsoft's clients are not installed here: ./dev clients installs and runs them")
        return SKIPPED
    sys.path.insert(0, str(HERE.parent / "integration"))
    from harness import Tenant  # only now: it wants the environment

    folder = pathlib.Path(tempfile.mkdtemp(prefix="mailplugin-clients-"))
    tenant = None
    try:
        tenant = Tenant(folder / "tenant")
        addresses = json.loads((tenant.dir / "control.json").read_text())
        environment = {**os.environ, "NODE_EXTRA_CA_CERTS": addresses["ca_file"], "TENANT_DIR": str(tenant.dir)}
        tests = sorted(map(str, HERE.glob("*.test.mjs"))) if len(sys.argv) == 1 else sys.argv[1:]
        return subprocess.run(["node", "--test", *tests], env=environment, cwd=HERE, check=False).returncode
    finally:
        if tenant:
            tenant.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
