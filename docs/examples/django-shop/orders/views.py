"""What the shop answers."""

import json

from django.http import JsonResponse, StreamingHttpResponse
from django.shortcuts import aget_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

import eventtracking_core as et
from orders.flow import SoldOutError, place_order
from orders.models import Order


@csrf_exempt  # for `curl` on the page of this example
@require_POST
def place(request):
    """Place an order."""
    wanted = json.loads(request.body)
    try:
        order = place_order(wanted["product"], wanted["quantity"], wanted["email"])
    except SoldOutError:
        et.emit("shop.order.refused", {"quantity": wanted["quantity"]})
        return JsonResponse({"error": "sold out"}, status=409)
    return JsonResponse({"order_id": order.pk}, status=201)


async def show(request, order_id):
    """Show an order; an async view."""
    await request.auser()  # so that the event knows the user
    order = await aget_object_or_404(Order.objects.select_related("product"), pk=order_id)
    et.emit("shop.order.shown", {"order_id": order_id})
    return JsonResponse({"product": order.product.name, "quantity": order.quantity})


def export(_request):
    """Stream all orders; the event is emitted after the last line."""

    def lines():
        count = 0
        for order_id, quantity in Order.objects.values_list("pk", "quantity").iterator():
            count += 1
            yield f"{order_id},{quantity}\n"
        et.emit("shop.orders.exported", {"count": count})

    return StreamingHttpResponse(lines(), content_type="text/csv")
