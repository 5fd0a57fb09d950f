"""Logs that know their job and hold no secrets: `guardrails jobs log ID`."""

import logging
from typing import Annotated

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import SecretRef, Sensitive

library = logging.getLogger("some.library")


class Invitation(BaseModel):
    guest_id: int
    email: Annotated[str, Sensitive]


@runtime.job(timeout=30, key=lambda p: str(p.guest_id))
def invite(p: Invitation) -> None:
    token = SecretRef("MAIL_TOKEN").resolve()
    runtime.log.info("inviting guest %d", p.guest_id, extra={"campaign": "spring"})
    library.warning("slow, with a token of %d characters", len(token))  # other loggers' lines are the job's, too
    print("sent to", p.email)  # and so is what is printed: [redacted] is what is kept


if __name__ == "__main__":
    print(invite.enqueue(Invitation(guest_id=7, email="ada@example.com")).id)
