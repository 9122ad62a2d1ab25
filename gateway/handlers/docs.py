"""`/docs`, `/redoc` and `/openapi.json`.

The pages load nothing from other hosts and hold no inline script, so that the content security
policy can forbid both.
"""

from importlib.resources import files
from pathlib import Path

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from gateway.routes import ASSETS
from shared.problem import NotFound

# The files of Swagger UI and ReDoc that the pages use, as the package carries them.
_PACKAGED = frozenset({"swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js"})
_PREFIX = ASSETS.partition("{")[0]
_START = "start.js"
_START_SCRIPT = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#page", deepLinking: true, persistAuthorization: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>speechgate API</title>{head}</head>
<body>{body}</body>
</html>
"""
_SWAGGER = _PAGE.format(
    head=f'<link rel="stylesheet" href="{_PREFIX}swagger-ui.css">',
    body=(
        f'<div id="page"></div><script src="{_PREFIX}swagger-ui-bundle.js"></script>'
        f'<script src="{_PREFIX}{_START}"></script>'
    ),
)
_REDOC = _PAGE.format(
    head="",
    body=(
        '<redoc spec-url="/openapi.json"></redoc>'
        f'<script src="{_PREFIX}redoc.standalone.js"></script>'
    ),
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}


def docs_router() -> APIRouter:
    """The documentation's routes; they need no key."""
    router = APIRouter(include_in_schema=False)
    folder = Path(str(files("fastapi_offline") / "static"))

    @router.get("/openapi.json")
    async def document(request: Request) -> Response:
        merged = await request.state.context.document.get()
        return Response(orjson.dumps(merged), media_type="application/json")

    @router.get("/docs")
    async def swagger() -> HTMLResponse:
        return HTMLResponse(_SWAGGER, headers=_HEADERS)

    @router.get("/redoc")
    async def redoc() -> HTMLResponse:
        return HTMLResponse(_REDOC, headers=_HEADERS)

    @router.get(ASSETS)
    async def asset(file: str) -> Response:
        if file == _START:
            return Response(_START_SCRIPT, media_type="text/javascript")
        if file not in _PACKAGED:
            raise NotFound("There is no such file.")
        return FileResponse(folder / file, headers={"Cache-Control": "public, max-age=86400"})

    return router
