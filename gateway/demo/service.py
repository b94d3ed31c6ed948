"""What does the department's own service answer?

It knows nothing of masks or permissions: it gives every record whole to whoever reaches it.
That is why it stands behind the gateway. Run as `python -m gateway.demo.service PORT`.
"""

import argparse
import json

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.demo.records import Records, make_records


def application(records: Records) -> Starlette:
    """The service over these records."""
    tables = {
        "/civil/households": records.households,
        "/market/enterprises": records.enterprises,
        "/health/visits": records.visits,
    }
    routes = [Route("/healthz", lambda _: _json({"status": "ok"}))]
    for path, table in tables.items():
        routes.append(Route(path, _collection(table)))
        routes.append(Route(path + "/{key}", _item(table)))
    return Starlette(routes=routes)


def _collection(table: dict[str, dict[str, object]]):  # type: ignore[no-untyped-def]  # Starlette's endpoint type is Any
    async def endpoint(request: Request) -> Response:
        limit = min(int(request.query_params.get("limit", "20")), 100)
        return _json({"items": list(table.values())[:limit], "total": len(table)})

    return endpoint


def _item(table: dict[str, dict[str, object]]):  # type: ignore[no-untyped-def]  # as above
    async def endpoint(request: Request) -> Response:
        record = table.get(request.path_params["key"])
        return _json(record) if record else _json({"error": "not found"}, 404)

    return endpoint


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, media_type="application/json")


def main() -> None:
    """Serve on loopback at the port given."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo.service", description=__doc__)
    parser.add_argument("port", type=int, help="port on 127.0.0.1")
    uvicorn.run(application(make_records()), host="127.0.0.1", port=parser.parse_args().port, log_level="warning")


if __name__ == "__main__":
    main()
