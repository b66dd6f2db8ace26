"""Finding a component by its type name: built-in, registered, or of an installed plugin.

Only what is asked for is imported. The entry point of the group `eventtracking` whose name is the
type's name, up to its first dot, is loaded alone, registered with pluggy and asked for factories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from threading import RLock
from typing import Any, Final

import pluggy

from eventtracking_core import hookspecs
from eventtracking_core.errors import PluginError
from eventtracking_core.importing import import_attribute, import_bounded
from eventtracking_core.known_types import BUILT_IN, PUBLISHED, PUBLISHED_WITH, ComponentKind
from eventtracking_core.lifecycle.forks import on_fork

__all__ = [
    "GROUP",
    "PUBLISHED",
    "ComponentKind",
    "Factory",
    "PluginError",
    "Plugins",
    "installed",
    "plugins",
    "register_plugin",
]

Factory = Callable[..., Any]

GROUP: Final = "eventtracking"

_HOOKS: Final[Mapping[ComponentKind, str]] = {
    "context provider": "eventtracking_context_providers",
    "processor": "eventtracking_processors",
    "backend": "eventtracking_backends",
    "metadata store": "eventtracking_metadata_stores",
}

_import_built_in: Final = cache(import_attribute)


class Plugins:
    """The plugins of this process."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._origins: dict[str, str] = {}
        self.forked()

    def forked(self) -> None:
        """Reset the lock in a forked child, where another thread may have held it."""
        # Held while the manager is read or changed, and never while others' code runs: that may
        # import, and so wait for a thread that waits for us.
        self._lock = RLock()

    def register(self, plugin: object, name: str) -> None:
        """Register an object with hook implementations; see `register_plugin`."""
        # Checked before, because pluggy forgets a plugin that it refuses only in part.
        hooks = [hook for hook in dir(plugin) if self._manager.parse_hookimpl_opts(plugin, hook)]
        if not hooks:
            raise PluginError(f"plugin {name!r} registers nothing: no function is marked @hookimpl")
        known = sorted(_HOOKS.values())
        for hook in hooks:
            if hook not in known:
                names = ", ".join(known)
                raise PluginError(
                    f"plugin {name!r}: there is no hook {hook!r} (there are: {names})"
                )
            if signature(getattr(plugin, hook)).parameters:
                raise PluginError(f"plugin {name!r}: {hook} must take no arguments")
        try:
            with self._lock:
                self._manager.register(plugin, name)
        except ValueError as error:
            raise PluginError(f"a plugin {name!r} is registered already") from error

    def unregister(self, name: str) -> None:
        """Forget a registered plugin.

        Raises:
            PluginError: there is none of that name.
        """
        with self._lock:
            plugin = self._manager.unregister(name=name)
        if plugin is None:
            raise PluginError(f"no plugin {name!r} is registered")

    def find(self, kind: ComponentKind, type_name: str, disabled: Iterable[str] = ()) -> Factory:
        """Return the factory of a component.

        Args:
            kind: what is looked for.
            type_name: `mongo`, or dotted `otel.baggage`, or `package.module:attribute`.
            disabled: names of plugins that must not be loaded.

        Raises:
            PluginError: there is none of that name, or its plugin cannot be used.
        """
        if ":" in type_name:
            return import_attribute(type_name)
        built_in = BUILT_IN[kind].get(type_name)
        if built_in is not None:
            return _import_built_in(built_in)
        name = type_name.partition(".")[0]
        if name in disabled:
            raise PluginError(f"plugin {name!r} is disabled")
        if not self._manager.has_plugin(name):
            self._load(kind, name, type_name)
        factories = self.factories(kind, name)
        if type_name not in factories:
            names = ", ".join(sorted(factories)) or "none"
            raise PluginError(f"plugin {name!r} has no {kind} {type_name!r} (it has: {names})")
        return factories[type_name]

    def origin(self, type_name: str) -> str:
        """Return what tells where a component comes from: its plugin, with its distribution."""
        name = type_name.partition(".")[0]
        return self._origins.get(name, repr(name))

    def factories(self, kind: ComponentKind, name: str) -> Mapping[str, Factory]:
        """Return what a registered plugin has of a kind, by type name.

        Raises:
            PluginError: its hook raises, or returns something else.
        """
        hook = _HOOKS[kind]
        with self._lock:
            implementations = getattr(self._manager.hook, hook).get_hookimpls()
        try:
            results = [each.function() for each in implementations if each.plugin_name == name]
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            where = self.origin(name)
            raise PluginError(f"plugin {where}: {hook} raised {type(error).__name__}") from error
        factories: Any = results[0] if results else {}
        if not isinstance(factories, Mapping) or not all(map(callable, factories.values())):
            raise PluginError(f"plugin {self.origin(name)}: {hook} must return factories by name")
        return factories

    def misnamed(self, name: str) -> str | None:
        """Return why a name is that of no plugin; None if it is, of an installed one or of ours."""
        registered = [each for each, _ in self._manager.list_name_plugin()]
        known = sorted({*PUBLISHED, *registered, *(each.name for each in installed())})
        if name in known:
            return None
        if any(name in types for types in BUILT_IN.values()):
            return "is built in, not a plugin: it cannot be disabled"
        guess = _closest(name.partition(".")[0], known)
        meant = f"did you mean {guess!r}? " if guess in known else ""
        return f"unknown plugin; {meant}(known: {', '.join(known)})"

    def available(self) -> tuple[dict[ComponentKind, dict[str, Factory]], dict[str, PluginError]]:
        """Return every component there is, by kind and type name, and the plugins that fail.

        All installed plugins are imported: for tools, never for an application's start.
        """
        failed: dict[str, PluginError] = {}
        for entry_point in installed():
            if not self._manager.has_plugin(entry_point.name):
                try:
                    self.load(entry_point)
                except PluginError as error:
                    failed[entry_point.name] = error
        components: dict[ComponentKind, dict[str, Factory]] = {}
        for kind in BUILT_IN:
            components[kind] = {
                name: _import_built_in(path) for name, path in BUILT_IN[kind].items()
            }
            for name, _ in self._manager.list_name_plugin():
                try:
                    components[kind].update(self.factories(kind, name))
                except PluginError as error:
                    failed[name] = error
        return components, failed

    def load(self, entry_point: EntryPoint) -> None:
        """Import a plugin and register it.

        Raises:
            PluginError: it cannot be imported, or not be registered; it names the distribution.
        """
        plugin = f"plugin {_origin(entry_point)}"
        module = import_bounded(plugin, entry_point.module, entry_point.load)
        with self._lock:
            if self._manager.has_plugin(entry_point.name):  # another thread loaded it meanwhile
                return
            try:
                self.register(module, entry_point.name)
            except PluginError as error:
                raise PluginError(f"{error} ({_distribution(entry_point)})") from error
            self._origins[entry_point.name] = _origin(entry_point)

    def _load(self, kind: ComponentKind, name: str, type_name: str) -> None:
        candidates = [entry_point for entry_point in installed() if entry_point.name == name]
        if not candidates:
            raise PluginError(_unknown(kind, type_name))
        if len(candidates) > 1:
            both = " and ".join(_origin(entry_point) for entry_point in candidates)
            raise PluginError(f"plugin {name!r} is claimed by {both}; uninstall one of them")
        self.load(candidates[0])


plugins: Final = Plugins()
"""The plugins of this process: what configurations are resolved against."""


def register_plugin(plugin: object, name: str) -> None:
    """Register an object with hook implementations, as if it had been installed.

    Raises:
        PluginError: it implements no hook, one that does not exist, or the name is taken.
    """
    plugins.register(plugin, name)


def installed() -> list[EntryPoint]:
    """Return the entry points of all installed plugins, none of them imported, by name."""
    unique = {_identity(entry_point): entry_point for entry_point in entry_points(group=GROUP)}
    return [unique[key] for key in sorted(unique)]


def _identity(entry_point: EntryPoint) -> tuple[str, str]:
    # A distribution that is found twice on the path (an editable install, say) is one.
    return entry_point.name, entry_point.dist.name if entry_point.dist else entry_point.value


def _origin(entry_point: EntryPoint) -> str:
    return f"{entry_point.name!r} of {_distribution(entry_point)}"


def _distribution(entry_point: EntryPoint) -> str:
    dist = entry_point.dist
    return f"{dist.name} {dist.version}" if dist else "an unknown distribution"


def _unknown(kind: ComponentKind, type_name: str) -> str:
    ours = PUBLISHED_WITH[kind]
    installed_names = {entry_point.name for entry_point in installed()} - (PUBLISHED - ours)
    known = sorted({*BUILT_IN[kind], *installed_names})
    message = f"unknown {kind} {type_name!r}"
    guess = _closest(type_name, sorted({*known, *ours}))
    if guess in known:
        message += f"; did you mean {guess!r}?"
    elif guess in ours:
        meant = "" if guess == type_name else f"did you mean {guess!r}? "
        message += f"; {meant}pip install eventtracking-{guess}"
    return f"{message} (installed: {', '.join(known)})"


def _closest(type_name: str, known: list[str]) -> str:
    """Return the known name that is meant, `filter` for `regex_filter`; else the name itself."""
    containing = [name for name in known if type_name in name] if type_name else []
    close = get_close_matches(type_name, containing or known, n=1, cutoff=0 if containing else 0.6)
    return close[0] if close else type_name


on_fork(plugins.forked)
