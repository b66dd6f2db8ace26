"""Products and orders."""

from django.db import models


class Product(models.Model):
    """Something to sell, while the stock lasts."""

    name = models.CharField(max_length=100, unique=True)
    stock = models.PositiveIntegerField()

    def __str__(self):
        return self.name


class Order(models.Model):
    """What a customer bought."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField()
    email = models.EmailField()
    placed = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return f"{self.quantity} {self.product}"
