"""Every path of Engine API 1.44 that is refused, each with its reason and what to do instead.

Owns one table. routes.py asks it when nothing serves a path; docs.py renders it. A path is either here or in
routes.py, never in both and never in neither (held by a test against the API's list of operations).
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_BUILT = 501
NO_SWARM = 503
NOT_FOUND = 404

_SWARM_REASON = "This node is not a swarm manager."
_SWARM_REMEDY = 'Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'
"""Docker's own words, which clients know; swarm init is refused in ours."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused operation. The client reads reason and remedy as one message."""

    method: str
    path: str
    status: int
    reason: str
    remedy: str

    @property
    def message(self) -> str:
        """What stands in {"message"}."""
        return f"{self.reason} {self.remedy}".strip()


def _not_built(method: str, path: str, what: str, remedy: str) -> Refusal:
    return Refusal(method, path, NOT_BUILT, f"{what} not available in this version of sockerless.", remedy)


def _none_of(path: str, kind: str, remedy: str) -> Refusal:
    """Looking at one of a kind that there is none of: `docker inspect` goes on to the next kind, and tells none."""
    return Refusal("GET", path, NOT_FOUND, f"No such {kind}: this version of sockerless has none.", remedy)


def _swarm(method: str, path: str) -> Refusal:
    return Refusal(method, path, NO_SWARM, _SWARM_REASON, _SWARM_REMEDY)


_USE_REGISTRY = "Use a client that talks to the registry itself, such as skopeo or crane."
_BUILD_ELSEWHERE = "Build with BuildKit, a CI runner or AWS CodeBuild, push the image to a registry, and pull it here."
_DEFAULT_NETWORK = "Containers reach each other at their private addresses (docker inspect shows them)."
_VOLUME = "Keep data outside the container, for example in S3."
_NO_PLUGINS = "This daemon has no plugins."
_WITHOUT_PLUGIN = "Choose what works without one."


def _plugin(method: str, path: str) -> Refusal:
    return Refusal(method, path, NOT_BUILT, _NO_PLUGINS, _WITHOUT_PLUGIN)


UNSUPPORTED: tuple[Refusal, ...] = (
    # containers
    # images
    _not_built("POST", "/build", "Building images is", _BUILD_ELSEWHERE),
    _not_built("POST", "/build/prune", "Building images is", _BUILD_ELSEWHERE),
    _not_built("POST", "/commit", "Committing a container is", _BUILD_ELSEWHERE),
    _not_built("POST", "/images/{name}/push", "Pushing images is", _USE_REGISTRY),
    _not_built("GET", "/images/search", "Searching for images is", "Search on the registry's own site."),
    _not_built("POST", "/images/prune", "Pruning images is", "Remove images one by one with docker rmi."),
    _not_built(
        "GET", "/images/{name}/history", "The history of an image is", "docker inspect shows its configuration."
    ),
    _not_built("GET", "/images/get", "Saving images is", _USE_REGISTRY),
    _not_built("GET", "/images/{name}/get", "Saving images is", _USE_REGISTRY),
    _not_built("GET", "/distribution/{name}/json", "Asking a registry for a manifest is", _USE_REGISTRY),
    # networks
    _not_built("GET", "/networks", "Networks are", _DEFAULT_NETWORK),
    _not_built("POST", "/networks/create", "Networks are", _DEFAULT_NETWORK),
    _not_built("POST", "/networks/prune", "Networks are", _DEFAULT_NETWORK),
    _not_built("POST", "/networks/{name}/connect", "Networks are", _DEFAULT_NETWORK),
    _not_built("POST", "/networks/{name}/disconnect", "Networks are", _DEFAULT_NETWORK),
    _none_of("/networks/{name}", "network", _DEFAULT_NETWORK),
    _not_built("DELETE", "/networks/{name}", "Networks are", _DEFAULT_NETWORK),
    # volumes
    _not_built("GET", "/volumes", "Volumes are", _VOLUME),
    _not_built("POST", "/volumes/create", "Volumes are", _VOLUME),
    _not_built("POST", "/volumes/prune", "Volumes are", _VOLUME),
    _none_of("/volumes/{name}", "volume", _VOLUME),
    _not_built("DELETE", "/volumes/{name}", "Volumes are", _VOLUME),
    _swarm("PUT", "/volumes/{name}"),
    # system
    _not_built(
        "POST",
        "/auth",
        "Checking registry credentials is",
        "Log in beside another engine (`DOCKER_HOST= docker login`): docker pull sends what that keeps.",
    ),
    _not_built("GET", "/system/df", "Disk usage is", "Ask Amazon ECR for the sizes of its images."),
    _not_built("POST", "/session", "BuildKit is", _BUILD_ELSEWHERE),
    _not_built("POST", "/grpc", "BuildKit is", _BUILD_ELSEWHERE),
    # plugins
    _plugin("GET", "/plugins/privileges"),
    _plugin("POST", "/plugins/pull"),
    _plugin("POST", "/plugins/create"),
    Refusal("GET", "/plugins/{name}/json", NOT_FOUND, _NO_PLUGINS, _WITHOUT_PLUGIN),
    _plugin("POST", "/plugins/{name}/enable"),
    _plugin("POST", "/plugins/{name}/disable"),
    _plugin("POST", "/plugins/{name}/upgrade"),
    _plugin("POST", "/plugins/{name}/push"),
    _plugin("POST", "/plugins/{name}/set"),
    _plugin("DELETE", "/plugins/{name}"),
    # swarm
    Refusal("POST", "/swarm/init", NOT_BUILT, "Swarm mode is not supported by this daemon.", "ECS places the tasks."),
    Refusal("POST", "/swarm/join", NOT_BUILT, "Swarm mode is not supported by this daemon.", "ECS places the tasks."),
    _swarm("GET", "/swarm"),
    _swarm("GET", "/swarm/unlockkey"),
    _swarm("POST", "/swarm/leave"),
    _swarm("POST", "/swarm/update"),
    _swarm("POST", "/swarm/unlock"),
    _swarm("GET", "/nodes"),
    _swarm("GET", "/nodes/{name}"),
    _swarm("DELETE", "/nodes/{name}"),
    _swarm("POST", "/nodes/{name}/update"),
    _swarm("GET", "/services"),
    _swarm("POST", "/services/create"),
    _swarm("GET", "/services/{name}"),
    _swarm("DELETE", "/services/{name}"),
    _swarm("POST", "/services/{name}/update"),
    _swarm("GET", "/services/{name}/logs"),
    _swarm("GET", "/tasks"),
    _swarm("GET", "/tasks/{name}"),
    _swarm("GET", "/tasks/{name}/logs"),
    *(
        _swarm(method, f"/{kind}{path}")
        for kind in ("secrets", "configs")
        for method, path in (
            ("GET", ""),
            ("POST", "/create"),
            ("GET", "/{name}"),
            ("DELETE", "/{name}"),
            ("POST", "/{name}/update"),
        )
    ),
)
