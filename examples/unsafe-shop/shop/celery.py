from celery import Celery

app = Celery("shop")
app.set_default()
app.config_from_object("shop.settings", namespace="CELERY")
app.autodiscover_tasks(["shop.orders", "shop.mail"])
