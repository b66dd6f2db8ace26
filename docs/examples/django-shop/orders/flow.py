"""Placing an order: the data and the event are committed together, or neither is."""

from django.db import transaction
from django.db.models import F
from django.shortcuts import get_object_or_404

import eventtracking_core as et
from orders.models import Order, Product
from orders.tasks import send_receipt


class SoldOutError(Exception):
    """There is not enough stock."""


def place_order(product_name, quantity, email):
    """Take the product from the stock; return the order.

    Raises:
        SoldOutError: nothing was changed, and no event of an order was sent.
    """
    with transaction.atomic():
        product = get_object_or_404(Product, name=product_name)
        order = Order.objects.create(product=product, quantity=quantity, email=email)
        et.emit("shop.order.placed", {"order_id": order.pk, "quantity": quantity})
        transaction.on_commit(lambda: send_receipt.delay(order.pk))
        enough = Product.objects.filter(pk=product.pk, stock__gte=quantity)
        if not enough.update(stock=F("stock") - quantity):
            raise SoldOutError
    return order
