"""Programs, the students in them, and the catalog of a site of its own."""

import uuid

import django.db.models.deletion
import django.utils.timezone
import model_utils.fields
import opaque_keys.edx.django.models
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("enrollment", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogCourse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        help_text="Organization and course, such as edX+DemoX.", max_length=255, unique=True
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=255)),
            ],
            options={
                "ordering": ["key"],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("short_name", models.CharField(max_length=255, unique=True)),
                ("name", models.CharField(blank=True, max_length=255)),
            ],
            options={
                "ordering": ["short_name"],
            },
        ),
        migrations.CreateModel(
            name="Program",
            fields=[
                ("uuid", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=255)),
                (
                    "type",
                    models.CharField(help_text="Such as Masters or MicroMasters; case does not matter.", max_length=64),
                ),
                ("marketing_slug", models.CharField(blank=True, max_length=255)),
            ],
            options={
                "ordering": ["title", "uuid"],
            },
        ),
        migrations.CreateModel(
            name="CatalogCourseRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", opaque_keys.edx.django.models.CourseKeyField(case_sensitive=True, max_length=255, unique=True)),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="program_enrollments.catalogcourse",
                    ),
                ),
            ],
            options={
                "ordering": ["key"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalProgramEnrollment",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "created",
                    model_utils.fields.AutoCreatedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "modified",
                    model_utils.fields.AutoLastModifiedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="modified"
                    ),
                ),
                (
                    "external_user_key",
                    models.CharField(
                        blank=True,
                        db_index=True,
                        help_text="The institution's key of the student.",
                        max_length=255,
                        null=True,
                    ),
                ),
                (
                    "external_user_key_folded",
                    models.CharField(db_index=True, editable=False, max_length=255, null=True),
                ),
                ("program_uuid", models.UUIDField(db_index=True)),
                ("curriculum_uuid", models.UUIDField(db_index=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("enrolled", "Enrolled"),
                            ("pending", "Pending"),
                            ("suspended", "Suspended"),
                            ("canceled", "Canceled"),
                            ("ended", "Ended"),
                        ],
                        max_length=9,
                    ),
                ),
                ("history_id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical program enrollment",
                "verbose_name_plural": "historical program enrollments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=100, unique=True)),
                ("enabled", models.BooleanField(default=True)),
                (
                    "backend_name",
                    models.CharField(
                        blank=True, help_text="Name of the social-auth backend, such as tpa-saml.", max_length=100
                    ),
                ),
                (
                    "display_name",
                    models.CharField(blank=True, help_text="Made from the slug if left empty.", max_length=255),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="identity_providers",
                        to="program_enrollments.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["slug"],
            },
        ),
        migrations.CreateModel(
            name="Curriculum",
            fields=[
                ("uuid", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("is_active", models.BooleanField(default=True)),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="curricula",
                        to="program_enrollments.program",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "curricula",
                "ordering": ["position", "uuid"],
            },
        ),
        migrations.CreateModel(
            name="ProgramCourse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="program_courses",
                        to="program_enrollments.catalogcourse",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="program_courses",
                        to="program_enrollments.program",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProgramCourseEnrollment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created",
                    model_utils.fields.AutoCreatedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "modified",
                    model_utils.fields.AutoLastModifiedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="modified"
                    ),
                ),
                ("course_key", opaque_keys.edx.django.models.CourseKeyField(case_sensitive=True, max_length=255)),
                ("status", models.CharField(choices=[("active", "Active"), ("inactive", "Inactive")], max_length=9)),
                ("active_course_enrollment", models.BigIntegerField(editable=False, null=True, unique=True)),
                (
                    "course_enrollment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="program_course_enrollments",
                        to="enrollment.courseenrollment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CourseAccessRoleAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created",
                    model_utils.fields.AutoCreatedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "modified",
                    model_utils.fields.AutoLastModifiedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="modified"
                    ),
                ),
                ("role", models.CharField(choices=[("staff", "Staff")], max_length=64)),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="role_assignments",
                        to="program_enrollments.programcourseenrollment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProgramEnrollment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created",
                    model_utils.fields.AutoCreatedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "modified",
                    model_utils.fields.AutoLastModifiedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="modified"
                    ),
                ),
                (
                    "external_user_key",
                    models.CharField(
                        blank=True,
                        db_index=True,
                        help_text="The institution's key of the student.",
                        max_length=255,
                        null=True,
                    ),
                ),
                (
                    "external_user_key_folded",
                    models.CharField(db_index=True, editable=False, max_length=255, null=True),
                ),
                ("program_uuid", models.UUIDField(db_index=True)),
                ("curriculum_uuid", models.UUIDField(db_index=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("enrolled", "Enrolled"),
                            ("pending", "Pending"),
                            ("suspended", "Suspended"),
                            ("canceled", "Canceled"),
                            ("ended", "Ended"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="program_enrollments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="programcourseenrollment",
            name="program_enrollment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="program_course_enrollments",
                to="program_enrollments.programenrollment",
            ),
        ),
        migrations.CreateModel(
            name="HistoricalProgramCourseEnrollment",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "created",
                    model_utils.fields.AutoCreatedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "modified",
                    model_utils.fields.AutoLastModifiedField(
                        default=django.utils.timezone.now, editable=False, verbose_name="modified"
                    ),
                ),
                ("course_key", opaque_keys.edx.django.models.CourseKeyField(case_sensitive=True, max_length=255)),
                ("status", models.CharField(choices=[("active", "Active"), ("inactive", "Inactive")], max_length=9)),
                ("active_course_enrollment", models.BigIntegerField(db_index=True, editable=False, null=True)),
                ("history_id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "course_enrollment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="enrollment.courseenrollment",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "program_enrollment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="program_enrollments.programenrollment",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical program course enrollment",
                "verbose_name_plural": "historical program course enrollments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ProgramOrganization",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="authoring",
                        to="program_enrollments.organization",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="authoring",
                        to="program_enrollments.program",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="CurriculumCourse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="curriculum_courses",
                        to="program_enrollments.catalogcourse",
                    ),
                ),
                (
                    "curriculum",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="curriculum_courses",
                        to="program_enrollments.curriculum",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("curriculum", "course"), name="program_enrollments_course_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ExternalIdentity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_key", models.CharField(max_length=255)),
                ("external_key_folded", models.CharField(editable=False, max_length=255)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="external_identities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to="program_enrollments.identityprovider",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "external identities",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "external_key_folded"), name="program_enrollments_one_identity"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CurriculumProgram",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "curriculum",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="curriculum_programs",
                        to="program_enrollments.curriculum",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inside",
                        to="program_enrollments.program",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("curriculum", "program"), name="program_enrollments_nested_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="curriculum",
            index=models.Index(fields=["program", "position"], name="program_enroll_curricula"),
        ),
        migrations.AddConstraint(
            model_name="programcourse",
            constraint=models.UniqueConstraint(fields=("program", "course"), name="program_enrollments_listed_once"),
        ),
        migrations.AddConstraint(
            model_name="courseaccessroleassignment",
            constraint=models.UniqueConstraint(fields=("role", "enrollment"), name="program_enrollments_one_role_once"),
        ),
        migrations.AddIndex(
            model_name="programenrollment",
            index=models.Index(fields=["user", "modified"], name="program_enroll_waiting"),
        ),
        migrations.AddConstraint(
            model_name="programenrollment",
            constraint=models.UniqueConstraint(
                fields=("user", "program_uuid", "curriculum_uuid"), name="program_enrollments_one_per_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="programenrollment",
            constraint=models.UniqueConstraint(
                fields=("external_user_key_folded", "program_uuid", "curriculum_uuid"),
                name="program_enrollments_one_per_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="programenrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(("user__isnull", False), ("external_user_key__isnull", False), _connector="OR"),
                name="program_enrollments_account_or_key",
            ),
        ),
        migrations.AddIndex(
            model_name="programcourseenrollment",
            index=models.Index(fields=["course_key", "program_enrollment"], name="program_enroll_of_run"),
        ),
        migrations.AddConstraint(
            model_name="programcourseenrollment",
            constraint=models.UniqueConstraint(
                fields=("program_enrollment", "course_key"), name="program_enrollments_run_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="programorganization",
            constraint=models.UniqueConstraint(
                fields=("program", "organization"), name="program_enrollments_author_once"
            ),
        ),
    ]
