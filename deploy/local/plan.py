"""Which components a stack has, where each listens, and with which settings it runs."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.component import Component
from deploy.local.info import StackInfo, read_json
from deploy.local.options import StackOptions
from deploy.local.ports import HOST, PortAllocator
from deploy.local.postgres import PostgresCluster
from deploy.local.redis import RedisServer
from deploy.local.secrets import ensure_secrets, write_private
from deploy.local.services import (
    MODULES,
    SERVICES,
    Migration,
    ServiceProcess,
    product_environment,
    sqlite_revision,
)
from deploy.local.triton import TritonPorts, TritonServer
from deploy.local.triton_tracing import ENDPOINT
from deploy.local.unleash import ENVIRONMENT, UnleashServer, ensure_flags_file

# Seen soon by somebody who tries it; the gateway's own default spares a large installation.
_UNLEASH_REFRESH_S = 2


class StackPlan:
    """The components of a stack, made but not started.

    Attributes:
        triton: The inference server.
        postgres: The databases of the full stack.
        redis: Limits and key cache of the full stack.
        unleash: Flag server of the full stack.
        flags_file: Flags of the embedded stack.
        processes: Gateway and service replicas by name.
        secrets: The secret files.
    """

    def __init__(self, options: StackOptions, allocator: PortAllocator) -> None:
        self.options = options
        self.run_dir = options.run_dir.resolve()
        self.log_dir = self.run_dir / "log"
        self.data_dir = self.run_dir / "data"
        for folder in (self.log_dir, self.data_dir):
            folder.mkdir(parents=True, exist_ok=True)
        self.secrets = ensure_secrets(self.run_dir / "secrets")
        # A key lives in one database: each kind of stack has its own.
        self.admin_key_file = self.secrets.admin_key.with_name(f"admin-key-{options.kind}")
        self._allocator = allocator
        self._ports_file = self.run_dir / "ports.json"
        self._ports: dict[str, int] = {}
        self._earlier: dict[str, int] = read_json(self._ports_file) or {}
        self.triton = self._make_triton()
        self.postgres: PostgresCluster | None = None
        self.redis: RedisServer | None = None
        self.unleash: UnleashServer | None = None
        self.flags_file: Path | None = None
        if options.kind == "full":
            self.postgres = PostgresCluster(
                self.run_dir, self._port("postgres"), fsync=options.fsync
            )
            self.redis = RedisServer(self.run_dir, self._port("redis"))
            self.unleash = UnleashServer(
                self.run_dir, self.postgres, self._port("unleash"), installation=options.unleash
            )
        else:
            self.flags_file = ensure_flags_file(self.run_dir / "flags.json")
        names = {kind: options.names(kind) for kind in SERVICES}
        self.service_urls = {
            kind: [f"http://127.0.0.1:{self._port(name)}" for name in names[kind]]
            for kind in SERVICES
        }
        self.processes: dict[str, ServiceProcess] = {}
        for kind in (*SERVICES, "gateway"):
            for name in names.get(kind, [kind]):
                self.processes[name] = self._process(name, kind)
        write_private(self._ports_file, json.dumps(self._ports, indent=2).encode())

    def components(self) -> list[Component]:
        """All components, in the order of start."""
        servers = (self.postgres, self.redis, self.unleash, self.triton)
        found = (*servers, *self.processes.values())
        return [component for component in found if component is not None]

    def add(self, name: str, kind: str, env: Mapping[str, str]) -> ServiceProcess:
        """One more process of a kind; a gateway listens where the others do."""
        if kind == "gateway":
            self._ports[name] = self._port(kind)
        process = self._process(name, kind)
        process.env |= env
        self.processes[name] = process
        if kind in SERVICES:
            self.service_urls[kind].append(process.address)
        return process

    def remove(self, name: str) -> None:
        """Forgets a process that has ended."""
        process = self.processes.pop(name)
        if process.kind in SERVICES:
            self.service_urls[process.kind].remove(process.address)

    def _process(self, name: str, kind: str) -> ServiceProcess:
        env, log = self._environment(name, kind), self.log_dir / f"{name}.log"
        return ServiceProcess(name, kind, env, self._port(name), log)

    def _port(self, name: str) -> int:
        if name not in self._ports:
            wanted = [self._earlier.get(name)]
            if name == "gateway":
                wanted.insert(0, self.options.gateway_port)
            self._ports[name] = self._allocator.lease(wanted)
        return self._ports[name]

    def _make_triton(self) -> TritonServer:
        ports = TritonPorts(*(self._port(f"triton-{n}") for n in ("http", "grpc", "metrics")))
        return TritonServer(
            self.options.repository,
            self.run_dir,
            extra=self.options.triton_extra_models,
            ports=ports,
            venv=self.options.triton_venv,
            instances=self.options.triton_instances,
            otlp_endpoint=self.options.env.get(ENDPOINT) or os.environ.get(ENDPOINT),
        )

    def database_url(self, kind: str) -> str:
        """SQLAlchemy URL of the database of a process kind."""
        if self.postgres is not None:
            return self.postgres.url(f"speechgate_{kind}")
        return f"sqlite+aiosqlite:///{self._sqlite_file(kind)}"

    def _sqlite_file(self, kind: str) -> Path:
        return self.data_dir / f"{kind}.db"

    def _environment(self, name: str, kind: str) -> dict[str, str]:
        settings = {
            "host": "127.0.0.1",
            "port": str(self._port(name)),
            "database_url": self.database_url(kind),
        }
        if kind == "gateway":
            settings |= {
                "identity_private_key_file": str(self.secrets.private_key),
                "key_pepper_file": str(self.secrets.pepper),
                "redis_url": self.redis.url if self.redis else "",
            }
            settings |= {f"{of}_urls": ",".join(urls) for of, urls in self.service_urls.items()}
            settings |= self._flag_settings(name)
        else:
            # A spool belongs to one process; its name is stable, so a restart finds it.
            spool = self.data_dir / "spool" / name
            spool.mkdir(parents=True, exist_ok=True)
            settings |= {
                "identity_public_key_file": str(self.secrets.public_key),
                "triton_url": self.triton.grpc_url,
                "spool_dir": str(spool),
            }
            if kind == "asr":
                settings["data_key_file"] = str(self.secrets.data_keys)
        chosen = {**self.options.env, **self.options.process_env.get(kind, {})}
        return product_environment(settings) | chosen

    def _flag_settings(self, name: str) -> dict[str, str]:
        settings = {"unleash_environment": ENVIRONMENT}
        if self.unleash is None:
            return settings | {"flags_file": str(self.flags_file)}
        # It reads the token before the flag server's own start.
        self.unleash.ensure_secrets()
        return settings | {
            "unleash_url": self.unleash.url,
            "unleash_token_file": str(self.unleash.backend_token_file),
            "unleash_refresh_s": str(_UNLEASH_REFRESH_S),
            # A cache belongs to one process.
            "flags_cache_dir": str(self.data_dir / name.replace("gateway", "flags")),
        }

    def migration(self, kind: str) -> Migration:
        """How the database of a process kind gets its schema."""
        process = next(one for one in self.processes.values() if one.kind == kind)
        return Migration(
            kind=kind,
            env=process.env,
            log=self.log_dir / "migrate.log",
            note=self.data_dir / f"{kind}-{self.options.kind}.migrated.json",
            revision=self._revision_reader(kind),
        )

    def _revision_reader(self, kind: str) -> Callable[[], str | None]:
        if self.postgres is None:
            return lambda: sqlite_revision(self._sqlite_file(kind))
        cluster = self.postgres

        def read() -> str | None:
            database = f"speechgate_{kind}"
            if not cluster.query("SELECT to_regclass('alembic_version')", database):
                return None
            return cluster.query("SELECT version_num FROM alembic_version", database) or None

        return read

    def info(self) -> StackInfo:
        """What the stack tells others; processes as they are now."""
        pids = {part.name: part.pid for part in self.components()}
        return StackInfo(
            kind=self.options.kind,
            gateway_url=f"http://{HOST}:{self._port('gateway')}",
            services=self.service_urls,
            triton={
                "http": self.triton.url,
                "grpc": self.triton.grpc_url,
                "metrics": self.triton.metrics_url,
            },
            databases={kind: self.database_url(kind) for kind in MODULES},
            redis_url=self.redis.url if self.redis else None,
            admin_key_file=str(self.admin_key_file),
            identity_private_key_file=str(self.secrets.private_key),
            key_pepper_file=str(self.secrets.pepper),
            pids={name: pid for name, pid in pids.items() if pid is not None},
            supervisor_pid=os.getpid(),
            run_dir=str(self.run_dir),
            log_dir=str(self.log_dir),
            flags_file=str(self.flags_file) if self.flags_file else None,
            unleash_url=self.unleash.url if self.unleash else None,
            unleash_token_file=str(self.unleash.backend_token_file) if self.unleash else None,
            unleash_password_file=str(self.unleash.password_file) if self.unleash else None,
        )
