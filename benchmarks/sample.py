"""The events: the one that everybody emits, of about 700 bytes, and a deeper one of ours.

Both have two contexts with twelve keys in all.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["C1", "C2", "CONTEXT", "DATA", "DEEP", "NAME"]

NAME: Final = "edx.problem.check"

C1: Final[dict[str, Any]] = {
    "host": "courses.example.org",
    "ip": "203.0.113.57",
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "path": "/courses/course-v1:edX+DemoX+2026/xblock/problem_check",
    "session": "8f0b3c6a5de94b0aa3c1b7f2d4e59a61",
    "accept_language": "en-GB,en;q=0.5",
}
C2: Final[dict[str, Any]] = {
    "user_id": 10938,
    "username": "ada",
    "course_id": "course-v1:edX+DemoX+2026",
    "org_id": "edX",
    "enrollment": "verified",
    "event_source": "server",
}
CONTEXT: Final = C1 | C2

DATA: Final[dict[str, Any]] = {
    "problem_id": "block-v1:edX+DemoX+2026+type@problem+block@d2e35c1d294b4ba0b3b1048615605d2a",
    "attempts": 3,
    "success": "incorrect",
    "grade": 1.5,
    "max_grade": 2,
    "answers": {"d2e35c1d_2_1": "choice_3", "d2e35c1d_3_1": ["choice_0", "choice_2"]},
}

DEEP: Final[dict[str, Any]] = {
    "order_id": "o-2026-000417",
    "currency": "EUR",
    "total": 84.5,
    "is_gift": False,
    "coupon": None,
    "items": [
        {"sku": "book-12", "price": 24.5, "quantity": 1},
        {"sku": "pen-3", "price": 20.0, "quantity": 3},
    ],
    "shipping": {"method": "standard", "country": "NL"},
    "payment": {"method": "card", "attempts": 1},
    "placed_by": "web",
    "seconds": 93,
}
"""Data of ten fields and five containers, on two levels."""
