import smtplib
from email.message import EmailMessage

from guardrails import runtime
from guardrails.runtime import SecretRef

from shop import settings


def send(to: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"] = settings.MAIL_FROM
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    with smtplib.SMTP_SSL(settings.SMTP_HOST, timeout=20) as smtp:
        runtime.log.debug("smtp login user=%s", settings.SMTP_USER)
        smtp.login(settings.SMTP_USER, SecretRef("SMTP_PASSWORD").resolve())
        smtp.send_message(message)
