"""A deployment's directory, rendered by the kit and worked on by plain terraform against the simulated AWS."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from sockerless.kit import project, provider, render
from sockerless.kit.project import Project

UNATTENDED = ("-input=false", "-no-color")


class Directory:
    """A deployment's directory, by plain terraform."""

    def __init__(self, path: Path, endpoint_url: str) -> None:
        self._path, self._endpoint_url = path, endpoint_url

    def render(self, **settings: Any) -> Project:
        """Renders these settings over what is there."""
        target = {"target": "simulator", "endpoint_url": self._endpoint_url}
        here = project.from_mapping(self._path, {**target, **settings})
        render.write(here, render.render_terraform(here))
        return here

    def init(self) -> None:
        """Installs the provider."""
        mirror = provider.find(self._path).plugin_dir
        self.run("init", *UNATTENDED, *(["-plugin-dir", str(mirror)] if mirror else []))

    def run(self, *arguments: str) -> str:
        """terraform's output; the test fails when terraform does."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
        environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "CHECKPOINT_DISABLE": "1"}
        done = subprocess.run(
            ["terraform", *arguments], cwd=self._path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
        return done.stdout

    def changes(self) -> dict[str, list[str]]:
        """What an apply would do, by address; what it would leave alone is left out."""
        self.run("plan", *UNATTENDED, "-out=planned")
        plan = json.loads(self.run("show", "-json", "planned"))
        actions = {change["address"]: change["change"]["actions"] for change in plan.get("resource_changes", [])}
        return {address: found for address, found in actions.items() if found not in (["no-op"], ["read"])}

    def apply(self) -> None:
        """Applies, and plans again, which must find nothing to do."""
        self.run("apply", *UNATTENDED, "-auto-approve")
        self.run("plan", *UNATTENDED, "-detailed-exitcode")

    def destroy(self) -> None:
        """Destroys what was applied; what stands was looked at by the plan before."""
        self.run("destroy", *UNATTENDED, "-auto-approve", "-refresh=false")

    def outputs(self) -> dict[str, Any]:
        """Every output's value."""
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}

    def output(self, name: str) -> Any:
        """One output."""
        return self.outputs()[name]
