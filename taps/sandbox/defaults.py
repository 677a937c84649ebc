"""What holds unless the user says otherwise; without imports, for the command to start where the extra is missing."""

from __future__ import annotations

#: Megabytes of pages that a server keeps.
CACHE_MB = 512
#: The provider that is no vendor's: the neutral form that the contract describes.
GENERIC = "generic"
