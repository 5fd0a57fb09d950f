"""The job and the row that it is about commit together, or not at all."""

from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from guardrails import runtime
from guardrails.runtime.home import home


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "shop_orders"
    id: Mapped[int] = mapped_column(primary_key=True)


class Confirm(BaseModel):
    order_id: int


@runtime.job(timeout=30, key=lambda p: str(p.order_id))
def confirm(p: Confirm) -> str:
    return f"order {p.order_id} is confirmed"


def place_order(order_id: int, paid: bool) -> None:
    with Session(home().database.engine) as session, session.begin():
        Base.metadata.create_all(session.connection(), checkfirst=True)
        session.add(Order(id=order_id))
        confirm.enqueue_in_transaction(session, Confirm(order_id=order_id))
        if not paid:
            raise ValueError(f"order {order_id} is not paid")  # neither the order nor the job is there then


if __name__ == "__main__":
    place_order(7, paid=True)
