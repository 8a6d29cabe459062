"""Indexes by which the list of everybody's enrollments is read in its order."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("enrollment", "0003_bulk_job_parts"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="courseenrollment",
            index=models.Index(fields=["created", "id"], name="enrollment_by_age"),
        ),
        migrations.AddIndex(
            model_name="courseenrollment",
            index=models.Index(fields=["course", "created", "id"], name="enrollment_by_course_and_age"),
        ),
        migrations.AlterField(  # the first of them begins with the column, so it needs no index of its own
            model_name="courseenrollment",
            name="created",
            field=models.DateTimeField(blank=True, default=django.utils.timezone.now, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="historicalcourseenrollment",
            name="created",
            field=models.DateTimeField(blank=True, default=django.utils.timezone.now, editable=False, null=True),
        ),
    ]
