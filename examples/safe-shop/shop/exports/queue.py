from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from shop import settings

connection = Redis.from_url(settings.REDIS_URL)

exports = Queue("exports", connection=connection, serializer=JSONSerializer)
shipments = Queue("shipments", connection=connection, serializer=JSONSerializer)
