"""nginx: a plain proxy, and a proxy with the same checks in Lua."""

import hashlib
import hmac
import secrets
from pathlib import Path

from tests.load.contenders.base import HOST, PATH, Daemon, Served, Target, free_port

_MODULES = "/usr/lib/nginx/modules"
_LUA_MODULE = f"{_MODULES}/ngx_http_lua_module.so"
_HERE = Path(__file__).parent
NEEDS = ("nginx", _LUA_MODULE, "/usr/share/lua/5.1/nginx/redis.lua")

_CONFIG = """
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    log_format line '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent '
        '$request_time $request_id';
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    # Bodies stay in memory.
    client_max_body_size 32m;
    client_body_buffer_size 1m;
    keepalive_requests 100000000;
    keepalive_timeout 300;
    tcp_nodelay on;
{http}
}}
"""

_PROXY = """
    upstream services {{
        server {host}:{upstream};
        keepalive 128;
        keepalive_requests 100000000;
    }}
    map $http_upgrade $to_upstream {{ default upgrade; "" ""; }}
{init}
    server {{
        listen {host}:{port} backlog=4096;
        access_log {folder}/access.log line buffer=64k flush=1s;
        location / {{
{check}
            proxy_pass http://services;
            proxy_http_version 1.1;
            proxy_set_header Connection $to_upstream;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header X-Request-Id $request_id;
            proxy_connect_timeout 1s;
            proxy_read_timeout 120s;
        }}
    }}
"""

_INIT = """
    lua_package_path "{here}/?.lua;/usr/share/lua/5.1/?.lua;;";
    init_by_lua_block {{
        require "resty.core"
        check = require("check").new({{
            pepper = "{pepper}",
            keys = {{ ["{digest}"] = {{ id = "key-1", scope = "asr:infer" }} }},
            redis_host = "{host}", redis_port = {redis},
            script_file = "{here}/sliding_window.lua",
            quotas = {{ {{ 50000000, 60 }}, {{ 50000000, 3600 }}, {{ 50000000, 86400 }} }},
        }})
    }}
"""


class _Nginx(Served):
    name = "nginx"

    def __init__(self, folder: Path, http: str, port: int) -> None:
        folder.mkdir(parents=True)
        config = folder / "nginx.conf"
        config.write_text(_CONFIG.format(modules=_MODULES, folder=folder, http=http))
        # An account of its own for the worker could not enter a private folder.
        command = ["nginx", "-p", str(folder), "-c", str(config), "-g", "user root;"]
        super().__init__(Daemon(command, port, folder / "error.log"))


class PlainNginx(_Nginx):
    """A proxy with keep-alive to the upstream and an access log; no checks."""

    def __init__(self, folder: Path, upstream: int) -> None:
        port = free_port()
        http = _PROXY.format(
            host=HOST, port=port, upstream=upstream, folder=folder, init="", check=""
        )
        super().__init__(folder, http, port)


class LuaNginx(_Nginx):
    """The same, after the check of an API key and three sliding windows in Redis."""

    name = "nginx + Lua"

    def __init__(self, folder: Path, upstream: int, redis: int) -> None:
        port, pepper = free_port(), secrets.token_hex(32)
        self.key = f"sg_live_{secrets.token_hex(16)}"
        digest = hmac.digest(pepper.encode(), self.key.encode(), hashlib.sha256).hex()
        init = _INIT.format(here=_HERE, pepper=pepper, digest=digest, host=HOST, redis=redis)
        check = "            access_by_lua_block { check() }"
        http = _PROXY.format(
            host=HOST, port=port, upstream=upstream, folder=folder, init=init, check=check
        )
        super().__init__(folder, http, port)

    @property
    def target(self) -> Target:
        return Target(self._daemon.port, PATH, {"Authorization": f"Bearer {self.key}"})
