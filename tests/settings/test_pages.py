"""The pages that lead elsewhere."""

import re

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client

pytestmark = pytest.mark.django_db


def links(html):
    return re.findall(r'(?:href|src)="([^"]+)"', html)


def test_index_leads_to_everything(client):
    page = client.get("/")
    assert page.status_code == 200
    own = [link for link in links(page.content.decode()) if not link.startswith(("data:", "/static/"))]
    assert own == ["/admin/", "/api/docs/", "/api/schema/", "/.well-known/jwks.json", "/healthz", "/readyz"]
    assert {client.get(link).status_code for link in own if link != "/readyz"} == {200, 302}


def test_staff_find_their_way_around(client):
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get("/admin/").content.decode()
    assert "<title>What staff look after | Course credit</title>" in page
    assert {"/", "/api/docs/", "/readyz"} <= set(links(page))


def test_api_is_described_without_the_network(client):
    page = client.get("/api/docs/").content.decode()
    files = [link for link in links(page) if link.startswith("/static/")]
    assert len(files) == 5
    assert all(finders.find(link.removeprefix("/static/")) for link in files)
    assert not [link for link in links(page) if "//" in link]
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)


def test_start_up_script_of_the_docs_is_an_answer_of_its_own(client):
    [script] = [link for link in links(client.get("/api/docs/").content.decode()) if "script=" in link]
    response = client.get(script)
    assert response["Content-Type"] == "application/javascript"
    assert b"/api/schema/" in response.content


def test_description_is_openapi_3_1(client):
    response = client.get("/api/schema/", headers={"Accept": "application/json"})
    schema = response.json()
    assert schema["openapi"].startswith("3.1")
    assert "/api/credit/v1/eligibility/" in schema["paths"]
    assert set(schema["components"]["securitySchemes"]) == {"jwtAuth", "oauth2", "cookieAuth", "apiKey"}


@pytest.mark.parametrize("path", ["/nowhere", "/api/credit/v1/nowhere", "/api/credit/v1/providers/%3A/request/"])
@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=é"])
def test_a_malformed_form_to_an_unknown_address_is_not_found(path, content_type):
    client = Client(enforce_csrf_checks=True, headers={"X-CSRFToken": "a" * 32})
    client.cookies["csrftoken"] = "a" * 32

    response = client.generic("POST", path, b"[]", content_type=content_type)

    assert response.status_code == 404
