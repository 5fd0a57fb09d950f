"""Makes the tables, for a first try; a shop that lives would migrate them."""

from shop.db import engine
from shop.models import Base

if __name__ == "__main__":
    Base.metadata.create_all(engine)
