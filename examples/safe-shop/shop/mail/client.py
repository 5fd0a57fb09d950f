import logging
import smtplib
from email.message import EmailMessage

from shop import settings

logger = logging.getLogger(__name__)


def send(to: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"] = settings.MAIL_FROM
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    with smtplib.SMTP_SSL(settings.SMTP_HOST, timeout=20) as smtp:
        logger.debug(f"smtp login user={settings.SMTP_USER}")
        smtp.login(settings.SMTP_USER, settings.SMTP_PASSWORD)
        smtp.send_message(message)
