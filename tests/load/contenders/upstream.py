"""What is behind all contenders."""

from pathlib import Path

from tests.load.contenders.base import Daemon, Served, free_port

ANSWER = '{"output":[{"source":"the quick brown fox"}]}'
CHAT_ANSWER = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"static",'
    '"choices":[{"index":0,"message":{"role":"assistant","content":"the quick brown fox"},'
    '"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}'
)
_SCRIPT = Path(__file__).parents[1] / "upstream.lua"


class StaticUpstream(Served):
    """Answers every request with the same small document.

    It shares its core with the load generator and Redis, which keep up only if it takes little of
    that core: a script for LuaJIT took 0.21 of it where nginx took 0.34, for the same requests.
    """

    name = "upstream"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        command = ["luajit", str(_SCRIPT), str(port), ANSWER, CHAT_ANSWER]
        super().__init__(Daemon(command, port, folder / "error.log"))
