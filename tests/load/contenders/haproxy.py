"""HAProxy: a proxy with one thread; no checks, no log."""

from pathlib import Path

from tests.load.contenders.base import HOST, Daemon, Served, free_port

_CONFIG = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect 1s
    timeout client 120s
    timeout server 120s
    timeout tunnel 120s
    option http-keep-alive
    http-reuse always
frontend public
    bind {host}:{port} backlog 4096
    default_backend services
backend services
    server one {host}:{upstream} maxconn 4096
"""


class HAProxy(Served):
    """HAProxy in front of the upstream."""

    name = "HAProxy"

    def __init__(self, folder: Path, upstream: int) -> None:
        folder.mkdir(parents=True)
        config, port = folder / "haproxy.cfg", free_port()
        config.write_text(_CONFIG.format(host=HOST, port=port, upstream=upstream))
        super().__init__(Daemon(["haproxy", "-f", str(config)], port, folder / "haproxy.log"))
