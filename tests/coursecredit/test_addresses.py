"""From where a request comes, as far as that can be believed."""

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from coursecredit.addresses import caller_address, named_address, site_of

PEER = "192.0.2.1"


def request(forwarded=None, peer=PEER):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return Request(RequestFactory(REMOTE_ADDR=peer).get("/", headers=headers))


@pytest.fixture
def proxies(settings):
    def proxies(number):
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": number}

    return proxies


@pytest.mark.parametrize(
    ("number", "forwarded", "caller", "named"),
    [
        pytest.param(0, None, PEER, PEER, id="directly"),
        pytest.param(None, None, PEER, PEER, id="directly, of unknown proxies"),
        pytest.param(0, "198.51.100.7", PEER, "198.51.100.7", id="directly, for a learner"),
        pytest.param(None, "198.51.100.7", PEER, "198.51.100.7", id="of unknown proxies, for a learner"),
        pytest.param(0, "198.51.100.7, 203.0.113.9", PEER, "198.51.100.7", id="for a learner behind others"),
        pytest.param(1, "203.0.113.9", "203.0.113.9", "203.0.113.9", id="through our proxy"),
        pytest.param(1, "198.51.100.7, 203.0.113.9", "203.0.113.9", "198.51.100.7", id="our proxy, for a learner"),
        pytest.param(2, "198.51.100.7, 203.0.113.9, 10.0.0.1", "203.0.113.9", "198.51.100.7", id="two of our proxies"),
        pytest.param(2, "203.0.113.9", "203.0.113.9", "203.0.113.9", id="fewer proxies than there are"),
        pytest.param(1, None, PEER, PEER, id="past our proxy"),
        pytest.param(1, ", 203.0.113.9", "203.0.113.9", "203.0.113.9", id="for nobody"),
        pytest.param(0, "198.51.100.7:4711", PEER, "198.51.100.7", id="with a port"),
        pytest.param(0, "[2001:db8::7]:4711", PEER, "2001:db8::7", id="IPv6 with a port"),
        pytest.param(0, "2001:db8::7", PEER, "2001:db8::7", id="IPv6"),
    ],
)
def test_who_calls_and_for_whom(proxies, number, forwarded, caller, named):
    proxies(number)

    assert (caller_address(request(forwarded)), named_address(request(forwarded))) == (caller, named)


def test_no_address(proxies):
    proxies(0)

    assert caller_address(request(peer="")) == ""


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_sites_of_addresses(address, site):
    assert site_of(address) == site
