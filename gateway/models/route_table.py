"""Finds the declared route of a path."""

import re
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from gateway.models.permissions import PERMISSIONS
from gateway.models.routes import OwnRoute, Route

_SEGMENT = "[0-9A-Za-z._-]{1,128}"
_VARIABLE = re.compile(r"\{[a-z_]+\}")
AnyRoute = TypeVar("AnyRoute", Route, OwnRoute)


class RouteTable(Generic[AnyRoute]):
    """Finds the routes of a raw path.

    Attributes:
        fixed: Routes without a variable segment, by path and method.

    Raises:
        ValueError: A route is declared twice, or with a permission that does not exist; the
            gateway does not start.
    """

    def __init__(self, routes: Sequence[AnyRoute]) -> None:
        self.fixed: dict[str, dict[str, AnyRoute]] = {}
        self._templates: dict[str, dict[str, AnyRoute]] = {}
        for route in routes:
            needed = route.scope if isinstance(route, Route) else route.permission
            if needed and needed not in PERMISSIONS:
                raise ValueError(f"no such permission: {needed}")
            if isinstance(route, Route) and not needed:
                raise ValueError(f"route without scope: {route.template}")
            group = self._templates if "{" in route.template else self.fixed
            methods = group.setdefault(route.template, {})
            if route.method in methods:
                raise ValueError(f"route declared twice: {route.method} {route.template}")
            methods[route.method] = route
        self._patterns: list[tuple[re.Pattern[str], dict[str, AnyRoute]]] = [
            (re.compile(_VARIABLE.sub(_SEGMENT, template)), methods)
            for template, methods in self._templates.items()
        ]

    def find(self, path: str) -> Mapping[str, AnyRoute] | None:
        """The routes of a path by method."""
        methods = self.fixed.get(path)
        if methods is not None:
            return methods
        for pattern, templated in self._patterns:
            if pattern.fullmatch(path):
                return templated
        return None
