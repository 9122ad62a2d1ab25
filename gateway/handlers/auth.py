"""`/api/v1/auth/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel

from gateway.models.principal import Principal
from gateway.schemas.auth import (
    LoginRequest,
    MeAnswer,
    PasswordRequest,
    RefreshRequest,
    SessionAnswer,
    SessionsAnswer,
    TicketAnswer,
    TokensAnswer,
)
from gateway.services.client_address import TrustedProxies
from gateway.services.login import LoginService
from gateway.services.tickets import TicketService
from shared.asgi.json import json_response
from shared.openapi import json_body, json_body_docs

_AUTH = "/api/v1/auth"
_NO_CONTENT = 204


def auth_router() -> APIRouter:
    """Routes of logins, sessions and tickets."""
    router = APIRouter(prefix=_AUTH, tags=["auth"])
    router.add_api_route(
        "/login",
        login,
        methods=["POST"],
        summary="Log in",
        response_model=TokensAnswer,
        responses={429: {"description": "Too many logins of this account, or from this address."}},
        openapi_extra=json_body_docs(LoginRequest),
    )
    router.add_api_route(
        "/refresh",
        refresh,
        methods=["POST"],
        summary="New tokens for a refresh token",
        response_model=TokensAnswer,
        openapi_extra=json_body_docs(RefreshRequest),
    )
    router.add_api_route(
        "/logout", logout, methods=["POST"], status_code=_NO_CONTENT, summary="End this session"
    )
    router.add_api_route("/me", me, methods=["GET"], summary="Who am I?", response_model=MeAnswer)
    router.add_api_route(
        "/password",
        change_password,
        methods=["POST"],
        status_code=_NO_CONTENT,
        summary="Change the password",
        openapi_extra=json_body_docs(PasswordRequest),
    )
    router.add_api_route(
        "/sessions",
        list_sessions,
        methods=["GET"],
        summary="My sessions",
        response_model=SessionsAnswer,
    )
    router.add_api_route(
        "/sessions/{id}",
        end_session,
        methods=["DELETE"],
        status_code=_NO_CONTENT,
        summary="End one of my sessions",
    )
    router.add_api_route(
        "/tickets",
        issue_ticket,
        methods=["POST"],
        summary="A ticket for a browser's WebSocket",
        response_model=TicketAnswer,
    )
    return router


def _login(request: Request) -> LoginService:
    service: LoginService = request.state.context.login
    return service


def _principal(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


def _address(request: Request) -> str:
    proxies: TrustedProxies = request.state.context.proxies
    peer = request.client.host if request.client else "unknown"
    return proxies.client(peer, request.headers.getlist("x-forwarded-for"))


async def login(
    request: Request, body: Annotated[LoginRequest, Depends(json_body(LoginRequest))]
) -> Response:
    """A wrong address and a wrong password are the same 401; too many of either are 429."""
    tokens = await _login(request).login(
        body.email,
        body.password,
        address=_address(request),
        user_agent=request.headers.get("user-agent", ""),
    )
    return _unstored(TokensAnswer.of(tokens))


async def refresh(
    request: Request, body: Annotated[RefreshRequest, Depends(json_body(RefreshRequest))]
) -> Response:
    """The old refresh token is used up; using it again ends the session."""
    return _unstored(TokensAnswer.of(await _login(request).refresh(body.refresh_token)))


async def logout(request: Request) -> Response:
    """Its access and refresh tokens are refused everywhere within 2 seconds."""
    await _login(request).logout(_principal(request))
    return Response(status_code=_NO_CONTENT)


async def me(request: Request) -> Response:
    """Also for API keys."""
    return json_response(MeAnswer.of(_principal(request)))


async def change_password(
    request: Request, body: Annotated[PasswordRequest, Depends(json_body(PasswordRequest))]
) -> Response:
    """The user's other sessions end."""
    await _login(request).change_password(
        _principal(request), body.current_password, body.new_password
    )
    return Response(status_code=_NO_CONTENT)


async def list_sessions(request: Request) -> Response:
    """Those that are neither revoked nor expired."""
    principal = _principal(request)
    found = await _login(request).list_sessions(principal)
    items = [SessionAnswer.of(session, principal.session_id) for session in found]
    return json_response(SessionsAnswer(items=items))


async def end_session(
    request: Request,
    session_id: Annotated[str, Path(alias="id", pattern=r"^[0-9A-Za-z._-]{1,128}$")],
) -> Response:
    """Another user's session is as absent as one that never was."""
    await _login(request).end_session(_principal(request), session_id)
    return Response(status_code=_NO_CONTENT)


async def issue_ticket(request: Request) -> Response:
    """It opens one stream in the caller's name, within 30 seconds."""
    tickets: TicketService = request.state.context.tickets
    ticket, expires_in = await tickets.issue(_principal(request))
    return _unstored(TicketAnswer(ticket=ticket, expires_in=expires_in))


def _unstored(secret: BaseModel) -> Response:
    """No cache on the way keeps it (RFC 6749 §5.1)."""
    response = json_response(secret)
    response.headers["Cache-Control"] = "no-store"
    return response
