import socket
from pathlib import Path

from deploy.local.ports import HOST, PortAllocator


def test_a_lease_is_exclusive_until_released(tmp_path: Path) -> None:
    first, second = PortAllocator(tmp_path), PortAllocator(tmp_path)
    port = first.lease()

    assert second.lease([port]) != port
    first.release()
    assert PortAllocator(tmp_path).lease([port]) == port


def test_a_port_in_use_is_not_leased(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        taken = server.getsockname()[1]

        assert PortAllocator(tmp_path).lease([taken]) != taken


def test_the_first_free_preference_wins(tmp_path: Path) -> None:
    allocator = PortAllocator(tmp_path)
    first = allocator.lease()
    second = PortAllocator(tmp_path).lease()

    assert PortAllocator(tmp_path / "other").lease([None, second, first]) == second


def test_ports_are_below_the_ephemeral_range(tmp_path: Path) -> None:
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    allocator = PortAllocator(tmp_path)
    ports = {allocator.lease() for _ in range(20)}

    assert len(ports) == 20
    assert max(ports) < low
