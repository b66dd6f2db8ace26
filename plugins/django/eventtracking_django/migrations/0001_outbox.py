"""The tables of the outbox."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event_id", models.CharField(max_length=36)),
                ("name", models.CharField(max_length=255)),
                (
                    "node",
                    models.CharField(
                        help_text="The outbox, by its path in the tree.", max_length=255
                    ),
                ),
                ("wire", models.BinaryField()),
                ("backend", models.CharField(help_text="By its path in the tree.", max_length=255)),
                ("reason", models.CharField(max_length=32)),
                ("error", models.TextField()),
                ("attempts", models.PositiveIntegerField()),
                ("time", models.DateTimeField()),
            ],
            options={
                "verbose_name": "dead letter",
                "ordering": ["-time"],
                "permissions": [("replay_deadletter", "Can replay dead letters")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event_id", "backend"), name="eventtracking_letter"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event_id", models.CharField(max_length=36)),
                ("name", models.CharField(max_length=255)),
                (
                    "node",
                    models.CharField(
                        help_text="The outbox, by its path in the tree.", max_length=255
                    ),
                ),
                ("wire", models.BinaryField()),
                (
                    "backend",
                    models.CharField(
                        blank=True,
                        help_text="Only this backend, for a replay; else all.",
                        max_length=255,
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("delivered", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "outbox event",
                "ordering": ["id"],
                "indexes": [
                    models.Index(
                        fields=["node", "delivered", "id"], name="eventtracking_outboxevent_due"
                    )
                ],
            },
        ),
    ]
