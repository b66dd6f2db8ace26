"""What Celery does after an order."""

from celery import shared_task
from django.core.mail import send_mail

import eventtracking_core as et
from orders.models import Order


@shared_task
def send_receipt(order_id):
    """Send the receipt; its event has the user of the request that sent the task."""
    order = Order.objects.get(pk=order_id)
    send_mail("Your order", f"You ordered {order.quantity}.", None, [order.email])
    et.emit("shop.receipt.sent", {"order_id": order_id})
