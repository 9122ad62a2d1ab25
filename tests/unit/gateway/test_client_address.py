import pytest

from gateway.services.client_address import TrustedProxies, parse_networks

PROXIES = TrustedProxies(parse_networks("10.0.0.0/8, 2001:db8::/32,192.0.2.7"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["203.0.113.9", "198.51.100.1 ,192.0.2.7"], "198.51.100.1"),
        ("10.1.2.3", ["10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1, unknown"], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1, " + "1" * 5_000], "10.1.2.3"),
        ("198.51.100.2", ["203.0.113.9"], "198.51.100.2"),
        ("::ffff:10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1"),
        ("2001:db8::1", ["[2001:db9::5]:80"], "2001:db9::5"),
        ("2001:db8::1", ["[2001:db9::5]"], "2001:db9::5"),
        ("unknown", ["198.51.100.1"], "unknown"),
    ],
)
def test_the_last_address_that_no_proxy_has(peer: str, forwarded: list[str], client: str) -> None:
    assert PROXIES.client(peer, forwarded) == client


def test_nobody_is_believed_unless_named() -> None:
    assert TrustedProxies(parse_networks("")).client("10.1.2.3", ["198.51.100.1"]) == "10.1.2.3"


@pytest.mark.parametrize("text", ["edge.example.org", "10.0.0.0/40", "10.0.0.1/8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_networks(text)
