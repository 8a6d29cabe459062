from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credit", "0002_callback_log"),
    ]

    operations = [
        migrations.AddField(
            model_name="creditaudit",
            name="reason",
            field=models.TextField(blank=True, default="", help_text="Why, in the words of the staff."),
        ),
        migrations.AddField(
            model_name="crediteligibility",
            name="added_by_staff",
            field=models.BooleanField(
                default=False, editable=False, help_text="Given by staff instead of earned; no mail is sent."
            ),
        ),
        migrations.AlterField(
            model_name="creditaudit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("request", "Credit request"),
                    ("requirement", "Requirement status"),
                    ("eligibility", "Eligibility"),
                    ("mail", "Eligibility mail"),
                ],
                max_length=32,
            ),
        ),
    ]
