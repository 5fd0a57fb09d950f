from redis import Redis
from rq import Queue

from shop import settings

connection = Redis.from_url(settings.REDIS_URL)

exports = Queue("exports", connection=connection)
shipments = Queue("shipments", connection=connection)
