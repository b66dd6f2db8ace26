"""Admin pages of the shop. Those of the outbox come with eventtracking_django."""

from django.contrib import admin

from orders.models import Order, Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """Products and their stock."""

    list_display = ("name", "stock")


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """Orders, the newest first."""

    list_display = ("id", "product", "quantity", "placed")
    ordering = ("-id",)
