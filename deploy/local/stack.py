"""A whole stack: started in the order its parts need, supervised, stopped in reverse."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from types import TracebackType
from typing import Self

from deploy.local.info import FILE, StackInfo
from deploy.local.options import StackOptions
from deploy.local.plan import StackPlan
from deploy.local.ports import PortAllocator
from deploy.local.process import LauncherError, StoppedError
from deploy.local.runlock import RunLock
from deploy.local.secrets import write_private
from deploy.local.services import MODULES, SERVICES, create_admin_key
from deploy.local.supervisor import Supervisor
from deploy.local.triton import TritonServer

__all__ = ["Stack", "StackOptions"]

COMPONENTS_FILE = "components.json"
_Task = tuple[tuple[str, ...], Callable[[], None]]


class Stack:
    """A local stack; a context manager that starts and stops it.

    Raises:
        LauncherError: From `start`, when a part cannot be started or the run folder is in
            use. Nothing is left running then.
    """

    def __init__(self, options: StackOptions) -> None:
        self.options = options
        self._lock = RunLock(options.run_dir)
        self._allocator = PortAllocator()
        self._plan: StackPlan | None = None
        self._supervisors: dict[str, Supervisor] = {}
        self._cancelled = threading.Event()
        self._writing = threading.Lock()
        self._up = False

    def __enter__(self) -> Self:
        """Starts the stack."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops it, whatever happened."""
        self.stop()

    @property
    def info(self) -> StackInfo:
        """Addresses, files and current process ids."""
        return self._planned().info()

    @property
    def triton(self) -> TritonServer:
        """The inference server, for faults inside it."""
        return self._planned().triton

    def start(self) -> None:
        """Starts everything; returns when the gateway and all services are ready."""
        self._lock.acquire()
        try:
            self._cancelled = threading.Event()
            self._plan = plan = StackPlan(self.options, self._allocator)
            for component in plan.components():
                component.cancelled = self._cancelled
                self._supervisors[component.name] = Supervisor(component, self._publish)
            self._publish()
            self._run(self._tasks(plan))
            self._up = True
            self._publish()
        except BaseException:
            self.stop()
            raise

    def _tasks(self, plan: StackPlan) -> dict[str, _Task]:
        """What has to be done, each after the tasks it names; the order is topological."""
        tasks: dict[str, _Task] = {"triton": ((), partial(self._start_part, "triton"))}
        before: tuple[str, ...] = ()
        if plan.postgres is not None:
            tasks["postgres"] = ((), partial(self._start_part, "postgres"))
            tasks["redis"] = ((), partial(self._start_part, "redis"))
            # Nothing waits for it: the gateway starts with the last known flags, or defaults.
            tasks["unleash"] = (("postgres",), partial(self._start_part, "unleash"))
            before = ("postgres",)
        for kind in MODULES:
            tasks[f"migrate {kind}"] = (before, partial(self._migrate, plan, kind))
        key = partial(self._ensure_admin_key, plan)
        tasks["admin key"] = (("migrate gateway",), key)
        for name, process in plan.processes.items():
            needs = [f"migrate {process.kind}"]
            if process.kind == "gateway" and plan.redis is not None:
                needs.append("redis")
            # Services do not wait for Triton to start: only their readiness does.
            tasks[name] = (tuple(needs), partial(self._start_part, name))
        return tasks

    def _run(self, tasks: dict[str, _Task]) -> None:
        futures: dict[str, Future[None]] = {}

        def run(needs: tuple[str, ...], work: Callable[[], None]) -> None:
            for name in needs:
                futures[name].result()
            if self._cancelled.is_set():
                raise StoppedError("the start was given up")
            work()

        with ThreadPoolExecutor(len(tasks), thread_name_prefix="start") as executor:
            try:
                for name, (needs, work) in tasks.items():
                    futures[name] = executor.submit(run, needs, work)
                done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:
                # The others give up too, so that leaving the executor does not wait long.
                self._cancelled.set()
                raise

    def _start_part(self, name: str) -> None:
        began = time.monotonic()
        supervisor = self._supervisors[name]
        supervisor.start()
        took = time.monotonic() - began
        address = supervisor.component.address
        self.options.progress(f"{name:<9} ready in {took:4.1f} s  {address}")

    def _migrate(self, plan: StackPlan, kind: str) -> None:
        began = time.monotonic()
        if plan.postgres is not None:
            plan.postgres.create_database(f"speechgate_{kind}")
        new = plan.migration(kind).run(self._cancelled)
        if kind == "gateway" and new:
            plan.admin_key_file.unlink(missing_ok=True)
        took = time.monotonic() - began
        self.options.progress(f"database  {kind} ready in {took:4.1f} s")

    def _ensure_admin_key(self, plan: StackPlan) -> None:
        if not plan.admin_key_file.exists():
            env = plan.processes["gateway"].env
            log = plan.log_dir / "admin-key.log"
            create_admin_key(env, plan.admin_key_file, log, self._cancelled)

    def kill(self, name: str, number: int, *, supervise: bool = True) -> None:
        """Sends a signal to a component; with `supervise=False` it stays down after it."""
        if not supervise:
            self.pause_restart(name)
        self._supervisor(name).component.kill(number)

    def pause_restart(self, name: str) -> None:
        """When the component ends, it is not started again until `restart`."""
        self._supervisor(name).pause()

    def restart(self, name: str, timeout_s: float = 60.0) -> None:
        """Starts a component (again) on the same address; returns when it is ready."""
        self._supervisor(name).restart(timeout_s)

    def add(self, name: str, kind: str, env: Mapping[str, str] | None = None) -> str:
        """Starts one more process of a kind; its address, when it is ready.

        A gateway shares the port of the others, which all need SPEECHGATE_REUSE_PORT. A replica
        gets a port of its own, which the gateways know only by a source that is looked up again.

        Args:
            name: Of the process; a new one.
            kind: gateway, asr, tts or nlp.
            env: More environment for it, full names.

        Raises:
            LauncherError: It was not ready in time; nothing of it is left.
        """
        plan = self._planned()
        if name in self._supervisors:
            raise LauncherError(f"{name} is there already")
        with self._writing:
            process = plan.add(name, kind, env or {})
            process.cancelled = self._cancelled
            self._supervisors[name] = Supervisor(process, self._publish)
        try:
            self._start_part(name)
        except BaseException:
            self.remove(name)
            raise
        self._publish()
        return process.address

    def remove(self, name: str) -> None:
        """Ends a gateway or a replica with SIGTERM and its grace time, for good."""
        plan, supervisor = self._planned(), self._supervisor(name)
        supervisor.stop()
        with self._writing:
            del self._supervisors[name]
            plan.remove(name)
        self._publish()

    def address(self, name: str) -> str:
        """Where a component is."""
        return self._supervisor(name).component.address

    def restarts(self, name: str) -> int:
        """How often a component was started again."""
        return self._supervisor(name).restarts

    def wait_ready(self, name: str, timeout_s: float = 60.0) -> None:
        """Waits until a component is ready, through its restart if need be.

        Raises:
            LauncherError: It was not ready in time.
        """
        self._supervisor(name).wait_ready(timeout_s)

    def stop(self) -> None:
        """Stops everything: the gateway drains first, then services, then the rest.

        Safe at any time and more than once.
        """
        self._cancelled.set()
        self._up = False
        for supervisor in self._supervisors.values():
            supervisor.begin_stop()
        kinds = {name: name.split("-")[0] for name in self._supervisors}
        gateways = {name for name, kind in kinds.items() if kind == "gateway"}
        services = {name for name, kind in kinds.items() if kind in SERVICES}
        for group in (gateways, services, set(kinds) - gateways - services):
            self._stop_group(group)
        self._supervisors.clear()
        if self._lock.held:
            for name in (FILE, COMPONENTS_FILE):
                (self.options.run_dir / name).unlink(missing_ok=True)
        self._allocator.release()
        self._lock.release()

    def _stop_group(self, names: set[str]) -> None:
        threads = [threading.Thread(target=self._supervisors[name].stop) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def abort(self) -> None:
        """Kills everything at once; a stop or start in progress returns soon after."""
        self._cancelled.set()
        for supervisor in list(self._supervisors.values()):
            supervisor.begin_stop()
            if (pid := supervisor.component.pid) and supervisor.component.running:
                os.kill(pid, 9)

    def _planned(self) -> StackPlan:
        if self._plan is None:
            raise LauncherError("the stack was not started")
        return self._plan

    def _supervisor(self, name: str) -> Supervisor:
        try:
            return self._supervisors[name]
        except KeyError:
            known = ", ".join(self._supervisors) or "none, the stack is down"
            raise LauncherError(f"no component {name}; there are: {known}") from None

    def _publish(self) -> None:
        """Writes the files that tell others about the stack."""
        with self._writing:
            if self._plan is None or not self._lock.held:
                return
            if self._up:
                self._plan.info().save(self._plan.run_dir)
            rows = {
                name: {
                    "pid": supervisor.component.pid,
                    "state": supervisor.state,
                    "restarts": supervisor.restarts,
                    "url": supervisor.component.address,
                }
                for name, supervisor in self._supervisors.items()
            }
            path = self._plan.run_dir / COMPONENTS_FILE
            write_private(path, json.dumps(rows, indent=2).encode() + b"\n")
