from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credit", "0003_staff_corrections"),
    ]

    operations = [
        migrations.AddField(
            model_name="creditcourse",
            name="requirements_due_at",
            field=models.DateTimeField(
                editable=False,
                help_text="Since when the course has been published with requirements unread.",
                null=True,
            ),
        ),
    ]
