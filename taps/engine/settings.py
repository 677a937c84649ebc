"""The settings that all taps share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from taps.engine.provider import provider_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taps.engine.provider import Provider

__all__ = ["common_settings", "lookback_setting"]


def common_settings(
    providers: Sequence[Provider],
    *,
    base_url_example: str,
    page_size: int = 100,
    max_page_size: int = 100,
    retry_statuses: Sequence[int],
) -> list[th.Property[Any]]:
    """Declare the settings that every tap has, apart from its credentials.

    Args:
        providers: The products that the tap can read.
        base_url_example: An address that shows what `base_url` looks like for this API.
        page_size: Records asked for in a page by default.
        max_page_size: The most that the API gives in a page.
        retry_statuses: HTTP statuses that are tried again by default.

    Returns:
        Properties for `singer_sdk.typing.PropertiesList`, in the order in which they are documented.
    """
    return [
        *provider_settings(providers),
        th.Property(
            "base_url",
            th.URIType,
            title="Base URL",
            description="Address of the API, without the version path and without a trailing slash; of another "
            "`provider` than `generic` only where it is not the product's own, and then with its version path.",
            examples=[base_url_example],
        ),
        th.Property(
            "start_date",
            th.DateTimeType,
            default="1970-01-01T00:00:00Z",
            title="Start date",
            description="Incremental streams begin here when there is no bookmark yet, or when it is later than the "
            "bookmark.",
            examples=["2024-01-31", "2024-01-31T08:00:00Z"],
        ),
        th.Property(
            "end_date",
            th.DateTimeType,
            title="End date",
            description="Incremental streams end before this: what has changed since comes with a run that ends later. "
            "So a long time is read in steps. All other streams are read in full each time.",
            examples=["2024-02-29", "2024-02-29T08:00:00Z"],
        ),
        th.Property(
            "page_size",
            th.IntegerType(minimum=1, maximum=max_page_size),
            default=page_size,
            title="Page size",
            description="Records to ask for in a page. The API may give fewer.",
        ),
        th.Property(
            "max_retries",
            th.IntegerType(minimum=0, maximum=20),
            default=3,
            title="Retries",
            description="How often a request is sent again after a failure that may pass.",
        ),
        th.Property(
            "backoff_factor",
            th.NumberType(minimum=0, maximum=60),
            default=2,
            title="Back-off factor",
            description="Seconds to wait before the first retry; doubled for each further one, with up to a quarter "
            "of random time on top. A `Retry-After` of the API is obeyed instead.",
        ),
        th.Property(
            "retry_statuses",
            th.ArrayType(th.IntegerType(minimum=400, maximum=599)),
            default=list(retry_statuses),
            title="Statuses to retry",
            description="HTTP statuses that are tried again.",
        ),
        th.Property(
            "request_timeout",
            th.NumberType(exclusive_minimum=0, maximum=3600),
            default=60,
            title="Time-out",
            description="Seconds to wait for a connection, and for each further piece of an answer.",
        ),
        th.Property(
            "progress",
            th.BooleanType,
            default=True,
            title="Live view",
            description="Show a live view of the sync where standard error is a terminal and standard output is none.",
        ),
        th.Property(
            "requests_per_minute",
            th.IntegerType(minimum=1, maximum=1_000_000),
            title="Rate budget",
            description="Most requests to send in a minute, spread evenly. Without it there is no limit but the API's "
            "own.",
        ),
        th.Property(
            "max_concurrency",
            th.IntegerType(minimum=1, maximum=32),
            default=4,
            title="Concurrency",
            description="Most requests that are under way at once.",
        ),
        th.Property(
            "skip_inaccessible_streams",
            th.BooleanType,
            default=False,
            title="Skip inaccessible streams",
            description="Treat a stream that the API refuses with 403 or 404 (a feature that the plan or the key "
            "lacks) as empty, with a warning, instead of failing it.",
        ),
        th.Property(
            "user_agent",
            th.StringType(min_length=1, pattern=r"^[\x20-\x7e]+$"),
            default="frontline-taps",
            title="User agent",
            description="The `User-Agent` header of each request.",
        ),
    ]


def lookback_setting(days: int = 14) -> th.Property[Any]:
    """Declare `lookback_days`, for a tap that has streams with `lookback`.

    Args:
        days: The default.
    """
    return th.Property(
        "lookback_days",
        th.NumberType(minimum=0, maximum=3650),
        default=days,
        title="Look-back",
        description="Days taken off the bookmark of streams whose API filters on creation but whose records are "
        "updated later.",
    )
