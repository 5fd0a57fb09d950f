"""More frameworks, each with a snippet of its usual code and all that must be seen in it; nothing else may be seen."""

from __future__ import annotations

import pytest
from test_recognise import python

KINDS = ("jobs", "enqueues", "handlers", "spawns", "schedules", "logs")

CASES: dict[str, tuple[str, dict[str, list[str]]]] = {
    "SAQ with a settings mapping": (
        """
from saq import Queue, CronJob, Worker
queue = Queue.from_url("redis://x")
async def charge(ctx, *, order_id): ...
async def nightly(ctx): ...
async def handle():
    await queue.enqueue("charge", order_id=1, key="x", timeout=0)
    await queue.apply("charge", order_id=1)
settings = {"queue": queue, "functions": [charge], "cron_jobs": [CronJob(nightly, cron="0 0 * * *", timeout=0)], "concurrency": 10}
worker = Worker(queue, functions=[charge])
""",
        {"jobs": ["saq charge", "saq nightly"], "enqueues": ["saq charge", 'saq charge key="x"'], "schedules": ["nightly 0 0 * * *"]},
    ),
    "Django Q2": (
        """
from django_q.tasks import async_task, schedule, async_iter
from django_q.models import Schedule
def charge(order_id): ...
def handle(order):
    async_task("shop.charge", order.id, timeout=60)
    async_task(charge, order.id)
    schedule("shop.charge", 1, schedule_type=Schedule.DAILY)
    Schedule.objects.create(func="shop.charge", schedule_type=Schedule.DAILY)
""",
        {
            "jobs": ["django_q charge"],
            "enqueues": ["django_q charge", "django_q charge"],
            "schedules": ["charge Schedule.DAILY", "charge Schedule.DAILY"],
        },
    ),
    "Django's tasks": (
        """
from django.tasks import task
@task
def charge(order_id): ...
@task(priority=2, queue_name="mail")
def mail(order_id): ...
def handle():
    charge.enqueue(1)
    mail.using(priority=3).enqueue(order_id=1)
async def ahandle():
    await charge.aenqueue(1)
""",
        {
            "jobs": ["django_tasks charge", "django_tasks mail"],
            "enqueues": ["django_tasks charge", "django_tasks charge", "django_tasks mail"],
        },
    ),
    "the backport of Django's tasks": (
        """
from django_tasks import task
@task()
def charge(order_id): ...
def handle():
    charge.enqueue(1)
""",
        {"jobs": ["django_tasks charge"], "enqueues": ["django_tasks charge"]},
    ),
    "DBOS": (
        """
from dbos import DBOS, Queue, SetWorkflowID, SetWorkflowTimeout, SetEnqueueOptions, DBOSClient
queue = Queue("orders")
@DBOS.step()
def pay(order_id): ...
@DBOS.workflow()
def charge(order_id):
    pay(order_id)
@DBOS.scheduled("0 0 * * *")
@DBOS.workflow()
def nightly(a, b): ...
def handle(order_id):
    DBOS.start_workflow(charge, order_id)
    with SetWorkflowID(order_id):
        queue.enqueue(charge, order_id)
    with SetWorkflowTimeout(10), SetEnqueueOptions(deduplication_id=order_id):
        queue.enqueue(charge, order_id)
dbos = DBOS(config={})
@dbos.workflow()
def other(x): ...
client = DBOSClient("x")
def outside():
    client.enqueue({"workflow_name": "charge", "queue_name": "orders"}, 1)
""",
        {
            "jobs": ["dbos charge", "dbos nightly", "dbos other"],
            "enqueues": ["dbos charge", "dbos charge", "dbos charge key=order_id", "dbos charge key=order_id"],
            "schedules": ["nightly 0 0 * * *"],
        },
    ),
    "Temporal": (
        """
from temporalio import workflow, activity
from temporalio.client import Client
from datetime import timedelta
@activity.defn
async def pay(order_id: str): ...
@workflow.defn
class Charge:
    @workflow.run
    async def run(self, order_id: str):
        await workflow.execute_activity(pay, order_id, start_to_close_timeout=timedelta(seconds=5))
async def handle(order):
    client = await Client.connect("localhost:7233")
    await client.start_workflow(Charge.run, order.id, id=f"charge-{order.id}", task_queue="x")
    await client.start_workflow("Charge", order.id, id=f"charge-{order.id}", task_queue="x")
async def other(client: Client):
    handle = await client.execute_workflow(Charge.run, 1, id="x")
""",
        {
            "jobs": ["temporal Charge", "temporal pay"],
            "enqueues": ['temporal Charge key=f"charge-{order.id}"', 'temporal run key="x"', 'temporal run key=f"charge-{order.id}"'],
        },
    ),
    "Prefect": (
        """
from prefect import flow, task
from prefect.deployments import run_deployment
@task(retries=3)
def load(x): ...
@flow(log_prints=True)
def nightly():
    load.submit(1)
@flow(name="x", timeout_seconds=60)
def other(): ...
async def handle():
    load.delay(1)
    await run_deployment("nightly/prod", parameters={"a": 1})
    run_deployment(name="nightly/prod", idempotency_key="x")
if __name__ == "__main__":
    nightly.serve(name="n", cron="0 0 * * *")
""",
        {
            "jobs": ["prefect load", "prefect nightly", "prefect x"],
            "enqueues": ["prefect load", "prefect nightly/prod", 'prefect nightly/prod key="x"'],
            "schedules": ["nightly 0 0 * * *"],
        },
    ),
    "Hatchet": (
        """
from hatchet_sdk import Hatchet, Context, EmptyModel
hatchet = Hatchet()
@hatchet.task(name="charge")
def charge(input, ctx): ...
wf = hatchet.workflow(name="w")
@wf.task(retries=3)
def step(input, ctx): ...
async def handle():
    charge.run_no_wait(charge_input)
    await charge.aio_run_no_wait(x)
    wf.run_no_wait(x)
    hatchet.event.push("order:created", {"id": 1})
""",
        {
            "jobs": ["hatchet charge", "hatchet step"],
            "enqueues": ["hatchet charge", "hatchet charge", "hatchet order:created", "hatchet wf"],
        },
    ),
    "APScheduler 4": (
        """
from apscheduler import AsyncScheduler
from apscheduler.triggers.interval import IntervalTrigger
async def tick(): ...
async def main():
    async with AsyncScheduler() as scheduler:
        await scheduler.add_schedule(tick, IntervalTrigger(seconds=1), id="tick")
        await scheduler.configure_task("x", func=tick)
        await scheduler.add_job(tick)
""",
        {"jobs": ["apscheduler tick"], "enqueues": ["apscheduler tick"], "schedules": ["tick", "tick IntervalTrigger(seconds=1)"]},
    ),
    "APScheduler 3 by keyword": (
        """
from apscheduler.schedulers.background import BackgroundScheduler
def tick(): ...
s = BackgroundScheduler()
s.add_job(func=tick, trigger="interval", seconds=3, id="x")
""",
        {"jobs": ["apscheduler x"], "enqueues": ['apscheduler tick key="x"'], "schedules": ["tick interval"]},
    ),
    "RQ cron, rq-scheduler and django-rq": (
        """
from rq import cron
from rq_scheduler import Scheduler
import django_rq
from django_rq import job, get_queue, enqueue
def tick(): ...
cron.register(tick, queue_name="default", cron="* * * * *")
scheduler = Scheduler(connection=c)
scheduler.cron("0 0 * * *", func=tick, queue_name="x")
scheduler.schedule(scheduled_time=now, func=tick, interval=60)
scheduler.enqueue_in(delta, tick, 1)
sch2 = django_rq.get_scheduler("default")
sch2.cron("* * * * *", func=tick)
@job("low", timeout=60)
def low(x): ...
@job
def bare(x): ...
def handle():
    low.delay(1)
    get_queue("x").enqueue(tick, 1)
    enqueue(tick, 1)
    django_rq.enqueue(tick)
""",
        {
            "jobs": ["rq bare", "rq low", "rq tick"],
            "enqueues": ["rq low", "rq tick", "rq tick", "rq tick", "rq tick"],
            "schedules": ["tick * * * * *", "tick * * * * *", "tick 0 0 * * *", "tick 60"],
        },
    ),
    "SQS and Lambda": (
        """
import boto3, json
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
sqs = boto3.client("sqs")
res = boto3.resource("sqs").Queue("u")
def record(record): ...
def lambda_handler(event, context):
    for r in event["Records"]:
        sqs.send_message(QueueUrl=URL, MessageBody=json.dumps(r))
        sqs.send_message(QueueUrl=URL, MessageBody=json.dumps(r), MessageDeduplicationId=r["messageId"], MessageGroupId="g")
        res.send_message(MessageBody="x")
        sqs.send_message_batch(QueueUrl=URL, Entries=[{"Id": "1", "MessageBody": "x"}])
def api(event, context):
    return event["body"]
def other(event, context):
    return process_partial_response(event=event, record_handler=record, processor=p, context=context)
class Sender:
    def __init__(self):
        self.client = boto3.client("sqs")
    def send(self, x):
        self.client.send_message(QueueUrl=self.url, MessageBody=x)
""",
        {
            "jobs": ["aws lambda_handler", "aws record"],
            "enqueues": ["aws URL", "aws URL", 'aws URL key=r["messageId"]', "aws res", "aws self.url"],
        },
    ),
    "Cloud Tasks and Pub Sub": (
        """
from google.cloud import tasks_v2, pubsub_v1
client = tasks_v2.CloudTasksClient()
publisher = pubsub_v1.PublisherClient()
subscriber = pubsub_v1.SubscriberClient()
def callback(message): message.ack()
def handle(order):
    client.create_task(parent=parent, task={"http_request": {}})
    client.create_task(request={"parent": parent, "task": {"name": "x", "http_request": {}}})
    publisher.publish(topic_path, b"x")
    task = {"http_request": {}, "name": order}
    client.create_task(request={"parent": parent, "task": task})
subscriber.subscribe(path, callback=callback)
""",
        {
            "jobs": ["google_cloud callback"],
            "enqueues": ["google_cloud parent", 'google_cloud parent key="x"', "google_cloud parent key=order", "google_cloud topic_path"],
        },
    ),
    "pika and aio-pika": (
        """
import pika, aio_pika
conn = pika.BlockingConnection(pika.ConnectionParameters("x"))
channel = conn.channel()
def on(ch, method, properties, body): ...
channel.basic_consume(queue="x", on_message_callback=on)
channel.basic_publish(exchange="", routing_key="hello", body="x")
async def main():
    connection = await aio_pika.connect_robust("x")
    async with connection:
        ch = await connection.channel()
        q = await ch.declare_queue("x")
        await q.consume(process)
        await ch.default_exchange.publish(aio_pika.Message(b"x"), routing_key="x")
        ex = await ch.declare_exchange("y")
        await ex.publish(aio_pika.Message(b"x"), routing_key="z")
async def process(message): ...
""",
        {"jobs": ["rabbitmq on", "rabbitmq process"], "enqueues": ["rabbitmq hello", "rabbitmq x", "rabbitmq z"]},
    ),
    "kombu": (
        """
from kombu import Connection, Consumer, Producer
def on(body, message): ...
with Connection("x") as conn:
    with conn.Consumer(queues, callbacks=[on]) as c:
        conn.drain_events()
    producer = conn.Producer()
    producer.publish({"x": 1}, routing_key="a")
""",
        {"jobs": ["rabbitmq on"], "enqueues": ["rabbitmq a"]},
    ),
    "FastStream": (
        """
from faststream import FastStream
from faststream.rabbit import RabbitBroker, RabbitRouter
broker = RabbitBroker("x")
router = RabbitRouter()
@broker.subscriber("orders")
async def charge(order_id: int): ...
@router.subscriber("mails")
async def mail(order_id: int):
    await broker.publish(order_id, "orders")
""",
        {"jobs": ["faststream charge", "faststream mail"], "enqueues": ["faststream orders"]},
    ),
    "three clients of Kafka": (
        """
from confluent_kafka import Producer
from aiokafka import AIOKafkaProducer
from kafka import KafkaProducer
p = Producer({})
k = KafkaProducer()
def handle():
    p.produce("orders", value=b"x")
    k.send("orders", b"x")
async def ahandle():
    a = AIOKafkaProducer()
    await a.send_and_wait("orders", b"x")
""",
        {"enqueues": ["kafka orders", "kafka orders", "kafka orders"]},
    ),
    "JetStream": (
        """
import nats
async def on(msg): ...
async def main():
    nc = await nats.connect("x")
    js = nc.jetstream()
    await js.subscribe("orders", cb=on, durable="x")
    await js.publish("orders", b"x", headers={"Nats-Msg-Id": "1"})
""",
        {"jobs": ["nats on"], "enqueues": ['nats orders key="1"']},
    ),
    "canvas and old spellings of Celery": (
        """
from celery import Celery, current_app, chain
from celery.task import periodic_task
app = Celery("x")
@app.task
def a(x): ...
@periodic_task(run_every=60)
def tick(): ...
def handle(name):
    app.tasks[name].delay(1)
    current_app.tasks["x"].apply_async()
    current_app.send_task("a", args=[1])
    (a.s() | a.s()).delay()
    chain(a.s(1), a.s())()
    a.map([1,2]).apply_async()
    a.starmap([(1,2)]).delay()
""",
        {
            "jobs": ["celery a", "celery tick"],
            "enqueues": ["celery a", "celery a", "celery a", "celery app.tasks[]", "celery chain()", "celery current_app.tasks[]"],
            "schedules": ["tick 60"],
        },
    ),
    "labels of taskiq": (
        """
from taskiq_redis import ListQueueBroker
broker = ListQueueBroker("x")
@broker.task(schedule=[{"cron": "* * * * *"}])
async def tick(): ...
@broker.task
async def charge(x): ...
async def handle():
    await charge.kiq(1)
    await charge.schedule_by_time(source, when, 1)
    await charge.kicker().with_labels(timeout=3).kiq(1)
""",
        {
            "jobs": ["taskiq charge", "taskiq tick"],
            "enqueues": ["taskiq charge", "taskiq charge", "taskiq charge"],
            "schedules": ['tick [{"cron": "* * * * *"}]'],
        },
    ),
    "dramatiq-crontab": (
        """
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import TimeLimit
from dramatiq_crontab import cron
broker = RedisBroker(middleware=[TimeLimit(time_limit=3600000)])
@cron("0 0 * * *")
@dramatiq.actor
def nightly(): ...
""",
        {"jobs": ["dramatiq nightly"], "schedules": ["nightly 0 0 * * *"]},
    ),
    "crons of arq": (
        """
from arq import cron, func
async def tick(ctx): ...
async def charge(ctx, x): ...
class WorkerSettings:
    functions = [func(charge, timeout=30)]
    cron_jobs = [cron(tick, hour=3)]
""",
        {"jobs": ["arq charge", "arq tick"], "schedules": ["tick 3"]},
    ),
    "Azure Functions": (
        """
import azure.functions as func
app = func.FunctionApp()
@app.queue_trigger(arg_name="m", queue_name="x", connection="c")
def q(m: func.QueueMessage): ...
@app.route(route="x", methods=["POST"])
def h(req): ...
@app.timer_trigger(schedule="0 */5 * * * *", arg_name="t")
def t(t): ...
""",
        {"jobs": ["azure q", "azure t"], "handlers": ["POST x h"], "schedules": ["t 0 */5 * * * *"]},
    ),
    "Chalice": (
        """
from chalice import Chalice
app = Chalice(app_name="x")
@app.on_sqs_message(queue="q")
def q(event): ...
@app.route("/x", methods=["POST"])
def h(): ...
@app.schedule("rate(1 hour)")
def s(event): ...
""",
        {"jobs": ["aws q", "aws s"], "handlers": ["POST /x h"], "schedules": ["s rate(1 hour)"]},
    ),
    "Litestar": (
        """
from litestar import Litestar, get, post, Controller
from litestar.background_tasks import BackgroundTask
from litestar import Response
@post("/orders")
async def create(data: dict) -> Response:
    return Response({}, background=BackgroundTask(mail, 1))
class Orders(Controller):
    path = "/orders"
    @get("/{id:int}")
    async def one(self, id: int): ...
    @post()
    async def add(self): ...
""",
        {"handlers": ["GET /{id:int} one", "POST  add", "POST /orders create"], "spawns": ["after-response mail"]},
    ),
    "Quart": (
        """
from quart import Quart, Blueprint
app = Quart(__name__)
bp = Blueprint("x", __name__)
@app.post("/orders")
async def create():
    app.add_background_task(mail, 1)
@bp.route("/x", methods=["PUT"])
async def put(): ...
""",
        {"handlers": ["POST /orders create", "PUT /x put"], "spawns": ["task mail"]},
    ),
    "Sanic": (
        """
from sanic import Sanic, Blueprint
from sanic.views import HTTPMethodView
app = Sanic("x")
bp = Blueprint("y")
@app.post("/orders")
async def create(request):
    app.add_task(mail(1))
    request.app.add_task(mail(2))
class V(HTTPMethodView):
    async def post(self, request): ...
app.add_route(other, "/x", methods=["POST"])
async def other(request): ...
@bp.get("/z")
async def z(request): ...
""",
        {"handlers": ["GET /z z", "POST  post", "POST /orders create", "POST /x other"], "spawns": ["task mail(1)"]},
    ),
    "Tornado": (
        """
import tornado.web, tornado.ioloop
class Base(tornado.web.RequestHandler): ...
class Orders(Base):
    async def post(self):
        tornado.ioloop.IOLoop.current().spawn_callback(mail, 1)
""",
        {"handlers": ["POST  post"], "spawns": ["task mail"]},
    ),
    "Pyramid": (
        """
from pyramid.view import view_config
from pyramid.config import Configurator
@view_config(route_name="orders", request_method="POST", renderer="json")
def create(request): ...
def other(request): ...
def main(global_config):
    config = Configurator()
    config.add_view(other, route_name="x")
class V:
    @view_config(route_name="y", request_method=("PUT", "PATCH"))
    def change(self): ...
""",
        {"handlers": ["PATCH|PUT y change", "POST orders create", "x other"]},
    ),
    "python-socketio": (
        """
import socketio
sio = socketio.AsyncServer()
@sio.event
async def connect(sid, environ):
    sio.start_background_task(pump, sid)
@sio.on("order")
async def order(sid, data): ...
""",
        {"handlers": ["WEBSOCKET  connect", "WEBSOCKET order order"], "spawns": ["thread pump"]},
    ),
    "Flask-SocketIO": (
        """
from flask_socketio import SocketIO
socketio = SocketIO(app)
@socketio.on("order")
def order(data):
    socketio.start_background_task(target, 1)
""",
        {"handlers": ["WEBSOCKET order order"], "spawns": ["thread target"]},
    ),
    "Channels": (
        """
from channels.generic.websocket import AsyncJsonWebsocketConsumer
import asyncio
class C(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        asyncio.create_task(work(content))
""",
        {"handlers": ["WEBSOCKET  receive_json"], "spawns": ["task work(content)"]},
    ),
    "Falcon": (
        """
import falcon
class Orders:
    def on_post(self, req: falcon.Request, resp: falcon.Response): ...
""",
        {"handlers": ["on_post"]},
    ),
    "Bottle": (
        """
from bottle import Bottle, post, route
app = Bottle()
@app.post("/x")
def a(): ...
@route("/y", method="POST")
def b(): ...
""",
        {"handlers": ["POST /x a", "POST /y b"]},
    ),
    "Robyn": (
        """
from robyn import Robyn, SubRouter
app = Robyn(__file__)
@app.post("/x")
async def a(request): ...
""",
        {"handlers": ["POST /x a"]},
    ),
    "Flask-AppBuilder": (
        """
from flask_appbuilder.api import expose, BaseApi
class A(BaseApi):
    @expose("/run", methods=("POST",))
    def run(self): ...
""",
        {"handlers": ["POST /run run"]},
    ),
    "class-based views and late registration of FastAPI": (
        """
from fastapi import APIRouter
from fastapi_utils.cbv import cbv
router = APIRouter()
@cbv(router)
class C:
    @router.post("/x")
    def create(self): ...
def late(): ...
router.add_api_route("/late", late, methods=["POST"])
class MyRouter(APIRouter): ...
r2 = MyRouter()
@r2.post("/y")
def y(): ...
""",
        {"handlers": ["POST /late late", "POST /x create", "POST /y y"]},
    ),
    "flask-smorest": (
        """
from flask.views import MethodView
from flask_smorest import Blueprint
blp = Blueprint("x", __name__)
@blp.route("/")
class Pets(MethodView):
    @blp.response(200)
    def get(self): ...
    def post(self): ...
@blp.route("/f", methods=["POST"])
def f(): ...
""",
        {"handlers": ["GET  get", "POST  post", "POST /f f"]},
    ),
    "flask-restx": (
        """
from flask_restx import Namespace, Resource
ns = Namespace("x")
@ns.route("/")
class A(Resource):
    @ns.expect(m)
    def post(self): ...
""",
        {"handlers": ["POST  post"]},
    ),
    "Django Ninja": (
        """
from ninja import NinjaAPI, Router
api = NinjaAPI()
r = Router()
@api.post("/x")
def x(request): ...
@r.get("/y")
def y(request): ...
""",
        {"handlers": ["GET /y y", "POST /x x"]},
    ),
    "loggers": (
        """
import logbook, absl.logging, sentry_sdk
from celery.utils.log import get_task_logger
from prefect import get_run_logger
log = logbook.Logger("x")
tl = get_task_logger(__name__)
def f(token):
    log.notice(token)
    tl.info(token)
    absl.logging.info(token)
    sentry_sdk.set_extra("t", token)
    with sentry_sdk.push_scope() as scope:
        scope.set_context("x", {"t": token})
    get_run_logger().info(token)
""",
        {
            "logs": [
                "absl.logging.info(token)",
                "get_run_logger().info(token)",
                "log.notice(token)",
                'scope.set_context("x", {"t": token})',
                'sentry_sdk.set_extra("t", token)',
                "tl.info(token)",
            ]
        },
    ),
    "the logger of Powertools": (
        """
from aws_lambda_powertools import Logger
logger = Logger()
def f(x):
    logger.info(x)
""",
        {"logs": ["logger.info(x)"]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_all_that_is_to_be_seen_is_seen(name: str) -> None:
    text, expected = CASES[name]
    seen = python(text)
    assert {kind: found for kind in KINDS if (found := getattr(seen, kind))} == expected
