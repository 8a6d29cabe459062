"""The web process: no header is a server error."""

import pytest
from werkzeug.test import Client

from settings.wsgi import application

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=zlib",
        "application/json; charset=idna",
        "application/json; charset=no-such-charset",
        "application/json; charset*=no-such-charset''x",
        "application/json; charset=",
        "; charset=zlib",
        "",
        "\xff",
    ],
)
def test_an_odd_content_type_is_no_server_error(content_type):
    response = Client(application).get(
        "/api/credit/v1/providers/?provider_ids=a", "http://testserver", content_type=content_type
    )
    assert response.status_code == 401


def test_a_common_charset_is_passed_on():
    response = Client(application).get(
        "/api/credit/v1/providers/?provider_ids=a",
        "http://testserver",
        content_type="application/json; charset=iso-8859-1",
    )
    assert response.request.environ["CONTENT_TYPE"] == "application/json; charset=iso-8859-1"


@pytest.mark.parametrize("path", ["/oauth2/access_token", "/admin/login/"])
@pytest.mark.parametrize("charset", ["zlib", "idna", "undefined", "base64", "rot13", "utf-16", "nonsense", "a\0b"])
def test_an_odd_charset_of_a_form_is_no_server_error(path, charset):
    body = b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\nalice\r\n--x--\r\n'
    content_type = f"multipart/form-data; boundary=x; charset={charset}"
    response = Client(application).post(path, "http://testserver", data=body, content_type=content_type)
    assert response.status_code < 500
