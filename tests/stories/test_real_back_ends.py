"""Real services behind one gateway: datasette, pygeoapi, httpbin and nginx, each as it comes.

What it guards against: a service that offers more ways to ask than its catalog knows, that codes,
redirects, streams and sets cookies as it likes, and bodies larger than anybody wants to hold.
"""

import base64
import contextlib
import gzip
import hashlib
import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.components import (
    CITIZENS,
    Component,
    Curled,
    curl,
    datasette,
    httpbin,
    nginx,
    program,
    pygeoapi,
    resident_bytes,
)
from tests.running import Answer, Gateway, Issuer, Witness, free_port

MIB = 1024 * 1024
BIG = 20 * MIB

CONFIG = """\
version: 1
listen: 127.0.0.1:{port}
identity:
  issuer: {issuer}
  audience: gateway
device:
  trusted_issuers: [{issuer}]
  reporters:
    - {{id: mdm, key: {folder}/mdm.jwk}}
behaviour:
  office_hours: "00:00-23:59"
policies: {folder}/policies
state: {folder}/state
mode: enforce
workers: {workers}
apis:
  - name: bin
    match: /bin/**
    strip_prefix: /bin
    upstream: HTTPBIN
    data: anything
    body_max: 32MiB
    headers:
      return: [set-cookie]
  - name: seen
    match: /seen/**
    strip_prefix: /seen
    upstream: HTTPBIN
    data: inspected
    body_max: 32MiB
    headers:
      return: [set-cookie]
  - name: registry
    match: /registry/**
    upstream: DATASETTE
    data: citizens
  - name: geo
    match: /geo/**
    strip_prefix: /geo
    upstream: PYGEOAPI
    data: parcels
  - name: files
    match: /files/**
    upstream: NGINX
    data: anything
  - name: records
    match: /records/**
    upstream: NGINX
    data: inspected
"""

CATALOG = """\
assets:
  - id: anything
    title: {zh: 任意数据, en: anything}
    owner: prov/market
    category: open-data
    grade: general-1
    endpoints:
      - GET /bin/**
      - POST /bin/**
      - PUT /bin/**
      - PATCH /bin/**
      - DELETE /bin/**
      - OPTIONS /bin/**
      - GET /files/**
  - id: inspected
    title: {zh: 检查的数据, en: what is inspected}
    owner: prov/civil
    category: population
    grade: important
    endpoints:
      - GET /seen/**
      - POST /seen/**
      - GET /records/**
    fields:
      - {path: $.gzipped, grade: general-1}
      - {path: $.deflated, grade: general-1}
      - {path: $.brotli, grade: general-1}
      - {path: $.url, grade: general-1}
      - {path: $..origin, identifier: ip, grade: general-3}
      - {path: $.json.note, grade: general-1}
      - {path: $.json.id_number, identifier: resident-id, grade: important}
  - id: citizens
    title: {zh: 居民登记, en: register of citizens}
    owner: prov/civil
    category: population
    grade: important
    endpoints:
      - GET /registry/citizens.json
      - {path: "GET /registry/citizens/{id}", identifier: {id: resident-id}}
    fields:
      - {path: "$..rows[*].id_number", identifier: resident-id, grade: important}
      - {path: "$..rows[*].name", identifier: name, grade: general-4}
      - {path: "$..rows[*].phone", identifier: phone, grade: general-4}
      - {path: "$..rows[*].card", identifier: bank-card, grade: general-4}
      - {path: "$..rows[*].district", grade: general-1}
  - id: parcels
    title: {zh: 地块, en: parcels of land}
    owner: prov/civil
    category: population
    grade: important
    endpoints:
      - GET /geo/collections/parcels/items
      - GET /geo/collections/parcels/items/{id}
    fields:
      - {path: $..type, grade: general-1}
      - {path: $..id, grade: general-1}
      - {path: $..coordinates, grade: general-1}
      - {path: $..properties.owner, identifier: name, grade: general-4}
      - {path: $..properties.phone, identifier: phone, grade: general-4}
      - {path: $..properties.use, grade: general-1}
"""

RULES = """\
rules:
  - id: anything
    title: {zh: 任意数据, en: anything for everybody signed in}
    effect: allow
    who: signed-in
    data: anything
    action: [read, create, update, delete, other]
    level: any
    then: {mask: none}
  - id: inspected
    title: {zh: 检查的数据, en: what is inspected for clerks}
    effect: allow
    who: clerk
    data: [inspected, citizens, parcels]
    action: [read, create]
    level: "<= important"
    then: {mask: pii-standard}
"""


NGINX = """\
    server {{
        listen 127.0.0.1:{port};
        root {folder};
        location = /files/slow.bin {{ limit_rate 100k; }}
    }}
"""


class Town:
    """One gateway and the services behind it."""

    def __init__(self, gateway: Gateway, services: dict[str, Component], folder: Path) -> None:
        self.gateway, self.services, self.folder = gateway, services, folder
        self.token = gateway.issuer.token()

    def get(self, path: str, **headers: str) -> Answer:
        return self.gateway.get(path, self.token, **headers)

    def curl(self, path: str, *words: str) -> Curled:
        return curl(f"http://127.0.0.1:{self.gateway.port}{path}", *words, token=self.token)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    files = folder / "files"
    files.mkdir()
    (files / "big.bin").write_bytes(os.urandom(BIG))
    (files / "slow.bin").write_bytes(bytes(150_000))
    (files / "text.txt").write_text("0123456789" * 10)
    records = folder / "records"
    records.mkdir()
    (records / "big.json").write_text(json.dumps([{"id_number": CITIZENS[0][0]}] * 400_000))
    port = free_port()
    with contextlib.ExitStack() as stack:
        services = {
            "HTTPBIN": stack.enter_context(httpbin(folder)),
            "DATASETTE": stack.enter_context(datasette(folder)),
            "PYGEOAPI": stack.enter_context(pygeoapi(folder)),
            "NGINX": stack.enter_context(nginx(folder / "nginx", NGINX.format(port=port, folder=folder), port)),
        }
        config = CONFIG
        for name, service in services.items():
            config = config.replace(name, service.url)
        witness, issuer = Witness(), Issuer()
        stack.callback(witness.close)
        stack.callback(issuer.close)
        home = folder / "gateway"
        home.mkdir()
        gateway = Gateway(home, witness, issuer, config=config)
        (home / "policies" / "catalog" / "90-real.yaml").write_text(CATALOG)
        (home / "policies" / "rules" / "90-real.yaml").write_text(RULES)
        gateway.start()
        stack.callback(gateway.stop)
        assert gateway.report_health("laptop-7").status == 202
        yield Town(gateway, services, folder)


def leaked(body: bytes) -> list[str]:
    """The secrets of the citizens that this body tells, however it spells them."""
    texts = [body.decode("utf-8", "replace")]
    with contextlib.suppress(ValueError):
        texts.append(json.dumps(json.loads(body), ensure_ascii=False))
    secrets = [value for citizen in CITIZENS for value in citizen[:4]]
    return [secret for secret in secrets if any(secret in text for text in texts)]


# --- datasette ------------------------------------------------------------------------------------


def test_rows_of_a_real_register_are_masked(town: Town) -> None:
    answer = town.get("/registry/citizens.json?_shape=objects")
    assert answer.status == 200
    assert answer.json["rows"][1]["id_number"] == "3****9"
    assert answer.json["rows"][1]["phone"] == "138****8000"
    assert answer.json["rows"][1]["district"] == "西湖区"
    assert leaked(answer.body) == []


@pytest.mark.parametrize(
    "query",
    [
        "",  # rows are arrays: no labelled name anywhere
        "_shape=arrays",
        "_shape=array",
        "_shape=arrayfirst",
        "_shape=object",  # the primary key becomes the name of a member
        "_shape=objects&_size=1",  # `next` and `next_url` quote the key
        "_shape=objects&_facet=id_number&_facet=phone",
        "_shape=objects&_facet_array=name&_labels=on",
        "_shape=objects&_col=id_number&_nocol=name",
        "_shape=objects&id_number__contains=330106199003072319",  # quoted in `human_description_en`
        "_shape=objects&_where=id_number%20like%20'330106199003072319'",
        "_shape=objects&_search=x&_sort_desc=id_number",
        "_json=name&_trace=1&_timelimit=1000",
        "_shape=array&_nl=on",  # one JSON text for each line
        "_format=csv",
        "sql=select%20id_number%20as%20district%20from%20citizens",
        "_shape=objects&_where=zzz('13800138000')",  # an error message that quotes the question
    ],
)
def test_no_way_to_ask_datasette_shows_what_is_masked(town: Town, query: str) -> None:
    answer = town.get(f"/registry/citizens.json?{query}")
    assert leaked(answer.body) == []
    assert answer.status in (200, 400, 502)


@pytest.mark.parametrize(
    "path",
    ["/registry/citizens.csv", "/registry.json?sql=select%20id_number%20as%20district%20from%20citizens",
     "/registry/citizens", "/registry.db", "/-/versions.json", "/registry/citizens.json/", "/registry//citizens.json"],
)  # fmt: skip
def test_what_datasette_offers_beside_the_catalog_is_closed(town: Town, path: str) -> None:
    answer = town.get(path)
    assert answer.status in (400, 403)
    assert leaked(answer.body) == []


def test_a_single_row_is_masked_and_its_key_is_not_on_record(town: Town) -> None:
    answer = town.get("/registry/citizens/330106199003072319.json?_shape=objects")
    assert answer.status == 200
    assert leaked(answer.body) == []
    assert "330106199003072319" not in str(town.gateway.entries())


# --- pygeoapi -------------------------------------------------------------------------------------


def test_features_of_a_real_geo_service_are_masked(town: Town) -> None:
    answer = town.get("/geo/collections/parcels/items?f=json")
    assert (answer.status, answer.json["type"]) == (200, "FeatureCollection")
    first = answer.json["features"][0]
    assert first["properties"] == {"owner": "王****", "phone": "138****8000", "use": "house"}
    assert first["geometry"]["coordinates"] == [120.1551, 30.2741]
    assert leaked(answer.body) == []


@pytest.mark.parametrize(
    "query", ["f=html", "f=jsonld", "f=csv", "properties=owner", "owner=王小明", "skipGeometry=true"]
)
def test_no_way_to_ask_for_features_shows_what_is_masked(town: Town, query: str) -> None:
    quoted = query.encode().decode("latin-1") if query.isascii() else "owner=%E7%8E%8B%E5%B0%8F%E6%98%8E"
    for path in ("items", "items/1"):
        answer = town.get(f"/geo/collections/parcels/{path}?{quoted}", accept="text/html,application/xhtml+xml")
        assert leaked(answer.body) == []
        assert answer.status in (200, 400, 502)


# --- codings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip", "deflate", "brotli"])
def test_a_coded_answer_is_decoded_to_be_inspected_and_passed_as_it_is_otherwise(town: Town, coding: str) -> None:
    inspected = town.curl(f"/seen/{coding}", "-H", "Accept-Encoding: gzip, deflate, br")
    assert (inspected.status, "content-encoding" in inspected.headers) == (200, False)
    assert inspected.json["gzipped" if coding == "gzip" else "deflated" if coding == "deflate" else "brotli"] is True
    assert set(inspected.json["headers"].values()) == {"***"}
    passed = town.curl(f"/bin/{coding}", "-H", "Accept-Encoding: gzip, deflate, br")
    assert passed.headers["content-encoding"] == {"brotli": "br"}.get(coding, coding)
    assert int(passed.headers["content-length"]) == len(passed.body)


def test_coding_on_the_way_is_negotiated_with_the_service_on_open_routes(town: Town) -> None:
    answer = town.curl("/files/text.txt", "-H", "Accept-Encoding: identity")
    assert (answer.status, answer.body) == (200, b"0123456789" * 10)
    coded = town.curl("/bin/gzip", "-H", "Accept-Encoding: gzip")
    assert json.loads(gzip.decompress(coded.body))["gzipped"] is True


def test_what_cannot_be_read_is_withheld_on_an_inspected_route(town: Town) -> None:
    for path in ("html", "image/png", "bytes/100", "stream/3", "robots.txt", "range/100"):
        answer = town.curl(f"/seen/{path}")
        assert (path, answer.status, answer.reason) == (path, 502, "cannot_inspect")


def test_real_markup_is_masked(town: Town) -> None:
    answer = town.curl("/seen/xml")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/xml; charset=utf-8")
    assert b"<title>***</title>" in answer.body
    assert b"Yours Truly" not in answer.body


def test_an_echo_of_the_question_is_masked_too(town: Town) -> None:
    told = json.dumps({"note": "hello", "id_number": CITIZENS[0][0], "other": CITIZENS[0][2]}).encode()
    answer = town.gateway.ask("POST", "/seen/post?phone=13800138000", town.token, told, content_type="application/json")
    assert (answer.status, answer.json["json"]["note"]) == (200, "hello")
    assert answer.json["json"]["id_number"] == "3****9"
    assert CITIZENS[0][2] not in str(answer.json["json"]) + str(answer.json["data"]) + str(answer.json["args"])


# --- statuses, redirects, cookies, methods --------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 301, 400, 404, 409, 410, 418, 429, 500, 503])
def test_the_service_decides_its_status(town: Town, status: int) -> None:
    answer = town.curl(f"/bin/status/{status}")
    assert answer.status == status
    assert answer.headers["x-gateway-decision"]


def test_redirects_lead_back_through_the_gateway_or_nowhere(town: Town) -> None:
    assert town.curl("/bin/relative-redirect/1").headers["location"] == "/bin/get"
    assert town.curl("/bin/absolute-redirect/1").headers["location"] == "/bin/get"
    for target, shown in (
        ("https://www.example.com/a", "https://www.example.com/a"),
        ("http://10.0.0.5/a", None),
        ("http://localhost:1/a", None),
        ("http://[::1]/a", None),
        ("//169.254.169.254/a", None),
    ):
        answer = town.curl(f"/bin/redirect-to?url={target}", "-g")
        assert (target, answer.status, answer.headers.get("location")) == (target, 302, shown)


def test_following_a_chain_of_redirects_ends_at_the_service(town: Town) -> None:
    answer = town.curl("/bin/redirect/3", "-L")
    assert (answer.code, answer.status) == (0, 200)


def test_cookies_are_the_apis_own(town: Town) -> None:
    answer = town.curl("/bin/cookies/set?theme=dark&size=2")
    cookies = [value for name, value in answer.fields if name == "set-cookie"]
    assert sorted(cookies) == ["size=2; Path=/bin/", "theme=dark; Path=/bin/"]
    echoed = town.curl("/bin/cookies", "-H", "Cookie: theme=dark")
    assert echoed.json == {"cookies": {}}  # the API names no `cookie` to forward


def test_a_password_for_the_service_never_passes(town: Town) -> None:
    answer = town.curl("/bin/hidden-basic-auth/user/secret")
    assert answer.status == 404
    twice = curl(f"http://127.0.0.1:{town.gateway.port}/bin/basic-auth/user/secret", "-u", "user:secret")
    assert (twice.status, twice.reason) == (401, "credential_scheme")


def test_the_service_sees_what_the_gateway_says_and_nothing_of_the_token(town: Town) -> None:
    forged = ["-H", "X-Gateway-Subject: root", "-H", "X_Gateway_Subject: root", "-H", "X-Forwarded-For: 8.8.8.8"]
    answer = town.curl("/bin/anything/a?b=1", *forged, "-H", "Forwarded: for=8.8.8.8")
    headers = {name.lower(): value for name, value in answer.json["headers"].items()}
    assert headers["x-gateway-subject"] == "zhang.wei"
    assert "authorization" not in headers
    assert "forwarded" not in headers
    assert "8.8.8.8" not in str(answer.json)
    assert answer.json["method"] == "GET"
    assert town.token not in str(answer.json)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_arrives_with_its_body(town: Town, method: str) -> None:
    words = ["-X", method, "-H", "Content-Type: text/plain", "--data-binary", "tea"]
    answer = town.curl("/bin/anything", *(words[:2] if method in ("GET", "DELETE") else words))
    assert (answer.status, answer.json["method"]) == (200, method)
    assert answer.json["data"] == ("" if method in ("GET", "DELETE") else "tea")


def test_head_has_the_head_and_no_body(town: Town) -> None:
    direct = curl(f"{town.services['HTTPBIN'].url}/bytes/500", "-I")
    answer = town.curl("/bin/bytes/500", "-I")
    assert (answer.code, answer.status, answer.body.count(b"\r\n\r\n") <= 1) == (0, 200, True)
    assert answer.headers["content-length"] == direct.headers["content-length"] == "500"
    big = town.curl("/files/big.bin", "-I")
    assert (big.code, big.headers["content-length"]) == (0, str(BIG))
    assert town.curl("/seen/get", "-I").status == 200


def test_options_that_are_no_preflight_go_to_the_service(town: Town) -> None:
    answer = town.curl("/bin/get", "-X", "OPTIONS")
    assert answer.status == 200
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "OPTIONS"}


# --- conditions and ranges ------------------------------------------------------------------------


def test_entity_tags_work_on_open_routes_and_mean_nothing_on_inspected_ones(town: Town) -> None:
    first = town.curl("/files/text.txt")
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for condition in (f"If-None-Match: {tag}", f"If-Modified-Since: {date}"):
        answer = town.curl("/files/text.txt", "-H", condition)
        assert (answer.code, answer.status, answer.body) == (0, 304, b"")
    assert town.curl("/bin/etag/v1", "-H", 'If-None-Match: "v1"').status == 304
    assert town.curl("/bin/etag/v1", "-H", 'If-Match: "v2"').status == 412
    inspected = town.curl("/seen/etag/v1", "-H", 'If-None-Match: "v1"')
    assert (inspected.status, "etag" in inspected.headers) == (200, False)
    assert inspected.headers["cache-control"] == "private, no-store"


def test_ranges_work_on_open_routes(town: Town) -> None:
    part = town.curl("/files/text.txt", "-r", "5-14")
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"5678901234", "bytes 5-14/100")
    assert town.curl("/files/text.txt", "-r", "900-").status == 416
    several = town.curl("/files/text.txt", "-r", "0-1,4-5")
    assert (several.status, several.headers["content-type"].partition(";")[0]) == (206, "multipart/byteranges")
    resumed = town.curl("/bin/range/1000", "-r", "10-19")
    assert (resumed.status, len(resumed.body)) == (206, 10)


# --- streams and large bodies ---------------------------------------------------------------------


def test_an_answer_streams_while_the_service_still_writes(town: Town) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", town.gateway.port, timeout=20)
    with contextlib.closing(connection):
        path = "/files/slow.bin"
        connection.request("GET", path, headers={"authorization": f"Bearer {town.token}"})
        response = connection.getresponse()
        first = len(response.read(1))
        begun = time.monotonic()
        rest = len(response.read())
    assert (response.status, first + rest) == (200, 150_000)
    assert time.monotonic() - begun > 0.5


def test_lines_of_a_chunked_stream_arrive_whole(town: Town) -> None:
    answer = town.curl("/bin/stream/50")
    assert [json.loads(line)["id"] for line in answer.body.splitlines()] == list(range(50))
    direct = curl(f"{town.services['HTTPBIN'].url}/stream-bytes/90000?seed=7&chunk_size=1000")
    assert town.curl("/bin/stream-bytes/90000?seed=7&chunk_size=1000").body == direct.body


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_large_downloads_stream_in_bounded_memory(town: Town) -> None:
    assert town.curl("/files/text.txt").status == 200
    (worker,) = town.gateway.workers()
    before = resident_bytes(worker)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: town.curl("/files/big.bin", "--limit-rate", "20M"), range(4)))
    assert {(answer.code, digest(answer.body)) for answer in answers} == {
        (0, digest((town.folder / "files" / "big.bin").read_bytes()))
    }
    assert resident_bytes(worker) - before < 8 * MIB


def test_large_uploads_stream_in_bounded_memory(town: Town) -> None:
    path = town.folder / "files" / "big.bin"
    (worker,) = town.gateway.workers()
    before = resident_bytes(worker)
    kind = "Content-Type: application/octet-stream"
    for framing in (f"Content-Length: {BIG}", "Transfer-Encoding: chunked"):
        answer = town.curl("/bin/post", "--data-binary", f"@{path}", "-H", kind, "-H", framing)
        assert (answer.code, answer.status) == (0, 200)
        assert digest(sent(answer.json["data"])) == digest(path.read_bytes())
    assert resident_bytes(worker) - before < 8 * MIB


def sent(data: str) -> bytes:
    """What httpbin says was sent to it: a data URL, as it was no text."""
    return base64.b64decode(data.partition(";base64,")[2])


def test_a_body_larger_than_the_api_takes_is_refused(town: Town) -> None:
    path = town.folder / "too-big"
    path.write_bytes(bytes(33 * MIB))
    for words in (["-H", "Expect:"], ["-H", "Transfer-Encoding: chunked"], []):
        answer = town.curl("/bin/post", "--data-binary", f"@{path}", *words)
        assert (answer.status, answer.reason) == (413, "body_too_large")


def test_an_answer_too_large_to_inspect_is_withheld(town: Town) -> None:
    answer = town.curl("/records/big.json")
    assert (answer.status, answer.reason) == (502, "cannot_inspect")
    assert leaked(answer.body) == []


def test_a_client_that_leaves_early_harms_nobody(town: Town) -> None:
    for _ in range(5):
        answer = town.curl("/bin/drip?numbytes=90000&duration=2", "--max-time", "0.3")
        assert answer.code == 28
    assert town.get("/bin/get").status == 200


def test_everything_that_was_asked_is_on_record_and_the_metrics_are_well_formed(town: Town) -> None:
    scrape: Any = town.gateway.door("GET", "/metrics").body
    checked = subprocess.run([program("promtool"), "check", "metrics"], input=scrape, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    town.gateway.stop()
    town.gateway.verify()
