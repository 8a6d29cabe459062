import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credit", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallbackLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "received",
                    models.DateTimeField(
                        db_index=True,
                        default=django.utils.timezone.now,
                        editable=False,
                        help_text="Of several, the first.",
                    ),
                ),
                (
                    "provider_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Empty: the address named no provider that exists.",
                        max_length=255,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(choices=[("accepted", "Accepted"), ("refused", "Refused")], max_length=16),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, default="", help_text="The error's code word; empty if accepted.", max_length=64
                    ),
                ),
                ("times", models.PositiveIntegerField(default=1, help_text="How many callbacks the row stands for.")),
                (
                    "key_position",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Which of the provider's keys had signed it, counted from 1.", null=True
                    ),
                ),
                (
                    "key_count",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="How many keys were configured for the provider at that moment.",
                        null=True,
                    ),
                ),
                (
                    "minute",
                    models.DateTimeField(
                        editable=False, help_text="Of refused callbacks, to count them by.", null=True
                    ),
                ),
            ],
            options={
                "verbose_name": "callback log entry",
                "verbose_name_plural": "callback log",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("minute", "provider_id", "reason"), name="credit_one_count_of_refused_callbacks"
                    )
                ],
            },
        ),
    ]
