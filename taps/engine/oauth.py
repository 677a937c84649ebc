"""OAuth2 with a refresh token that may be good for one use only."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import backoff
import requests
from filelock import FileLock, Timeout

from taps.engine.auth import RenewableAuth
from taps.engine.environment import certificates
from taps.engine.errors import ApiError, AuthorizationError, InvalidInputError, TokenUnavailableError
from taps.engine.pacing import retry_after_seconds
from taps.engine.stopping import stopping
from taps.engine.wording import MESSAGE_LENGTH, api_message, reason

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from backoff.types import Details
    from requests import PreparedRequest

    from taps.engine.pacing import RetryPolicy
    from taps.engine.redaction import Redactor

__all__ = ["RefreshingToken", "TokenCache", "Tokens"]

_LOCK_SECONDS = 120.0
_MARGIN_SECONDS = 60.0
_REFUSALS = frozenset({400, 401, 403})


@dataclass(frozen=True)
class Tokens:
    """What a token endpoint gave.

    Attributes:
        refresh_token: Good for the next time.
        access_token: Signs requests.
        expires_at: When the access token ends, in seconds since 1970; `None` where the endpoint does not say.
    """

    refresh_token: str
    access_token: str | None = None
    expires_at: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the access token can be used for a while."""
        return self.access_token is not None and (self.expires_at is None or time.time() < self.expires_at)


class TokenCache:
    """A file that keeps tokens from one run to the next, and between processes that run at the same time.

    It is replaced as a whole (never half written), and nobody but its owner can read it.

    Args:
        path: The file. Its folder is made where it does not exist.
        logger: Gets a line when the file cannot be read.
    """

    def __init__(self, path: Path, logger: logging.Logger) -> None:
        self._path = path
        self._logger = logger

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes away.

        Raises:
            InvalidInputError: The folder cannot be written, or another process does not come to an end with it.
        """
        lock = FileLock(f"{self._path}.lock", timeout=_LOCK_SECONDS, mode=0o600)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise InvalidInputError(f"token_cache_path {self._path} is locked by another process") from None
        except OSError as error:
            raise InvalidInputError(f"token_cache_path {self._path} cannot be written: {error.strerror}") from None
        try:
            yield
        finally:
            lock.release()

    def read(self) -> Tokens | None:
        """Give the tokens kept, or `None` where there are none that can be used."""
        self._recover()
        with contextlib.suppress(OSError):
            self._path.chmod(0o600)  # somebody may have copied it here, for all to read
        try:
            return Tokens(**json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            self._logger.warning("token_cache_path %s holds no tokens that can be read; it is left aside", self._path)
            return None

    def _recover(self) -> None:
        """Take over what a process had been given when it was killed, before it could put it in its place."""
        left = sorted(self._path.parent.glob(f".{self._path.name}.*"), key=lambda path: path.stat().st_mtime)
        for path in left:
            with contextlib.suppress(ValueError, TypeError):
                Tokens(**json.loads(path.read_text(encoding="utf-8")))
                path.replace(self._path)
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def replacement(self) -> Iterator[_Replacement]:
        """Prepare to replace the file, before a token is spent that could not be kept.

        Raises:
            InvalidInputError: The file cannot be written.
        """
        try:
            descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        except OSError as error:
            raise InvalidInputError(f"token_cache_path {self._path} cannot be written: {error.strerror}") from None
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - mkstemp gives a descriptor, mode 0600
            try:
                yield _Replacement(file, Path(name), self._path)
            finally:
                Path(name).unlink(missing_ok=True)


@dataclass(frozen=True)
class _Replacement:
    file: Any
    name: Path
    path: Path

    def commit(self, tokens: Tokens) -> None:
        json.dump(asdict(tokens), self.file)
        self.file.flush()
        # In place before it is on the disk: a process is killed more often than a machine loses power.
        self.name.replace(self.path)
        os.fsync(self.file.fileno())


class RefreshingToken(RenewableAuth):
    """Signs requests with an access token, and gets another when it ends or is refused (RFC 6749, section 6).

    An answer of the endpoint may carry a new refresh token, and the old one is then void. So the new one is kept before
    the access token is used, and only one process at a time asks for one. What is in the cache comes before what is
    configured; another process may have put it there a moment ago.

    Args:
        token_url: Address of the token endpoint.
        client_id: Of the application.
        client_secret: Of the application.
        refresh_token: As configured.
        redirect_uri: Of the application, where the endpoint asks for that too.
        cache: Keeps what the endpoint gave.
        retry: When to ask the endpoint again.
        timeout: Seconds to wait for it.
        redact: Learns each token, and takes secrets out of what the endpoint says.
        logger: Gets a line when a token would be lost.
    """

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        redirect_uri: str | None = None,
        cache: TokenCache | None,
        retry: RetryPolicy,
        timeout: float,
        redact: Redactor,
        logger: logging.Logger,
    ) -> None:
        self._token_url = token_url
        self._client = {"client_id": client_id, "client_secret": client_secret}
        if redirect_uri:
            self._client["redirect_uri"] = redirect_uri
        self._configured = refresh_token
        self._cache = cache
        self._retry = retry
        self._timeout = timeout
        self._redact = redact
        self._logger = logger
        self._tokens = Tokens(refresh_token)
        self._lock = threading.Lock()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        with self._lock:
            if not self._tokens.is_fresh:
                self._replace(refused=None)
            request.headers["Authorization"] = f"Bearer {self._tokens.access_token}"
        return request

    def renew(self, refused: PreparedRequest) -> bool:
        """Get another access token, unless a thread or process has done so since the request was signed."""
        with self._lock:
            token = str(refused.headers.get("Authorization", "")).removeprefix("Bearer ")
            if token == self._tokens.access_token:
                self._replace(refused=token)
        return True

    def _replace(self, refused: str | None) -> None:
        if self._cache is None:
            self._tokens = self._granted([self._tokens.refresh_token])
            if self._tokens.refresh_token != self._configured:
                self._logger.warning(
                    "The API gave a new refresh token, and the configured one is void now; without token_cache_path "
                    "the new one is lost when the tap ends, and the next run will be refused"
                )
                self._configured = self._tokens.refresh_token
            return
        with self._cache.exclusive():
            kept = self._cache.read()
            if kept:
                self._learn(kept)
                if kept.is_fresh and kept.access_token != refused:
                    self._tokens = kept
                    return
            # Once asked, the API may have made the old token void: its answer is worth a moment to a tap that stops.
            with stopping.finishing(), self._cache.replacement() as replacement:
                candidates = [kept.refresh_token] if kept else []
                self._tokens = self._granted([*candidates, self._tokens.refresh_token, self._configured])
                replacement.commit(self._tokens)

    def _granted(self, candidates: list[str]) -> Tokens:
        """Ask with each refresh token until one is taken; a void one stays void however often it is tried."""
        refusal: AuthorizationError | None = None
        for candidate in dict.fromkeys(candidates):
            try:
                return self._ask(candidate)
            except TokenUnavailableError:  # noqa: PERF203 - two candidates at most, a request each
                raise
            except AuthorizationError as error:
                refusal = refusal or error
        raise refusal or AuthorizationError("", "no refresh token")

    def _ask(self, refresh_token: str) -> Tokens:
        ask = backoff.on_exception(
            self._retry.waits,
            ApiError,
            max_tries=self._retry.max_retries + 1,
            giveup=lambda error: not (isinstance(error, ApiError) and error.retriable),
            on_giveup=_note_end,
            jitter=None,
            logger=None,
        )(self._request)
        answer = ask(refresh_token)
        seconds = answer.get("expires_in")
        lifetime = float(seconds) if isinstance(seconds, int | float) else None
        tokens = Tokens(
            refresh_token=answer.get("refresh_token") or refresh_token,
            access_token=answer["access_token"],
            # Before its end, for a request may be under way when it comes; a tenth of a short life is enough.
            expires_at=None if lifetime is None else time.time() + lifetime - min(_MARGIN_SECONDS, lifetime / 10),
        )
        self._learn(tokens)
        return tokens

    def _request(self, refresh_token: str) -> dict[str, Any]:
        path = urlsplit(self._token_url).path
        form = {"grant_type": "refresh_token", **self._client, "refresh_token": refresh_token}
        try:
            response = requests.post(
                self._token_url,
                data=form,
                headers={"Accept": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,
                verify=certificates(self._token_url),
            )
        except requests.exceptions.RequestException as error:
            raise TokenUnavailableError(path, f"no answer: {self._redact(reason(error))}", retriable=True) from None
        status = response.status_code
        if status in _REFUSALS:
            words = self._redact(api_message(response.content))[:MESSAGE_LENGTH]
            raise AuthorizationError(path, self._redact(f"{status} {response.reason}: {words}"))
        if status != requests.codes.ok:
            wait = retry_after_seconds(response.headers)
            retriable = status in self._retry.statuses
            words = self._redact(api_message(response.content))[:MESSAGE_LENGTH]
            problem = f"{status} {response.reason}{f': {words}' if words else ''}"
            raise TokenUnavailableError(path, self._redact(problem), retriable=retriable, retry_after=wait)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise TokenUnavailableError(path, "the answer has no access_token", retriable=True)
        return answer

    def _learn(self, tokens: Tokens) -> None:
        self._redact.add(tokens.refresh_token)
        if tokens.access_token:
            self._redact.add(tokens.access_token)


def _note_end(details: Details) -> None:
    error = details["exception"]
    if isinstance(error, ApiError):
        # The request that wanted the token is not to begin all these tries anew.
        error.tries, error.retriable = details["tries"], False
