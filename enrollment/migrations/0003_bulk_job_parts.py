import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("enrollment", "0002_learner_language"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkjob",
            name="attempts",
            field=models.PositiveIntegerField(default=0, help_text="How often it was taken up since rows were done."),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="failure_counts",
            field=models.JSONField(blank=True, default=dict, help_text="Rows that failed, by code."),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="line_position",
            field=models.BigIntegerField(default=0, help_text="Lines of the input before the next row."),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="running_key",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="The serial key while it runs.",
                max_length=255,
                null=True,
                unique=True,
            ),
        ),
        migrations.CreateModel(
            name="BulkJobResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.BigIntegerField(help_text="Rows before the first of these.")),
                ("content", models.TextField()),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="enrollment.bulkjob"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("job", "position"), name="enrollment_job_part_once")],
            },
        ),
    ]
