"""Keeps a component running: a thread waits for its end and starts it again."""

import threading
import time
from collections.abc import Callable
from typing import Literal

from deploy.local.component import Component
from deploy.local.process import LauncherError, wait_until

State = Literal["stopped", "starting", "ready", "waiting", "paused"]

_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 5.0
# A component that ran this long is sound: its next crash is a first one again.
_SOUND_AFTER_S = 20.0


class Supervisor:
    """Restarts one component when it ends by itself.

    The delay before a restart doubles from 0.2 s to 5 s while it keeps crashing. A restarted
    component that is alive but not ready is left alone: it may wait for another part.

    Attributes:
        component: What is kept running.
        restarts: How often it was started again.
        state: `waiting` is the time before a restart, `paused` is down on purpose.
    """

    def __init__(self, component: Component, on_change: Callable[[], None]) -> None:
        self.component = component
        self.restarts = 0
        self.state: State = "stopped"
        self._on_change = on_change
        self._changed = threading.Condition()
        self._stopping = False
        self._paused = False
        self._at_once = False
        self._thread: threading.Thread | None = None

    def start(self, timeout_s: float | None = None) -> None:
        """Starts the component, waits until it is ready, and watches it from then on."""
        self._set("starting")
        try:
            self.component.start(timeout_s)
        except BaseException:
            self._set("stopped")
            raise
        self._set("ready")
        name = f"supervisor-{self.component.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Leaves the component down when it ends, until `restart`."""
        with self._changed:
            self._paused = True

    def restart(self, timeout_s: float = 60.0) -> None:
        """Starts the component again now, whether it runs, waits or is paused.

        Raises:
            LauncherError: It was not ready in time.
        """
        with self._changed:
            before = self.restarts
            self._paused = False
            self._at_once = True
            self._changed.notify_all()
        if self.component.running:
            self.component.stop()
        deadline = time.monotonic() + timeout_s
        if not wait_until(lambda: self.restarts > before, timeout_s):
            raise LauncherError(f"{self.component.name}: not restarted in {timeout_s:.0f} s")
        self.wait_ready(deadline - time.monotonic())

    def wait_ready(self, timeout_s: float) -> None:
        """Waits until the component is ready, through a restart if need be.

        Raises:
            LauncherError: It was not ready in time.
        """
        ready = wait_until(lambda: self.state == "ready" and self.component.probe(), timeout_s)
        if not ready:
            raise LauncherError(
                f"{self.component.name}: not ready after {timeout_s:.0f} s ({self.state})"
            )

    def begin_stop(self) -> None:
        """From now on the end of the component is wanted."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stop(self, grace_s: float | None = None) -> None:
        """Stops the component and the watching."""
        self.begin_stop()
        self.component.stop(grace_s)
        if self._thread is not None:
            self._thread.join()
        self._set("stopped")

    def _set(self, state: State) -> None:
        self.state = state
        self._on_change()

    def _run(self) -> None:
        delay = _FIRST_DELAY_S
        while True:
            started = time.monotonic()
            self.component.wait_exit()
            if time.monotonic() - started > _SOUND_AFTER_S:
                delay = _FIRST_DELAY_S
            if not self._wait_for_turn(delay):
                return
            delay = min(delay * 2, _LONGEST_DELAY_S)
            self.restarts += 1
            self._set("starting")
            try:
                self.component.spawn()
                self._await_ready()
            except LauncherError:
                # It ended again, or everything is being stopped: the loop sees which.
                continue
            self._set("ready")

    def _await_ready(self) -> None:
        self.component.wait_ready(float("inf"))

    def _wait_for_turn(self, delay: float) -> bool:
        """Waits out the delay or the pause; False when everything is being stopped."""
        with self._changed:
            if self._stopping:
                return False
            self._set("paused" if self._paused else "waiting")
            if self._paused:
                self._changed.wait_for(lambda: self._stopping or not self._paused)
            if not self._at_once:
                self._changed.wait_for(lambda: self._stopping or self._at_once, delay)
            self._at_once = False
            return not self._stopping
